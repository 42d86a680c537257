"""Names that Azure asks for: made from what a stack knows when a resource is made, and kept from then on."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence

import pulumi

_ROLE_NAMESPACE = uuid.UUID("6f2b4a52-8c0e-5d0c-9a43-5f0a4e4d9b1e")
"""Makes names of role assignments; part of what is in users' state, so it never changes."""


def role_assignment_name(scope: str, principal_id: str, role: str) -> str:
    """A GUID that is the same for the same grant, so that a second run finds the first one's assignment."""
    return str(uuid.uuid5(_ROLE_NAMESPACE, f"{scope.lower()}|{principal_id.lower()}|{role.lower()}"))


def unique_name(name: str, *, most: int, hyphens: bool = True) -> str:
    """A name for resources that share one name space with all of Azure: host names and registries.

    It changes with stack, organization, project and component, so it goes with :func:`chosen_once`.

    ``name``, the stack and six hexadecimal digits of organization/project/stack/name; cut to ``most`` characters.
    """
    stack = pulumi.get_stack()
    origin = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}/{name}"
    tail = hashlib.sha256(origin.encode()).hexdigest()[:6]
    joint = "-" if hyphens else ""
    allowed = r"[^a-z0-9-]" if hyphens else r"[^a-z0-9]"
    head = re.sub(allowed, "", f"{name}{joint}{stack}".lower()).strip("-")
    return f"{head[: most - len(joint) - len(tail)].rstrip('-')}{joint}{tail}"


def former_names(opts: pulumi.ResourceOptions | None) -> list[str]:
    """What a component was called before, by its aliases."""
    aliases = opts.aliases if opts and isinstance(opts.aliases, Sequence) else []
    return [alias.name for alias in aliases if isinstance(alias, pulumi.Alias) and isinstance(alias.name, str)]


def chosen_once(given: Mapping[str, object | None]) -> pulumi.ResourceOptions:
    """Options that keep a name which the program did not give: it is chosen when the resource is made, never later.

    So a renamed stack, project, organization or component replaces nothing, as with Pulumi's own auto-names. A name
    that the program does give can change, and then replaces. A resource that is replaced for another reason is a new
    one, and takes a new name.

    Args:
        given: By input path, in Pulumi's words (``accountName``): what the program gave for it; None chooses a name.
    """
    return pulumi.ResourceOptions(ignore_changes=[path for path, name in given.items() if name is None])
