"""AgentRegistry: a container registry that a project's identity can pull from."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization, containerregistry

from foundry_agents.foundry_project import FoundryProject, Project
from foundry_agents.lifecycle.remedies import ACR_PULL
from foundry_agents.naming import role_assignment_name, unique_name


class AgentRegistry(pulumi.ComponentResource):
    """An Azure container registry, and the right to pull from it for the identity of a project.

    The policy that accepts ARM-audience tokens is switched on: without it every pull fails in spite of the right
    roles [observed]. The admin user is off.

    Args:
        name: Name of the component; its children are ``{name}-registry`` and ``{name}-pull``.
        pulled_by: The project whose agents run images from here.
        resource_group_name: Where to put it; None takes the project's own group.
        location: Azure region; None takes the resource group's.
        registry_name: 5 to 50 lower-case letters and digits, unique in all of Azure; None makes one from the stack.
        sku: Basic, Standard or Premium.
        tags: Tags for the registry.

    Attributes:
        login_server: Host that images are named by.
        resource_id: ARM id of the registry.
        pull_role: The role assignment; depend on it before the first pull.
    """

    login_server: Output[str]
    resource_id: Output[str]
    pull_role: authorization.RoleAssignment

    def __init__(
        self,
        name: str,
        *,
        pulled_by: FoundryProject | Project,
        resource_group_name: Input[str] | None = None,
        location: Input[str] | None = None,
        registry_name: str | None = None,
        sku: Input[str] = "Basic",
        tags: Mapping[str, str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("foundry-agents:index:AgentRegistry", name, None, opts)
        if resource_group_name is None:
            if not isinstance(pulled_by, FoundryProject):
                raise ValueError(f'AgentRegistry "{name}": resource_group_name is needed with an existing project')
            resource_group_name = pulled_by.resource_group_name
        registry = containerregistry.Registry(
            f"{name}-registry",
            registry_name=registry_name or unique_name(name, most=50, hyphens=False),
            resource_group_name=resource_group_name,
            location=location,
            sku=containerregistry.SkuArgs(name=sku),
            admin_user_enabled=False,
            policies=containerregistry.PoliciesArgs(
                azure_ad_authentication_as_arm_policy=containerregistry.AzureADAuthenticationAsArmPolicyArgs(
                    status=containerregistry.AzureADAuthenticationAsArmPolicyStatus.ENABLED,
                ),
            ),
            tags=tags,
            opts=ResourceOptions(parent=self),
        )
        principal_id = pulled_by.principal_id.apply(lambda known: _needed(known, name))
        self.pull_role = authorization.RoleAssignment(
            f"{name}-pull",
            role_assignment_name=Output.all(registry.id, principal_id).apply(
                lambda grant: role_assignment_name(grant[0], grant[1], ACR_PULL)
            ),
            scope=registry.id,
            principal_id=principal_id,
            principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
            role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}",
            opts=ResourceOptions(parent=self),
        )
        self.login_server = registry.login_server
        self.resource_id = registry.id.apply(lambda resource_id: resource_id)
        self.register_outputs({"login_server": self.login_server, "resource_id": self.resource_id})


def _needed(principal_id: str | None, registry: str) -> str:
    if not principal_id:
        raise ValueError(
            f'AgentRegistry "{registry}": the project\'s identity is not known; '
            "pass principal_id to FoundryProject.existing(…)"
        )
    return principal_id
