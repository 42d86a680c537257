"""Names that Azure asks for, made from what a stack knows: the same on every run, different in every stack."""

from __future__ import annotations

import hashlib
import re
import uuid

import pulumi

_ROLE_NAMESPACE = uuid.UUID("6f2b4a52-8c0e-5d0c-9a43-5f0a4e4d9b1e")
"""Makes names of role assignments; part of what is in users' state, so it never changes."""


def role_assignment_name(scope: str, principal_id: str, role: str) -> str:
    """A GUID that is the same for the same grant, so that a second run finds the first one's assignment."""
    return str(uuid.uuid5(_ROLE_NAMESPACE, f"{scope.lower()}|{principal_id.lower()}|{role.lower()}"))


def unique_name(name: str, *, most: int, hyphens: bool = True) -> str:
    """A name for resources that share one name space with all of Azure: host names and registries.

    ``name``, the stack and six hexadecimal digits of organization/project/stack/name; cut to ``most`` characters.
    """
    stack = pulumi.get_stack()
    origin = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}/{name}"
    tail = hashlib.sha256(origin.encode()).hexdigest()[:6]
    joint = "-" if hyphens else ""
    allowed = r"[^a-z0-9-]" if hyphens else r"[^a-z0-9]"
    head = re.sub(allowed, "", f"{name}{joint}{stack}".lower()).strip("-")
    return f"{head[: most - len(joint) - len(tail)].rstrip('-')}{joint}{tail}"
