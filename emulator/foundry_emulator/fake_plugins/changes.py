"""Differences: between old and new inputs (diff), and between recorded and live outputs (drift)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from foundry_emulator.fake_plugins import sdk
from foundry_emulator.fake_plugins.values import Plain


class Change(Enum):
    """The kind of a property's change."""

    ADDED = auto()
    REMOVED = auto()
    UPDATED = auto()


def changes(old: Mapping[str, Plain], new: Mapping[str, Plain], path: str = "") -> dict[str, Change]:
    """Return the changes by property path; objects are compared key by key, lists as a whole.

    Regions are equal without spaces and case [docs]. A null is a missing value.
    """
    found: dict[str, Change] = {}
    for key in [*old, *(k for k in new if k not in old)]:
        before, after = old.get(key), new.get(key)
        where = _join(path, key)
        if before is None and after is None:
            continue
        if before is None:
            found[where] = Change.ADDED
        elif after is None:
            found[where] = Change.REMOVED
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            found |= changes(before, after, where)
        elif before != after and not (where == "location" and _same_region(before, after)):
            found[where] = Change.UPDATED
    return found


def top_level(path: str) -> str:
    """Return the input that a property path is in."""
    return path.partition(".")[0].partition("[")[0]


def with_drift(
    inputs: Mapping[str, Plain], recorded: Mapping[str, Plain], live: Mapping[str, Plain], shape: sdk.Shape
) -> dict[str, Plain]:
    """Return inputs updated with what changed in Azure since they were written.

    Azure adds defaults to the request; only a difference between the recorded and the live outputs is
    a change, and only where it is an input.
    """
    merged = dict(inputs)
    for key, annotation in shape.properties.items():
        before, after = recorded.get(key), live.get(key)
        if before == after:
            continue
        given = inputs.get(key)
        shapes = sdk.objects(annotation)
        if after is None:
            merged.pop(key, None)
        elif shapes and isinstance(before, Mapping) and isinstance(after, Mapping):
            below = with_drift(given if isinstance(given, Mapping) else {}, before, after, shapes[0])
            if below or isinstance(given, Mapping):
                merged[key] = below
        elif not (key == "location" and _same_region(given, after)):
            merged[key] = after
    return merged


def _same_region(one: Plain, other: Plain) -> bool:
    return str(one).replace(" ", "").lower() == str(other).replace(" ", "").lower()


def _join(path: str, key: str) -> str:
    if not key.replace("_", "a").replace("-", "a").isalnum():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
