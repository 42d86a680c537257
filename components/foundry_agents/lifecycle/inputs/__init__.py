"""The inputs of each resource, one row for each input."""
