"""Dynamic resources, thin over the core.

The import path and name of each provider class stand in users' state files: they are an interface and stay.
"""

from foundry_agents.resources.agent_rollout import AgentRollout
from foundry_agents.resources.hosted_agent_version import HostedAgentVersion

__all__ = ["AgentRollout", "HostedAgentVersion"]
