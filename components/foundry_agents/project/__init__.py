"""The Foundry account and project, and what belongs to them: models, connections, private endpoints."""
