"""Reads untyped settings into dataclasses: every problem at once, each with its path, none with a value."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")

_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a map",
    list: "a list",
}


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
    hints = get_type_hints(kind)
    problems.extend(
        f"{path}.{key} is not a setting; settings: {', '.join(sorted(hints))}" for key in raw if key not in hints
    )
    given = {}
    for row in fields(kind):
        value = raw.get(row.name)
        if value is not None:
            try:
                given[row.name] = _value(hints[row.name], f"{path}.{row.name}", value, problems)
            except _Unusable:
                continue
        elif row.default is MISSING and row.default_factory is MISSING:
            problems.append(f"{path}.{row.name} is required")
    if len(problems) > before:
        raise _Unusable
    return kind(**given)


def _value(hint: Any, path: str, value: object, problems: list[str]) -> Any:
    (first, *_rest) = kinds = _alternatives(hint)
    if is_dataclass(first) and isinstance(first, type):
        return _settings(first, path, value, problems)
    if get_origin(first) is tuple:
        return _list(get_args(first)[0], path, value, problems)
    accepted = tuple(dict if get_origin(kind) is not None else kind for kind in kinds)
    if not any(_is_a(value, kind) for kind in accepted):
        problems.append(f"{path} must be {' or '.join(dict.fromkeys(_WORDS[kind] for kind in accepted))}")
        raise _Unusable
    return value


def _list(item: Any, path: str, value: object, problems: list[str]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        problems.append(f"{path} must be a list")
        raise _Unusable
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
    """The types of a union, without None."""
    if get_origin(hint) not in {Union, types.UnionType}:
        return [hint]
    return [kind for kind in get_args(hint) if kind is not type(None)]


def _is_a(value: object, kind: type) -> bool:
    # In Python true is also the number 1; in a settings file it is not.
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
