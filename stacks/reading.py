"""Reads settings into dataclasses with cattrs: reports every problem at once, each with its path, none with a value."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pulumi
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    override,
)
from cattrs.cols import homogenous_tuple_structure_factory, is_mapping, is_sequence, mapping_structure_factory
from cattrs.gen import make_dict_structure_fn

_T = TypeVar("_T")

_Hook = Callable[[Any, Any], Any]

STRUCTURE = "structure"
"""The key of a field's cattrs hook in its metadata, for a field that its annotation does not describe."""

_NAMES: dict[str, Any] = {"Output": pulumi.Output, "T": Any}
"""Pulumi's `Input` refers to `Output[T]` by name, and typing resolves names in the module that declares the input."""


class Refused(Exception):
    """A value can't be used.

    Attributes:
        problems: Each continues the path of the value, and never contains the value itself.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


class WrongType(Refused):
    """A value has another type than its setting.

    Attributes:
        expected: What the setting accepts, for a message.
    """

    def __init__(self, expected: str, remedy: str = "") -> None:
        super().__init__(f" must be {expected}{remedy}")
        self.expected = expected


def read(kind: type[_T], path: str, raw: object, problems: list[str]) -> _T | None:
    """Read a map of settings as the dataclass ``kind``, whose annotations say what is accepted.

    Null means that a setting is not set. No message shows a value, because it may be a secret in the wrong place.

    Args:
        kind: The dataclass.
        path: The path of the map in the stack's file.
        raw: The map from the file.
        problems: Gets each problem with its path.

    Returns:
        None if there are problems.
    """
    try:
        return _CONVERTER.structure(raw, kind)
    except (Refused, BaseValidationError) as error:
        problems.extend(f"{path}{problem}" for problem in _problems(error))
        return None


def checked(raw: object, kind: type[_T], expected: str) -> _T:
    """Return a value of exactly this type.

    Raises:
        WrongType: It has another type. A boolean is not a number here, although it is in Python.
    """
    if type(raw) is not kind:
        raise WrongType(expected)
    return raw


def _problems(error: Exception) -> Iterator[str]:
    """Yield each problem as a text that continues the path of the value."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        located, others = error.group_exceptions()
        for inner, note in located:
            place = note.name if isinstance(note, AttributeValidationNote) else note.index
            step = f"[{place}]" if isinstance(place, int) else f".{place}"
            yield from (f"{step}{problem}" for problem in _problems(inner))
        for inner in others:
            yield from _problems(inner)
    elif isinstance(error, ForbiddenExtraKeysError):
        settings = ", ".join(sorted(row.name for row in fields(error.cl)))
        yield from (f".{key} is not a setting; settings: {settings}" for key in error.extra_fields)
    elif isinstance(error, KeyError):
        yield " is required"
    elif isinstance(error, Refused):
        yield from error.problems
    else:
        raise error  # a mistake of this program, not of the file


def _scalar(expected: str, *accepted: type, remedy: str = "") -> _Hook:
    def structure(raw: object, _: object) -> object:
        if type(raw) in accepted:  # exactly: in Python, true is also the number 1
            return raw
        raise WrongType(expected, remedy if type(raw) in {bool, int, float} else "")

    return structure


_SCALARS: Mapping[type, _Hook] = {
    str: _scalar("text", str, remedy=": put the value in quotes"),
    int: _scalar("a whole number", int),
    float: _scalar("a number", int, float),
    bool: _scalar("true or false", bool),
}


def _settings(kind: type[Any], converter: Converter) -> _Hook:
    rows = fields(kind)
    hints = get_type_hints(kind, localns=_NAMES)
    for row in rows:
        row.type = hints[row.name]  # cattrs can't resolve the names in Pulumi's `Input` itself
    hooks: Any = {row.name: override(struct_hook=row.metadata[STRUCTURE]) for row in rows if STRUCTURE in row.metadata}
    structure = make_dict_structure_fn(kind, converter, **hooks)
    names = {row.name for row in rows}

    def from_map(raw: object, _: object) -> Any:
        settings = checked(raw, dict, "a map of settings")
        given = {key: value for key, value in settings.items() if value is not None or key not in names}
        return structure(given, kind)

    return from_map


def _list(kind: Any, converter: Converter) -> _Hook:
    each: Any = types.GenericAlias(tuple, (get_args(kind)[0], ...))
    structure = homogenous_tuple_structure_factory(each, converter)
    return lambda raw, _: structure(checked(raw, list, "a list"), each)


def _map(kind: Any, converter: Converter) -> _Hook:
    """Check the values of a map of texts; the components check all others."""
    if get_args(kind)[1] is not str:
        return lambda raw, _: checked(raw, dict, "a map")
    structure = mapping_structure_factory(kind, converter)
    return lambda raw, _: structure(checked(raw, dict, "a map"), kind)


def _union(kind: Any, converter: Converter) -> _Hook:
    """Read a value as the first type that accepts it, without None and types that a file can't contain, as Output."""
    kinds: list[Any] = [
        one for one in get_args(kind) if one in _KINDS or is_dataclass(one) or is_sequence(one) or is_mapping(one)
    ]

    def structure(raw: object, _: object) -> object:
        errors = []
        for one in kinds:
            try:
                return converter.structure(raw, one)
            except WrongType as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        raise WrongType(" or ".join(dict.fromkeys(error.expected for error in errors)))

    return structure


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, types.UnionType}


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind, hook in _SCALARS.items():
        converter.register_structure_hook(kind, hook)
    for applies, factory in ((is_dataclass, _settings), (is_sequence, _list), (is_mapping, _map), (_is_union, _union)):
        converter.register_structure_hook_factory(applies, factory)
    return converter


_KINDS = frozenset({*_SCALARS, Any})
_CONVERTER = _converter()
