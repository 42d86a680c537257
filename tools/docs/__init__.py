"""Pages that are written from the code: the inputs of each resource, and every error."""
