"""The container registry of a project's agents, with its access policy and roles."""
