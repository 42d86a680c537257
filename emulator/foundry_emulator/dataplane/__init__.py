"""The Foundry data plane: agents, versions, endpoints, sessions and calls."""
