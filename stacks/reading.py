"""Reads untyped settings into dataclasses: every problem at once, each with its path, none with a value."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pulumi

_T = TypeVar("_T")

_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a map",
    list: "a list",
}
_SHAPES: Mapping[Any, type] = {Mapping: dict, tuple: list, Sequence: list}
"""What a generic type is in a file."""
READ = "read"
"""In the metadata of a field that its annotation does not describe: what reads it, of path, value and problems."""
_NAMES: dict[str, Any] = {"Output": pulumi.Output, "T": Any}
"""Pulumi's `Input` says `Output[T]` as text, and typing looks for the names where the input is declared."""


class _Unusable(Exception):
    """Nothing could be made of a value; the problems say why."""


def read(kind: type[_T], path: str, raw: object, problems: list[str]) -> _T | None:
    """Reads a map of settings as the dataclass ``kind``; its annotations say what is accepted.

    Null is the same as not given. A value is never shown: it may be a secret that stands in the wrong place.

    Returns:
        None when there were problems.
    """
    try:
        made: _T = _settings(kind, path, raw, problems)
    except _Unusable:
        return None
    return made


def _settings(kind: type[Any], path: str, raw: object, problems: list[str]) -> Any:
    if not isinstance(raw, dict):
        problems.append(f"{path} must be a map of settings")
        raise _Unusable
    before = len(problems)
    hints = get_type_hints(kind, localns=_NAMES)
    problems.extend(
        f"{path}.{key} is not a setting; settings: {', '.join(sorted(hints))}" for key in raw if key not in hints
    )
    given = {}
    for row in fields(kind):
        value = raw.get(row.name)
        if value is not None:
            try:
                read_it = row.metadata.get(READ) or partial(_value, hints[row.name])
                given[row.name] = read_it(f"{path}.{row.name}", value, problems)
            except _Unusable:
                continue
        elif row.default is MISSING and row.default_factory is MISSING:
            problems.append(f"{path}.{row.name} is required")
    if len(problems) > before:
        raise _Unusable
    return kind(**given)


def _value(hint: Any, path: str, value: object, problems: list[str]) -> Any:
    kinds = _alternatives(hint)
    if any(kind is Any for kind in kinds):
        return value
    if is_dataclass(kinds[0]) and isinstance(kinds[0], type):
        return _settings(kinds[0], path, value, problems)
    for kind in kinds:
        if not _is_a(value, _shape(kind)):
            continue
        if isinstance(value, list):
            return _list(get_args(kind)[0], path, value, problems)
        if isinstance(value, dict) and get_args(kind)[1] is str:
            wrong = [name for name, inner in value.items() if not isinstance(inner, str)]
            problems.extend(f"{path}.{name} must be text: put the value in quotes" for name in wrong)
        return value
    problems.append(f"{path} must be {' or '.join(dict.fromkeys(_WORDS[_shape(kind)] for kind in kinds))}")
    raise _Unusable


def _list(item: Any, path: str, value: list[object], problems: list[str]) -> tuple[Any, ...]:
    found, before = [], len(problems)
    for place, inner in enumerate(value):
        try:
            found.append(_value(item, f"{path}[{place}]", inner, problems))
        except _Unusable:
            continue
    if len(problems) > before:
        raise _Unusable
    return tuple(found)


def _alternatives(hint: Any) -> list[Any]:
    """The types of a union that a file can hold: without None, and without what only a program has."""
    kinds = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    return [kind for kind in kinds if kind is Any or is_dataclass(kind) or _shape(kind) in _WORDS]


def _shape(kind: Any) -> Any:
    return _SHAPES.get(get_origin(kind), kind)


def _is_a(value: object, kind: type) -> bool:
    # In Python true is also the number 1; in a settings file it is not.
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
