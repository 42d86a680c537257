"""Names of Azure resources: generated from the stack when a resource is created, and kept from then on."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence

import pulumi

_ROLE_NAMESPACE = uuid.UUID("6f2b4a52-8c0e-5d0c-9a43-5f0a4e4d9b1e")
"""Namespace of the names of role assignments; those are in users' state, so it never changes."""


def role_assignment_name(scope: str, principal_id: str, role: str) -> str:
    """Return a GUID that is the same for the same grant, so that a second run finds the first one's assignment."""
    return str(uuid.uuid5(_ROLE_NAMESPACE, f"{scope.lower()}|{principal_id.lower()}|{role.lower()}"))


def unique_name(name: str, *, most: int, hyphens: bool = True) -> str:
    """Return a name for resources whose names are unique in all of Azure: host names and registries.

    It consists of ``name``, the stack and six hexadecimal digits of organization/project/stack/name, cut to ``most``
    characters. It changes with stack, organization, project and component, so use it with :func:`chosen_once`.
    """
    stack = pulumi.get_stack()
    origin = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}/{name}"
    tail = hashlib.sha256(origin.encode()).hexdigest()[:6]
    joint = "-" if hyphens else ""
    allowed = r"[^a-z0-9-]" if hyphens else r"[^a-z0-9]"
    head = re.sub(allowed, "", f"{name}{joint}{stack}".lower()).strip("-")
    return f"{head[: most - len(joint) - len(tail)].rstrip('-')}{joint}{tail}"


def former_names(opts: pulumi.ResourceOptions | None) -> list[str]:
    """Return the former names of a component, from its aliases."""
    aliases = opts.aliases if opts and isinstance(opts.aliases, Sequence) else []
    return [alias.name for alias in aliases if isinstance(alias, pulumi.Alias) and isinstance(alias.name, str)]


def chosen_once(given: Mapping[str, object | None]) -> pulumi.ResourceOptions:
    """Return options that keep a name which the program did not give: it is chosen only when the resource is created.

    So renaming a stack, project, organization or component replaces nothing, as with Pulumi's own auto-names. Changing
    a name that the program gives replaces the resource. A resource that is replaced for another reason gets a new name.

    Args:
        given: The program's value by input path in Pulumi's spelling (``accountName``); None for a chosen name.
    """
    return pulumi.ResourceOptions(ignore_changes=[path for path, name in given.items() if name is None])
