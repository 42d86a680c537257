"""What the core asks of Azure, as Protocols."""
