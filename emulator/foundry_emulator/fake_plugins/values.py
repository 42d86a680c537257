"""Conversion between Pulumi's property values and plain JSON.

A plain value is JSON, with :data:`UNKNOWN` where a value is known only after the update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.runtime import rpc

Plain = object
Properties = Mapping[str, PropertyValue]


class _Unknown:
    """A value that is not known yet."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()

# The engine encodes an unknown as a special string. The SDK's PropertyValue neither reads nor writes
# it (it can't marshal its own Computed), so this module does.
_UNKNOWN_ON_THE_WIRE = rpc.UNKNOWN


def plain(value: PropertyValue) -> Plain:
    """Return the JSON of a property value, secrets included; whole numbers become ints again."""
    inner = value.value
    if isinstance(inner, Computed) or inner == _UNKNOWN_ON_THE_WIRE:
        return UNKNOWN
    if isinstance(inner, float):
        return int(inner) if inner.is_integer() else inner
    if isinstance(inner, Mapping):
        return {key: plain(item) for key, item in inner.items()}
    if isinstance(inner, Sequence) and not isinstance(inner, str):
        return [plain(item) for item in inner]
    return inner


def plain_map(values: Properties) -> dict[str, Plain]:
    """Return the JSON of properties; nulls and Pulumi's own ``__`` keys are left out."""
    found = {key: plain(value) for key, value in values.items() if not key.startswith("__")}
    return {key: value for key, value in found.items() if value is not None}


def wrapped(value: Plain) -> PropertyValue:
    """Return the property value of JSON."""
    if value is UNKNOWN:
        return PropertyValue(_UNKNOWN_ON_THE_WIRE)
    if isinstance(value, bool) or value is None:
        return PropertyValue(value)
    if isinstance(value, int | float):
        return PropertyValue(float(value))
    if isinstance(value, Mapping):
        return PropertyValue({key: wrapped(item) for key, item in value.items()})
    if isinstance(value, list):
        return PropertyValue([wrapped(item) for item in value])
    return PropertyValue(str(value))


def wrapped_map(values: Mapping[str, Plain]) -> dict[str, PropertyValue]:
    """Return the property values of a JSON object."""
    return {key: wrapped(value) for key, value in values.items()}


def as_secret_as(value: PropertyValue, pattern: PropertyValue | None) -> PropertyValue:
    """Return a value, secret wherever the pattern is: a secret input stays secret in the outputs."""
    if pattern is None:
        return value
    if pattern.is_secret:
        return value.with_secret(is_secret=True)
    inner, model = value.value, pattern.value
    if isinstance(inner, Mapping) and isinstance(model, Mapping):
        return value.with_value({key: as_secret_as(item, model.get(key)) for key, item in inner.items()})
    if pattern.contains_secret():
        return value.with_secret(is_secret=True)  # lists are not matched item by item
    return value


def all_as_secret_as(values: Properties, patterns: Properties) -> dict[str, PropertyValue]:
    """Return properties, secret wherever the patterns of the same name are."""
    return {key: as_secret_as(value, patterns.get(key)) for key, value in values.items()}
