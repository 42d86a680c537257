"""Role assignments and the names of Azure resources."""
