"""Parsers that several rows use.

A parser takes the property path, what the user wrote and a report for problems. It returns the canonical JSON value, or
None when that means "unset".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Literal, TypeAlias, TypeVar, overload
from urllib.parse import SplitResult, urlsplit

from foundry_agents.lifecycle.schema.report import Report, shown

T = TypeVar("T")

Parse: TypeAlias = Callable[[str, object, Report], T | None]

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?", re.ASCII | re.IGNORECASE)
"""Narrower than Python's float, which also reads "9_00", "nan" and digits of other scripts."""


def text(*, most: int | None = None) -> Parse[str]:
    """Return a parser of text with at most ``most`` characters; "" is unset."""

    def parse(path: str, raw: object, report: Report) -> str | None:
        if not isinstance(raw, str):
            report.add(path, "must be text")
            return None
        if most is not None and len(raw) > most:
            report.add(path, f"has {len(raw)} characters; at most {most} are allowed")
        return raw or None

    return parse


def non_empty(path: str, raw: object, report: Report) -> str | None:
    """Parse text that is not empty."""
    if isinstance(raw, str) and raw:
        return raw
    report.add(path, "must be text that is not empty")
    return None


def matching(pattern: str, otherwise: str) -> Parse[str]:
    """Return a parser of text that a regular expression matches as a whole.

    Args:
        pattern: The regular expression.
        otherwise: What the problem says after any other value.
    """
    expression = re.compile(pattern)

    def parse(path: str, raw: object, report: Report) -> str | None:
        if isinstance(raw, str) and expression.fullmatch(raw):
            return raw
        report.add(path, f"{shown(raw)}{otherwise}")
        return None

    return parse


sha256_hex = matching("[0-9a-f]{64}", " must be 64 hexadecimal digits, in lower case")
"""Parse a SHA-256 in hexadecimal."""


def enum_value(known: Collection[str], noun: str, hint: str = "") -> Parse[str]:
    """Return a parser of an enum value; one that this release does not know needs to be asked for.

    Args:
        known: The values of this release.
        noun: What the value is, for error texts.
        hint: How to ask for a newer one, with ``{}`` for the value.
    """

    def parse(path: str, raw: object, report: Report) -> str | None:
        if not isinstance(raw, str) or not raw:
            report.add(path, f"must be one of {', '.join(known)}")
            return None
        if not report.accepts(raw, known):
            newer = f" (a newer one: {hint.format(raw)})" if hint else ""
            report.add(path, f"{shown(raw)} is not a {noun} this release knows: {', '.join(known)}{newer}")
        return str(raw)

    return parse


def flag(path: str, raw: object, report: Report) -> bool | None:
    """Parse True or False."""
    if isinstance(raw, bool):
        return raw
    report.add(path, "must be true or false")
    return None


def switch(path: str, raw: object, report: Report) -> bool | None:
    """Parse a flag whose False is the same as unset."""
    return flag(path, raw, report) or None


def text_by_name(path: str, raw: object, report: Report) -> dict[str, str] | None:
    """Parse a mapping of names to text, sorted by name; an empty one is unset."""
    if not isinstance(raw, Mapping):
        report.add(path, "must map names to text")
        return None
    for name, value in raw.items():
        if not isinstance(value, str) and not report.is_unknown(value):
            report.add(f"{path}.{name}", "must be text")
    return dict(sorted(raw.items())) or None


@overload
def number(*, least: float, most: float | None = None, whole: Literal[True], unit: str = "") -> Parse[int]: ...
@overload
def number(
    *, least: float, most: float | None = None, whole: Literal[False] = False, unit: str = ""
) -> Parse[float]: ...
def number(*, least: float, most: float | None = None, whole: bool = False, unit: str = "") -> Parse[float]:
    """Return a parser of a number within limits; whole numbers become int, also those that Pulumi sends as floats."""

    def parse(path: str, raw: object, report: Report) -> float | None:
        value = as_number(raw)
        limits = f"{least:g} to {most:g}{unit}" if most is not None else f"{least:g}{unit} or more"
        if value is None or (whole and value != int(value)):
            report.add(path, f"{shown(raw)} must be a {'whole ' if whole else ''}number, {limits}")
            return None
        if value < least or (most is not None and value > most):
            # Returned all the same: state of a release with other limits holds a number, too.
            report.add(path, f"{value:g} is out of range: {limits}")
        return int(value) if value == int(value) else value

    return parse


def as_number(raw: object) -> float | None:
    """Read 1, 1.0, "1" and "1.0" as the same number; return None for anything else."""
    if isinstance(raw, str) and not _NUMBER.fullmatch(raw):
        return None
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        return None
    try:
        value = float(raw)
    except OverflowError:  # an integer of more than 300 digits
        return None
    return value if math.isfinite(value) else None


def as_url(raw: object) -> SplitResult | None:
    """Read a URL; return None for anything else."""
    try:
        return urlsplit(raw.strip()) if isinstance(raw, str) else None
    except ValueError:
        return None
