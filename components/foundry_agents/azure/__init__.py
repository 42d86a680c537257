"""The ports of the core on Azure's own SDK. Importing this costs seconds: only inside a provider's calls."""

from foundry_agents.azure.agent_service import FoundryAgentService
from foundry_agents.azure.connections import agent_service, registry_access

__all__ = ["FoundryAgentService", "agent_service", "registry_access"]
