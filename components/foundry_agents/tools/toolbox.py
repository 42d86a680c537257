"""Toolbox: tools that agents of a project share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions

from foundry_agents.project.project import Project
from foundry_agents.resources import ToolboxVersion
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources._plugin.tool_payloads import api_payloads
from foundry_agents.tools.tools import AnyTool


class Toolbox(pulumi.ComponentResource):
    """Tools of one or more agents: ``HostedAgent(tools=toolbox)``; its child is ``{name}-toolbox``.

    A change creates a new version of the toolbox, and a new version of every agent that uses it, each rolled out by its
    own steps. A former version stays as long as a version of an agent calls it.

    Args:
        name: Name of the component and, unless ``toolbox_name`` says otherwise, of the toolbox.
        project: The project that it lives in.
        tools: ``[CodeInterpreter(), Mcp("docs", "https://…"), …]``, in any order.
        toolbox_name: Name in the project: 1 to 63 letters, digits and hyphens.
        description: At most 512 characters.
        metadata: Up to 12 pairs of your own.
        promote: Make each new version the default, which the toolbox's endpoint without a version serves; default True.
            Agents of this library call a fixed version in any case.
        take_over: Manage a toolbox that exists and that this stack has not created.
        readable: Paths of texts that look like credentials and are none, as the error names them:
            ``["tools.docs.headers.x-key"]``.

    Attributes:
        version: The version with these tools.
        toolbox_name: Name in the project.
        endpoint: MCP endpoint of this version.
        default_endpoint: MCP endpoint of the default version.
    """

    version: ToolboxVersion
    toolbox_name: Output[str]
    endpoint: Output[str]
    default_endpoint: Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        tools: Sequence[AnyTool],
        toolbox_name: Input[str] | None = None,
        description: Input[str] | None = None,
        metadata: Mapping[str, Input[str]] | None = None,
        promote: Input[bool] | None = None,
        take_over: Input[bool] | None = None,
        readable: Sequence[str] = (),
        opts: ResourceOptions | None = None,
    ) -> None:
        plain.reject_problems(
            plain.subject_of("Toolbox", name), plain.texts(name=name), plain.projects("project", project)
        )
        super().__init__("foundry-agents:index:Toolbox", name, None, opts)
        self.version = ToolboxVersion(
            f"{name}-toolbox",
            project_endpoint=project.endpoint,
            toolbox_name=toolbox_name or name,
            tools=api_payloads(tools),
            description=description,
            metadata=metadata,
            promote=promote,
            take_over=take_over,
            readable=readable,
            chosen=() if toolbox_name else ("toolbox_name",),
            # Every change replaces it, and Pulumi replaces no protected resource.
            opts=ResourceOptions(parent=self, protect=False),
        )
        self.toolbox_name = self.version.toolbox_name
        self.endpoint = self.version.endpoint
        self.default_endpoint = self.version.default_endpoint
        self.register_outputs({"endpoint": self.endpoint})
