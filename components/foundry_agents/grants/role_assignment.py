"""Roles and their assignments: by GUID, named the same on every run, each given once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization

from foundry_agents.grants.naming import role_assignment_name
from foundry_agents.lifecycle import roles

PrincipalType = Literal["ServicePrincipal", "User", "Group"]
"""Kind of a principal. With it Azure accepts a new identity that its directory does not list yet [docs]."""


class Role(StrEnum):
    """Built-in roles by GUID: their names have changed before [docs]."""

    ACR_PULL = roles.ACR_PULL
    ACR_PUSH = roles.ACR_PUSH
    REPOSITORY_READER = roles.REPOSITORY_READER
    REPOSITORY_WRITER = roles.REPOSITORY_WRITER
    FOUNDRY_USER = roles.FOUNDRY_USER
    FOUNDRY_AGENT_CONSUMER = roles.FOUNDRY_AGENT_CONSUMER


def grant_role(
    name: str,
    role: Role,
    *,
    scope: Input[str],
    principal_id: Input[str],
    principal_type: PrincipalType,
    opts: ResourceOptions,
) -> authorization.RoleAssignment:
    """Assign a role; the assignment's name is a GUID made of scope, principal and role.

    It is protected with its component: Pulumi refuses a destroy resource by resource, so a destroy that a protected
    component refuses would otherwise still delete the role assignments.

    Args:
        name: Name of the resource in Pulumi.
        role: The role.
        scope: ARM id of the resource that the role is assigned on.
        principal_id: Object id of the principal.
        principal_type: What kind of principal it is.
        opts: Options, including the parent.
    """
    return authorization.RoleAssignment(
        name,
        role_assignment_name=Output.all(scope, principal_id).apply(
            lambda grant: _name_of(name, grant[0], grant[1], role)
        ),
        scope=scope,
        principal_id=principal_id,
        principal_type=principal_type,
        role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        opts=opts,
    )


def _name_of(resource: str, scope: str | None, principal_id: str | None, role: Role) -> str:
    """Return the name of the assignment.

    Raises:
        pulumi.RunError: When scope or principal is unknown: a run with targets skips the resource that has it.
    """
    if not scope or not principal_id:
        missing = "the principal" if scope else "the scope"
        raise pulumi.RunError(
            f'role assignment "{resource}" can\'t be created: {missing} is not known, because the resource that has '
            "it is not in state. Run `pulumi up` without --target and --exclude"
        )
    return role_assignment_name(scope, principal_id, role)


@dataclass(frozen=True)
class _Given:
    """One assignment: the role and its principal."""

    role: Role
    to: object
    assignment: authorization.RoleAssignment


class Grants:
    """The role assignments of one component. Granting the same role twice returns the same assignment.

    Args:
        parent: The component; None for a project that this stack does not manage.
        name: Prefix of the assignments' names.
    """

    def __init__(self, parent: pulumi.Resource | None, name: str) -> None:
        self._parent = parent
        self._name = name
        self._given: dict[str, _Given] = {}

    def give(
        self,
        suffix: str,
        role: Role,
        *,
        scope: Input[str],
        principal_id: Input[str],
        principal_type: PrincipalType = "ServicePrincipal",
        to: object = None,
        opts: ResourceOptions | None = None,
    ) -> authorization.RoleAssignment:
        """Assign a role, or return the existing assignment of it.

        Args:
            suffix: The assignment is called ``{component}-{suffix}``.
            role: The role.
            scope: ARM id of the resource that the role is assigned on.
            principal_id: Object id of the principal.
            principal_type: What kind of principal it is.
            to: Identity key of the principal in the program, to tell a repetition from a clash of names; default
                ``principal_id``.
            opts: More options.

        Raises:
            pulumi.RunError: When another principal has that suffix.
        """
        who = principal_id if to is None else to
        if isinstance(who, str):
            who = who.lower()
            for given in self._given.values():
                if given.role is role and given.to == who:
                    return given.assignment
        if suffix in self._given:
            holder = self._given[suffix]
            if holder.to is who:
                return holder.assignment
            raise pulumi.RunError(
                f'"{self._name}-{suffix}" is a grant for another principal already; give this one another name: name=…'
            )
        below = ResourceOptions.merge(opts, ResourceOptions(parent=self._parent))
        assignment = grant_role(
            f"{self._name}-{suffix}",
            role,
            scope=scope,
            principal_id=principal_id,
            principal_type=principal_type,
            opts=below,
        )
        self._given[suffix] = _Given(role, who, assignment)
        return assignment


def principal_suffix(verb: str, principal_id: Input[str], name: str | None) -> str:
    """Return the suffix of a grant's name: its name, else the principal's id where that is known now, else the verb.

    The number of calls so far is not part of it, so that removing one grant does not rename the others.
    """
    if name is not None:
        return f"{verb}-{name}"
    return f"{verb}-{principal_id.lower()}" if isinstance(principal_id, str) else verb
