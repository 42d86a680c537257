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
    from foundry_agents.app_insights import AppInsights
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
    from foundry_agents.model_deployment import ModelDeployment
    from foundry_agents.private_endpoint import PrivateEndpoint
    from foundry_agents.project_connection import ProjectConnection
    from foundry_agents.resources import AgentRollout, HostedAgentVersion, ToolboxVersion, VectorStore
    from foundry_agents.resources.inputs import Moderation, StreamSelector, TelemetryEndpoint, TelemetryHeader
    from foundry_agents.rollout_settings import Rollout, SmokeTest
    from foundry_agents.toolbox import Toolbox
    from foundry_agents.tools import (
        A2A,
        AnyTool,
        AzureAISearch,
        CodeInterpreter,
        FileSearch,
        Mcp,
        OpenApi,
        Tool,
        WebSearch,
    )

__all__ = [
    "A2A",
    "AgentContract",
    "AgentImage",
    "AgentRegistry",
    "AgentRollout",
    "AnyTool",
    "AppInsights",
    "AzureAISearch",
    "CodeInterpreter",
    "CodePackage",
    "ConnectionSecret",
    "ExistingProject",
    "FileSearch",
    "FoundryProject",
    "HostedAgent",
    "HostedAgentVersion",
    "Mcp",
    "ModelDeployment",
    "Moderation",
    "OpenApi",
    "PrivateEndpoint",
    "Project",
    "ProjectConnection",
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
    "Tool",
    "Toolbox",
    "ToolboxVersion",
    "VectorStore",
    "WebSearch",
    "__version__",
    "export_contract",
]

_HOMES = {
    "A2A": "tools",
    "AgentContract": "contract",
    "AgentImage": "agent_image",
    "AgentRegistry": "agent_registry",
    "AgentRollout": "resources",
    "AnyTool": "tools",
    "AppInsights": "app_insights",
    "AzureAISearch": "tools",
    "CodeInterpreter": "tools",
    "CodePackage": "code_package",
    "ConnectionSecret": "connection_secret",
    "ExistingProject": "foundry_project",
    "FileSearch": "tools",
    "FoundryProject": "foundry_project",
    "HostedAgent": "hosted_agent",
    "HostedAgentVersion": "resources",
    "Mcp": "tools",
    "ModelDeployment": "model_deployment",
    "Moderation": "resources.inputs",
    "OpenApi": "tools",
    "PrivateEndpoint": "private_endpoint",
    "Project": "foundry_project",
    "ProjectConnection": "project_connection",
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
    "Tool": "tools",
    "Toolbox": "toolbox",
    "ToolboxVersion": "resources",
    "VectorStore": "resources",
    "WebSearch": "tools",
    "export_contract": "contract",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
