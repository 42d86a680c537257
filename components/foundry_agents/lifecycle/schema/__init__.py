"""The field table: how inputs are described, read and compared."""
