"""Which agents the program of this run declares: every input that is checked belongs to a resource of the program.

The engine checks all that a program declares before it deletes what the program no longer does, and `pulumi destroy`
checks nothing. So a delete can tell a replacement or a rename from an agent that shall go.
"""

from __future__ import annotations

from collections.abc import Mapping

_declared: set[tuple[str, str]] = set()
"""Project endpoint and agent name. Of one process only: two instances of the provider do not know of each other."""


def declare(values: Mapping[str, object]) -> None:
    """Notes the agent that a resource of the program is about, if it is about one."""
    if (agent := _agent(values)) is not None:
        _declared.add(agent)


def is_declared(values: Mapping[str, object]) -> bool:
    """Whether the program of this run has a resource for the agent."""
    return _agent(values) in _declared


def _agent(values: Mapping[str, object]) -> tuple[str, str] | None:
    endpoint, name = values.get("project_endpoint"), values.get("agent_name")
    return (endpoint, name) if isinstance(endpoint, str) and isinstance(name, str) else None
