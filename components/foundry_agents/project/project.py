"""Project: what agents, registries and connections need of a Foundry project, whether this stack manages it or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pulumi
from pulumi import Input, Output
from pulumi_azure_native import authorization

from foundry_agents.grants.role_assignment import Grants, PrincipalType, Role, principal_suffix
from foundry_agents.project.arm_id import ProjectPath


class Project(Protocol):
    """A Foundry project: a ``FoundryProject`` of this stack, an existing one, or one that another stack publishes."""

    @property
    def endpoint(self) -> Output[str]:
        """The data plane: ``https://….services.ai.azure.com/api/projects/NAME``."""
        ...

    @property
    def principal_id(self) -> Output[str | None]:
        """Object id of the project's own identity, which pulls images; None when not known."""
        ...

    @property
    def resource_id(self) -> Output[str | None]:
        """Its ARM id; None when not known."""
        ...

    @property
    def resource_group_name(self) -> Output[str] | None:
        """Its resource group; None when not known."""
        ...

    @property
    def label(self) -> str:
        """Its part in the names of Pulumi resources, as in ``{registry}-pull-{label}``."""
        ...

    @property
    def former_names(self) -> Sequence[str]:
        """Labels that it had before."""
        ...

    @property
    def identity_key(self) -> object:
        """Identity key: equal for two references to one project."""
        ...

    @property
    def deleted_with(self) -> pulumi.Resource | None:
        """The resource whose deletion deletes everything in the project; None where this stack does not manage it.

        Connections that are deleted one by one meet each other's 409, and leave a project that answers its own delete
        with 412 for some seconds [observed]: pulumi-azure-native#4693, terraform-provider-azurerm#32614.
        """
        ...

    @property
    def before_agents(self) -> Sequence[pulumi.Resource]:
        """Resources that must exist before the first agent."""
        ...

    @property
    def replacement_trigger(self) -> Output[str | None] | None:
        """Replaces the project's agents when it changes; None where a replaced project can't be noticed."""
        ...

    @property
    def unknown_identity_remedy(self) -> str:
        """What to do when ``principal_id`` is not known."""
        ...


class UnmanagedProject:
    """The parts of ``Project`` that are the same for every project that this stack does not manage."""

    resource_group_name: Output[str] | None = None
    former_names: Sequence[str] = ()
    deleted_with: pulumi.Resource | None = None
    before_agents: Sequence[pulumi.Resource] = ()
    replacement_trigger: Output[str | None] | None = None
    unknown_identity_remedy: str = "pass principal_id to FoundryProject.existing(…)"

    @property
    def label(self) -> str:
        """The same for all: such a project has no name in Pulumi."""
        return "project"

    @property
    def identity_key(self) -> object:
        """The object itself: nothing else is known to tell projects apart."""
        return self


def project_scope(project: Project, *, needed_for: str) -> Output[str]:
    """Return the ARM id of a project, as the scope of role assignments.

    Raises:
        pulumi.RunError: When the id is needed and not known; the text says what to pass.
    """

    def known(resource_id: str | None) -> str:
        ProjectPath.of(resource_id, needed_for=needed_for)
        return str(resource_id)

    return project.resource_id.apply(known)


def grant_agent_consumer(
    grants: Grants, project: Project, principal_id: Input[str], principal_type: PrincipalType, name: str | None
) -> authorization.RoleAssignment:
    """Grant a principal the role Foundry Agent Consumer on a project."""
    return grants.give(
        principal_suffix("invoke", principal_id, name),
        Role.FOUNDRY_AGENT_CONSUMER,
        scope=project_scope(project, needed_for="grant_invoke"),
        principal_id=principal_id,
        principal_type=principal_type,
    )
