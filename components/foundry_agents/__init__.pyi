# The public names; __init__.py imports each when it is first used.

from . import errors
from ._version import __version__
from .agent.contract import AgentContract, PublishedAgent, PublishedProject, PublishedRegistry, export_contract
from .agent.hosted_agent import HostedAgent
from .image.agent_image import AgentImage
from .lifecycle.inputs.rollout_settings import Rollout, SmokeTest
from .lifecycle.inputs.version import Tier
from .lifecycle.schema.enums import AgentProtocol, Runtime
from .project.app_insights import AppInsights
from .project.connection import ProjectConnection
from .project.connection_secret import ConnectionSecret
from .project.existing_project import ExistingProject
from .project.foundry_project import FoundryProject
from .project.model_deployment import ModelDeployment
from .project.private_endpoint import PrivateEndpoint
from .project.project import Project
from .registry.agent_registry import AgentRegistry
from .registry.existing_registry import ExistingRegistry
from .registry.registry import Registry
from .resources import AgentRollout, HostedAgentVersion, ToolboxVersion, VectorStore
from .resources.inputs import Moderation, StreamSelector, TelemetryEndpoint, TelemetryHeader
from .sources.code_package import CodePackage
from .tools.toolbox import Toolbox
from .tools.tools import A2A, AnyTool, AzureAISearch, CodeInterpreter, FileSearch, Mcp, OpenApi, Tool, WebSearch

__all__ = [
    "A2A",
    "AgentContract",
    "AgentImage",
    "AgentProtocol",
    "AgentRegistry",
    "AgentRollout",
    "AnyTool",
    "AppInsights",
    "AzureAISearch",
    "CodeInterpreter",
    "CodePackage",
    "ConnectionSecret",
    "ExistingProject",
    "ExistingRegistry",
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
    "PublishedAgent",
    "PublishedProject",
    "PublishedRegistry",
    "Registry",
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
    "errors",
    "export_contract",
]
