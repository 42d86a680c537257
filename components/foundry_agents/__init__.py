"""Pulumi components and resources for Microsoft Foundry hosted agents.

Names are imported when they are first used: the plugin process that carries out resource operations needs none of the
components, and they cost a second and 60 MB.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from foundry_agents._version import __version__

if TYPE_CHECKING:
    from foundry_agents.agent_image import AgentImage
    from foundry_agents.agent_registry import AgentRegistry
    from foundry_agents.code_package import CodePackage
    from foundry_agents.connection_secret import ConnectionSecret
    from foundry_agents.contract import (
        AgentContract,
        PublishedAgent,
        PublishedProject,
        PublishedRegistry,
        export_contract,
    )
    from foundry_agents.foundry_project import ExistingProject, FoundryProject, Project
    from foundry_agents.hosted_agent import HostedAgent
    from foundry_agents.lifecycle.definition import Tier
    from foundry_agents.lifecycle.vocabulary import Protocol, Runtime
    from foundry_agents.resources import AgentRollout, HostedAgentVersion
    from foundry_agents.resources.inputs import Moderation, StreamSelector, TelemetryEndpoint, TelemetryHeader
    from foundry_agents.rollout_settings import Rollout, SmokeTest

__all__ = [
    "AgentContract",
    "AgentImage",
    "AgentRegistry",
    "AgentRollout",
    "CodePackage",
    "ConnectionSecret",
    "ExistingProject",
    "FoundryProject",
    "HostedAgent",
    "HostedAgentVersion",
    "Moderation",
    "Project",
    "Protocol",
    "PublishedAgent",
    "PublishedProject",
    "PublishedRegistry",
    "Rollout",
    "Runtime",
    "SmokeTest",
    "StreamSelector",
    "TelemetryEndpoint",
    "TelemetryHeader",
    "Tier",
    "__version__",
    "export_contract",
]

_HOMES = {
    "AgentContract": "contract",
    "AgentImage": "agent_image",
    "AgentRegistry": "agent_registry",
    "AgentRollout": "resources",
    "CodePackage": "code_package",
    "ConnectionSecret": "connection_secret",
    "ExistingProject": "foundry_project",
    "FoundryProject": "foundry_project",
    "HostedAgent": "hosted_agent",
    "HostedAgentVersion": "resources",
    "Moderation": "resources.inputs",
    "Project": "foundry_project",
    "Protocol": "lifecycle.vocabulary",
    "PublishedAgent": "contract",
    "PublishedProject": "contract",
    "PublishedRegistry": "contract",
    "Rollout": "rollout_settings",
    "Runtime": "lifecycle.vocabulary",
    "SmokeTest": "rollout_settings",
    "StreamSelector": "resources.inputs",
    "TelemetryEndpoint": "resources.inputs",
    "TelemetryHeader": "resources.inputs",
    "Tier": "lifecycle.definition",
    "export_contract": "contract",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
