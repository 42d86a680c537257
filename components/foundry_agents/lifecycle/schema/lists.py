"""Lists as programs write them: a text is a `Sequence[str]` to a type checker, and never what is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MappingView, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeGuard

from foundry_agents.lifecycle.failure.errors import Problem


def is_list(value: object) -> TypeGuard[Iterable[Any]]:
    """Return whether a value has several items: a list, tuple, set or iterator, but not a text, a mapping or an output.

    An output of Pulumi's has the method ``__iter__``, which raises.
    """
    return isinstance(value, (Sequence, AbstractSet, Iterator, MappingView)) and not isinstance(
        value, (str, bytes, bytearray, memoryview)
    )


def not_a_list(noun: str, value: object) -> str:
    """Return the sentence about a value where a list is meant; it never holds the value.

    Args:
        noun: What the items are: "file ids".
        value: What was given instead.
    """
    if isinstance(value, str):
        return f"must be a list of {noun}, not one text: put it in brackets"
    return f"must be a list of {noun}, got {type(value).__name__}"


def listed(path: str, value: object, noun: str, problems: list[Problem]) -> list[Any]:
    """Return the items of a list that a program gives; anything else adds a problem and has no items.

    Args:
        path: The property path, for the problem.
        value: What the program gives; it need not have been through a type checker.
        noun: What the items are: "paths".
        problems: Where the problem goes.
    """
    if is_list(value):
        return list(value)
    problems.append(Problem(path, not_a_list(noun, value)))
    return []


def list_or_as_is(value: object) -> Any:
    """Return a list of the items, and anything else as it is: check refuses a text, and Pulumi resolves an output."""
    return list(value) if is_list(value) else value
