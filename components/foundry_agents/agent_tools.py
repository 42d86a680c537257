"""What an agent needs to use tools: its toolbox, the variables that lead there, and the role that lets it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization

from foundry_agents.foundry_project import FoundryProject, Project
from foundry_agents.naming import role_assignment_name
from foundry_agents.resources import AgentIdentity, HostedAgentVersion, ToolboxVersion
from foundry_agents.toolbox import Toolbox
from foundry_agents.tools import AnyTool, on_the_wire

FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
"""What an agent's identity needs to call a toolbox [docs]."""

ENDPOINT_VARIABLE = "TOOLBOX_ENDPOINT"
NAME_VARIABLE = "TOOLBOX_NAME"
"""What samples and Microsoft's own tools call them [docs]; nobody sets them but us."""


def toolbox_of(
    name: str,
    tools: Sequence[AnyTool] | Toolbox | None,
    *,
    project: FoundryProject | Project,
    toolbox_name: Input[str],
    take_over: Input[bool] | None,
    parent: pulumi.Resource,
) -> ToolboxVersion | None:
    """The toolbox version with these tools; None without any."""
    if isinstance(tools, Toolbox):
        return tools.version
    if not tools:
        return None
    return ToolboxVersion(
        f"{name}-toolbox",
        project_endpoint=project.endpoint,
        toolbox_name=toolbox_name,
        tools=on_the_wire(tools),
        take_over=take_over,
        opts=ResourceOptions(parent=parent),
    )


def with_toolbox(
    environment: Mapping[str, Input[str]] | None, toolbox: ToolboxVersion | None
) -> Mapping[str, Input[str]] | None:
    """The container's variables, with the ones that lead to exactly this version of the toolbox.

    A variable of the same name that the program sets itself wins.
    """
    if toolbox is None:
        return environment
    return {ENDPOINT_VARIABLE: toolbox.endpoint, NAME_VARIABLE: toolbox.toolbox_name, **(environment or {})}


def let_in(
    name: str, version: HostedAgentVersion, *, project: FoundryProject | Project, parent: pulumi.Resource
) -> tuple[AgentIdentity, authorization.RoleAssignment]:
    """Gives the agent's own identity the role that toolboxes ask for, as soon as it is known."""
    identity = AgentIdentity(
        f"{name}-identity",
        project_endpoint=project.endpoint,
        agent_name=version.agent_name,
        principal_id=version.principal_id,
        opts=ResourceOptions(parent=parent),
    )
    scope = project.resource_id.apply(lambda known: _needed(known, name))
    role = authorization.RoleAssignment(
        f"{name}-toolbox-role",
        role_assignment_name=Output.all(scope, identity.principal_id).apply(
            lambda grant: role_assignment_name(grant[0], grant[1], FOUNDRY_USER)
        ),
        scope=scope,
        principal_id=identity.principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{FOUNDRY_USER}",
        opts=ResourceOptions(parent=parent),
    )
    return identity, role


def _needed(resource_id: str | None, agent: str) -> str:
    if not resource_id:
        raise ValueError(
            f"HostedAgent \"{agent}\": the project's ARM id is not known, so the agent can't be given the role that "
            "toolboxes ask for; pass resource_id to FoundryProject.existing(…), or grant_toolbox_role=False"
        )
    return resource_id
