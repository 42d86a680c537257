"""The tools that a program gives, as API payloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

import pulumi

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.schema.lists import is_list

SUBJECT = "the tools of a toolbox"


class HasPayload(Protocol):
    """Anything that has an API payload."""

    def inputs(self) -> dict[str, Any]:
        """Return the API payload of the tool, without what is not set."""
        ...


def api_payloads(tools: Sequence[object], *, may_be_raw: bool = False) -> list[dict[str, Any]]:
    """Return the API payload of each tool.

    Args:
        tools: The tools; a program need not have been through a type checker.
        may_be_raw: A mapping is an API payload, too.

    Raises:
        pulumi.RunError: When an item is not a tool or its settings exclude each other; the text lists all problems.
    """
    if not is_list(tools):
        _refuse([Problem("tools", f"expected a list, got {type(tools).__name__}; for example {_LIST_EXAMPLE}")])
    problems: list[Problem] = []
    found: list[dict[str, Any]] = []
    for position, tool in enumerate(tools):
        where = f"tools[{position}]"
        if may_be_raw and isinstance(tool, Mapping):
            found.append(dict(tool))
            continue
        if isinstance(tool, type) or not callable(getattr(tool, "inputs", None)):
            hint = _PAYLOAD_HINT if isinstance(tool, Mapping) else _TOOL_EXAMPLE
            problems.append(Problem(where, f"expected a tool, got {type(tool).__name__}; {hint}"))
            continue
        try:
            found.append(tool.inputs())
        except ValueError as error:
            problems.append(Problem(where, str(error)))
    if problems:
        _refuse(problems)
    return found


def _refuse(problems: Sequence[Problem]) -> NoReturn:
    raise pulumi.RunError(str(InputError(SUBJECT, problems)))


_LIST_EXAMPLE = "[CodeInterpreter(), Mcp(…)]"
_TOOL_EXAMPLE = "for example CodeInterpreter() or Mcp(…)"
_PAYLOAD_HINT = "Tool.of({…}) accepts the raw API payload"
