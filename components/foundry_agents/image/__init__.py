"""Where an agent's image comes from: built here or in Azure, pinned, or resolved from a tag."""
