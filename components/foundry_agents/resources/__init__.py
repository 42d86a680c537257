"""Dynamic resources, a thin layer over the core.

The import path and name of each provider class are in users' state files: never move or rename them.
"""

from foundry_agents.resources.agent_identity import AgentIdentity
from foundry_agents.resources.agent_rollout import AgentRollout
from foundry_agents.resources.hosted_agent_version import HostedAgentVersion
from foundry_agents.resources.toolbox_version import ToolboxVersion
from foundry_agents.resources.vector_store import VectorStore

__all__ = ["AgentIdentity", "AgentRollout", "HostedAgentVersion", "ToolboxVersion", "VectorStore"]
