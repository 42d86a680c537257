"""The errors, with the causes and remedies of the service's error codes."""
