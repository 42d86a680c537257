"""A folder of source code, hashed and packed; no Pulumi."""
