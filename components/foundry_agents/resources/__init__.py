"""Dynamic resources, thin over the core.

The import path and name of each provider class stand in users' state files: they are an interface and stay.
"""

from foundry_agents.resources.agent_identity import AgentIdentity
from foundry_agents.resources.agent_rollout import AgentRollout
from foundry_agents.resources.hosted_agent_version import HostedAgentVersion
from foundry_agents.resources.toolbox_version import ToolboxVersion
from foundry_agents.resources.vector_store import VectorStore

__all__ = ["AgentIdentity", "AgentRollout", "HostedAgentVersion", "ToolboxVersion", "VectorStore"]
