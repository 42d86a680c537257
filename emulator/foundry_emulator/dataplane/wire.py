"""JSON of the data plane: parsed from requests, serialised for responses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from foundry_emulator.dataplane.problem import invalid

SUPPORTED_VERSIONS = "1.0,2025-05-15-preview,2025-11-15-preview"
JSON_UTF8 = "application/json; charset=utf-8"


def render(document: object) -> bytes:
    """Return ``document`` as the service sends it: compact, in the given order of keys."""
    return json.dumps(document, separators=(",", ":")).encode()


def parse_object(body: bytes) -> dict[str, object]:
    """Return the JSON object in ``body``.

    Raises:
        ServiceProblem: 400 ``invalid_payload`` for any problem with it.
    """
    try:
        document = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as problem:  # not JSON, not UTF-8, a number too long; too deep
        reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise invalid(f"The request body is not valid JSON: {reason}") from None
    if not isinstance(document, dict):
        raise invalid("The request body must be a JSON object.")
    return document


def without_nulls(document: Mapping[str, object]) -> dict[str, object]:
    """Return ``document`` without keys whose value is null, at every depth of objects: null means not sent."""
    return {
        key: without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in document.items()
        if value is not None
    }


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text} is too large")
    return number


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
