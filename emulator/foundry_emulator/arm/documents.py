"""Readers for the JSON of requests: every shape is checked before it is used."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping

Json = dict[str, object]


def parsed(raw: bytes) -> object:
    """Return the JSON of a request, if it can be written again: Python reads more than JSON allows.

    Raises:
        ValueError: Not JSON, or ``NaN``, a number beyond a float, half a surrogate pair, or nested too deeply.
    """
    try:
        value = json.loads(raw)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def section(document: Mapping[str, object], key: str) -> Json:
    """Return the object under a key; empty when the key is missing, null, or not an object."""
    value = document.get(key)
    return dict(value) if isinstance(value, dict) else {}


def text(document: Mapping[str, object], key: str) -> str:
    """Return the string under a key; empty when there is none."""
    value = document.get(key)
    return value if isinstance(value, str) else ""


def with_defaults(given: Mapping[str, object], defaults: Mapping[str, object]) -> Json:
    """Merge given values over defaults, object by object; null counts as not given."""
    merged: Json = {k: copy.deepcopy(v) for k, v in defaults.items()}
    for key, value in given.items():
        default = defaults.get(key)
        if isinstance(value, dict) and isinstance(default, dict):
            merged[key] = with_defaults(value, default)
        elif value is not None:
            merged[key] = value
    return merged


def merge_patch(document: Mapping[str, object], patch: Mapping[str, object]) -> Json:
    """Merge a patch by RFC 7396: objects merge, null removes, everything else replaces."""
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = merge_patch(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged
