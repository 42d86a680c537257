"""The ports of the core on Azure's own SDK. Importing this costs seconds: only inside a provider's calls."""

from foundry_agents.azure.agents import FoundryAgentService
from foundry_agents.azure.clients import agent_service, registry_access, toolbox_service, vector_store_service
from foundry_agents.azure.toolboxes import FoundryToolboxService
from foundry_agents.azure.vector_stores import FoundryVectorStoreService

__all__ = [
    "FoundryAgentService",
    "FoundryToolboxService",
    "FoundryVectorStoreService",
    "agent_service",
    "registry_access",
    "toolbox_service",
    "vector_store_service",
]
