"""Role assignments as rights: which principal has which role at which scope."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId, above
from foundry_emulator.arm.roles import (
    ASSIGNS_ROLES,
    FOUNDRY_PROJECT_MANAGER,
    FOUNDRY_USER,
    WRITES_RESOURCES,
    role_guid,
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One role assignment, normalised for lookups.

    Attributes:
        principal_id: Object id, lower case.
        role: GUID of the role, lower case.
        scope: Key of the scope, lower case.
        counts_from: Unix seconds from which it is in effect.
    """

    principal_id: str
    role: str
    scope: str
    counts_from: float


class Access:
    """The rights that a set of role assignments grants.

    Args:
        assignments: All role assignments.
        clock: Unix seconds.
    """

    def __init__(self, assignments: Iterable[Assignment], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_principal: dict[str, list[Assignment]] = {}
        for assignment in assignments:
            self._by_principal.setdefault(assignment.principal_id, []).append(assignment)

    def has_role(self, principal_id: str, roles: Collection[str], scope_id: str) -> bool:
        """Return whether a principal has one of the roles at a scope or anywhere above it, now."""
        held = self._by_principal.get(principal_id.lower())
        if not held:
            return False
        now = self._clock()
        scopes = set(above(scope_id))
        return any(a.role in roles and a.scope in scopes and a.counts_from <= now for a in held)

    def check_write(self, principal_id: str, rid: ResourceId, action: str, body: Json) -> None:
        """Refuse a principal that may not write or delete a resource.

        [modelled] Azure looks for the action in every role; here Owner and Contributor write
        resources, and Owner, User Access Administrator and RBAC Administrator assign roles. A Foundry Project
        Manager assigns Foundry User [docs].

        Raises:
            ArmError: 403 AuthorizationFailed, with Azure's text [docs].
        """
        if rid.type == ids.ROLE_ASSIGNMENT:
            roles = set(ASSIGNS_ROLES)
            if role_guid(text(section(body, "properties"), "roleDefinitionId")) == FOUNDRY_USER:
                roles.add(FOUNDRY_PROJECT_MANAGER)
            allowed = self.has_role(principal_id, roles, rid.scope)
        else:
            allowed = self.has_role(principal_id, WRITES_RESOURCES, rid.id)
        if not allowed:
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{principal_id}' with object id '{principal_id}' does not have authorization to "
                f"perform action '{rid.type}/{action}' over scope '{rid.id}' or the scope is invalid. If access "
                "was recently granted, please refresh your credentials.",
            )
