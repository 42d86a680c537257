"""Checks inputs against the SDK: unknown names, missing required ones, values of the wrong kind; all at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_emulator.fake_plugins import sdk
from foundry_emulator.fake_plugins.sdk import Shape
from foundry_emulator.fake_plugins.values import UNKNOWN, Plain


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of the inputs, at a property path."""

    path: str
    reason: str


def check_object(values: Mapping[str, Plain], shape: Shape, path: str = "") -> list[Problem]:
    """Return the problems of an object of this shape. Unknown values pass; nulls count as missing."""
    problems = [
        Problem(_below(path, name), f"missing required property '{name}'")
        for name in sorted(shape.required)
        if values.get(name) is None
    ]
    for name, value in values.items():
        annotation = shape.properties.get(name)
        if annotation is None:
            problems.append(Problem(_below(path, name), _unknown_name(name, shape)))
        elif value is not None:
            problems += check_value(value, annotation, _below(path, name))
    return problems


def check_value(value: Plain, annotation: object, path: str) -> list[Problem]:
    """Return the problems of a value of this type. Enums are open in Azure: any string passes."""
    if value is UNKNOWN:
        return []
    if isinstance(value, Mapping):
        return _check_map(value, annotation, path)
    if isinstance(value, list):
        item = sdk.item_type(annotation, Sequence)
        if item is None:
            return _wrong_kind(annotation, "a list", path)
        return [p for i, v in enumerate(value) if v is not None for p in check_value(v, item, f"{path}[{i}]")]
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    accepted = {_kind(member) for member in sdk.alternatives(annotation)}
    actual = kinds.get(type(value), "a value")
    return [] if actual in accepted or "anything" in accepted else _wrong_kind(annotation, actual, path)


def _check_map(value: Mapping[str, Plain], annotation: object, path: str) -> list[Problem]:
    shapes = sdk.objects(annotation)
    if shapes:
        # Of several possible types (connections have one for each way to authenticate) the closest is assumed.
        return min((check_object(value, shape, path) for shape in shapes), key=len)
    item = sdk.item_type(annotation, Mapping)
    if item is not None:
        return [p for k, v in value.items() if v is not None for p in check_value(v, item, _below(path, k))]
    if "anything" in {_kind(member) for member in sdk.alternatives(annotation)}:
        return []
    return _wrong_kind(annotation, "an object", path)


def _kind(member: object) -> str:
    if member is bool:
        return "a boolean"
    if member in (int, float):
        return "a number"
    if member is str or (isinstance(member, type) and issubclass(member, str)):
        return "a string"
    if sdk.objects(member) or sdk.item_type(member, Mapping):
        return "an object"
    if sdk.item_type(member, Sequence):
        return "a list"
    return "anything"


def _wrong_kind(annotation: object, actual: str, path: str) -> list[Problem]:
    expected = sorted({_kind(member) for member in sdk.alternatives(annotation)})
    return [] if "anything" in expected else [Problem(path, f"expected {' or '.join(expected)}, got {actual}")]


def _unknown_name(name: str, shape: Shape) -> str:
    near = difflib.get_close_matches(name, shape.properties, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"'{name}' is not a property of {shape.name}{hint}"


def _below(path: str, name: str) -> str:
    plain = name.replace("_", "a").replace("-", "a").isalnum()
    if not plain:
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name
