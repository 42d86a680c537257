"""What an agent needs to use tools: a toolbox, the environment variables that name it, and a role on the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_azure_native import authorization

from foundry_agents.grants.role_assignment import Role, grant_role
from foundry_agents.project.project import Project, project_scope
from foundry_agents.resources import AgentIdentity, HostedAgentVersion, ToolboxVersion
from foundry_agents.resources._plugin.tool_payloads import api_payloads
from foundry_agents.tools.toolbox import Toolbox
from foundry_agents.tools.tools import AnyTool

ENDPOINT_VARIABLE = "TOOLBOX_ENDPOINT"
NAME_VARIABLE = "TOOLBOX_NAME"
"""The names in samples and in Microsoft's own tools [docs]; the platform does not set them."""


def toolbox_of(
    name: str,
    tools: Sequence[AnyTool] | Toolbox | None,
    *,
    project: Project,
    toolbox_name: Input[str],
    take_over: Input[bool] | None,
    chosen: Sequence[str],
    opts: ResourceOptions,
) -> ToolboxVersion | None:
    """Return the toolbox version with these tools; None without any. ``opts`` apply where it is declared here."""
    if isinstance(tools, Toolbox):
        return tools.version
    if not tools:
        return None
    return ToolboxVersion(
        f"{name}-toolbox",
        project_endpoint=project.endpoint,
        toolbox_name=toolbox_name,
        tools=api_payloads(tools),
        take_over=take_over,
        chosen=chosen,
        opts=opts,
    )


def with_toolbox(
    environment: Mapping[str, Input[str]] | None, toolbox: ToolboxVersion | None
) -> Mapping[str, Input[str]] | None:
    """Return the container's variables, with the endpoint of exactly this version of the toolbox and its name.

    A variable of the same name that the program sets takes precedence.
    """
    if toolbox is None:
        return environment
    return {ENDPOINT_VARIABLE: toolbox.endpoint, NAME_VARIABLE: toolbox.toolbox_name, **(environment or {})}


def grant_toolbox_access(
    name: str, version: HostedAgentVersion, *, project: Project, parent: pulumi.Resource
) -> tuple[AgentIdentity, authorization.RoleAssignment]:
    """Grant the agent's own identity the role that toolboxes require, once it is known: Foundry User [docs]."""
    identity = AgentIdentity(
        f"{name}-identity",
        project_endpoint=project.endpoint,
        agent_name=version.agent_name,
        principal_id=version.principal_id,
        # Identity and role leave the program with the last tool. A destroy that the protected rollout refuses does not
        # reach them: the rollout depends on both.
        opts=ResourceOptions(parent=parent, protect=False),
    )
    needed_for = f'HostedAgent "{name}" with tools, unless grant_toolbox_role=False,'
    role = grant_role(
        f"{name}-toolbox-role",
        Role.FOUNDRY_USER,
        scope=project_scope(project, needed_for=needed_for),
        principal_id=identity.principal_id,
        principal_type="ServicePrincipal",
        # If a new version has another identity, the serving one keeps its role until the rollout is over: azure-native
        # would delete a role assignment of a given name first.
        opts=ResourceOptions(parent=parent, protect=False, delete_before_replace=False),
    )
    return identity, role
