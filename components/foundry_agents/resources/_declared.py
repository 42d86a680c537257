"""What the program of this run declares: every input that is checked belongs to a resource of the program.

The engine checks all that a program declares before it deletes what the program no longer does, and `pulumi destroy`
checks nothing. So a delete can tell a replacement or a rename from a thing that shall go.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = ("agent_name", "toolbox_name", "store_name")
"""Inputs that say what a resource is about."""

_Thing = tuple[str, str, str]

_declared: set[_Thing] = set()
"""Project endpoint, kind and name. Of one process only: two instances of the provider do not know of each other."""


def declare(values: Mapping[str, object]) -> None:
    """Notes what a resource of the program is about."""
    if (thing := _thing(values)) is not None:
        _declared.add(thing)


def is_declared(values: Mapping[str, object]) -> bool:
    """Whether the program of this run has a resource for the same thing."""
    return _thing(values) in _declared


def _thing(values: Mapping[str, object]) -> _Thing | None:
    endpoint = values.get("project_endpoint")
    for kind in _NAMES:
        if isinstance(name := values.get(kind), str) and isinstance(endpoint, str):
            return endpoint, kind, name
    return None
