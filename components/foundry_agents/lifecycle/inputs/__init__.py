"""The inputs of each resource, one row an input."""
