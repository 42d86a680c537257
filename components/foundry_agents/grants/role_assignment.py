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
"""What a principal is. Azure looks a new identity up by it, and refuses one it can't find yet without it [docs]."""


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
    """Assigns a role; the assignment's name is a GUID made of scope, principal and role.

    It is protected with its component: Pulumi refuses a destroy resource by resource, so one that the component refuses
    would otherwise still take the rights away.

    Args:
        name: Name of the resource in Pulumi.
        role: What is given.
        scope: ARM id of what it is given on.
        principal_id: Object id of who gets it.
        principal_type: What that is.
        opts: Options; the parent above all.
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
    """Names the assignment, where it is known what it is on and who gets it.

    Raises:
        pulumi.RunError: One of them is not there: in a run with targets, what it comes from is not made.
    """
    if not scope or not principal_id:
        missing = "who gets the role" if scope else "what it is on"
        raise pulumi.RunError(
            f'"{resource}" can\'t be assigned: {missing} is not known, because the resource that says it is not in '
            "state. Run `pulumi up` without --target and --exclude"
        )
    return role_assignment_name(scope, principal_id, role)


@dataclass(frozen=True)
class _Given:
    """One assignment: which role, to whom."""

    role: Role
    to: object
    assignment: authorization.RoleAssignment


class Grants:
    """The role assignments of one component, on one scope. A grant that is asked for again is the one that is there.

    Args:
        parent: The component; None for what no component of this stack manages.
        name: What the assignments are named after.
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
        """Assigns a role, or returns the assignment that there is of it.

        Args:
            suffix: The assignment is called ``{component}-{suffix}``.
            role: What is given.
            scope: ARM id of what it is given on.
            principal_id: Object id of who gets it.
            principal_type: What that is.
            to: Who it is in the program, to tell a repetition from a clash of names; default ``principal_id``.
            opts: More options.

        Raises:
            pulumi.RunError: The suffix is taken by another principal.
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
                f'"{self._name}-{suffix}" is a grant for another principal already; give this one a name of its own: '
                "name=…"
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
    """What a grant is called: its name, else the principal's id where that is known now, else the verb alone.

    The number of calls so far is no part of it: taking one grant away leaves the others alone.
    """
    if name is not None:
        return f"{verb}-{name}"
    return f"{verb}-{principal_id.lower()}" if isinstance(principal_id, str) else verb
