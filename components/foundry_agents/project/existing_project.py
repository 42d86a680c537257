"""ExistingProject: a project that this stack uses and does not manage."""

from __future__ import annotations

from dataclasses import dataclass, field

from pulumi import Input, Output
from pulumi_azure_native import authorization

from foundry_agents.grants.role_assignment import Grants, PrincipalType
from foundry_agents.project.project import UnmanagedProject, grant_agent_consumer


@dataclass(frozen=True)
class ExistingProject(UnmanagedProject):
    """A project that this stack does not manage: the stack creates, changes and deletes nothing of it.

    Attributes:
        endpoint: Its data plane.
        principal_id: Object id of its identity; None when not known.
        resource_id: Its ARM id; None when not known.
        name: Its part in the names of grants in Pulumi.
        address: Its data plane, where the program knows it as a plain string.
    """

    endpoint: Output[str]
    principal_id: Output[str | None]
    resource_id: Output[str | None]
    name: str = "project"
    address: str | None = None
    _grants: dict[str, Grants] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def label(self) -> str:
        """Its ``name``."""
        return self.name

    @property
    def identity_key(self) -> object:
        """The address where the program knows it; else the object itself."""
        return self.address or self

    def grant_invoke(
        self, principal_id: Input[str], *, principal_type: PrincipalType = "ServicePrincipal", name: str | None = None
    ) -> authorization.RoleAssignment:
        """Allow a principal to call every agent of the project; see ``FoundryProject.grant_invoke``."""
        grants = self._grants.setdefault("invoke", Grants(None, self.name))
        return grant_agent_consumer(grants, self, principal_id, principal_type, name)
