"""Durations as people write them, "90s", "2m" or "1h30m", and as progress shows them: "1 m 48 s"."""

from __future__ import annotations

import math
import re

from foundry_agents.lifecycle.schema.parsers import Parse, as_number
from foundry_agents.lifecycle.schema.report import Report, shown

_WRITTEN = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_UNITS_S = (3600, 60, 1)
_MINUTE_S, _HOUR_S = 60, 3600


def seconds(raw: object) -> float | None:
    """Read "90s", "2m", "1h", "1h30m" or a number of seconds; return None for anything else."""
    number = as_number(raw)
    if number is not None:
        return number
    match = _WRITTEN.fullmatch(raw.replace(" ", "")) if isinstance(raw, str) else None
    if match is None or not any(match.groups()):
        return None
    total = sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS_S, strict=True) if part)
    return total if math.isfinite(total) else None


def duration(*, least: float = 0) -> Parse[float]:
    """Return a parser of a duration in seconds; whole numbers become int."""

    def parse(path: str, raw: object, report: Report) -> float | None:
        value = seconds(raw)
        if value is None:
            report.add(path, f'{shown(raw)}: a duration is "90s", "2m", "1h30m" or a number of seconds')
            return None
        if value < least:
            report.add(path, f"{shown(raw)} is out of range: {least:g} s or more")
        return int(value) if value == int(value) else value

    return parse


def in_words(value_s: float) -> str:
    """Return ``1 m 48 s``, ``2 min`` or ``1 h 30 m``: two parts at most."""
    whole = round(value_s)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        minutes, rest = divmod(whole, _MINUTE_S)
        return f"{minutes} m {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole, _HOUR_S)
    return f"{hours} h {rest // _MINUTE_S} m" if rest >= _MINUTE_S else f"{hours} h"
