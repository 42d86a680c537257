"""The field table: one row an input, and everything that follows from it.

A table normalises and validates (all problems at once), says what a change of each input means, which inputs are
secret, and feeds the reference page. Whatever has no row is refused as unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from foundry_agents.lifecycle.errors import Problem

T_co = TypeVar("T_co", covariant=True)


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?", re.ASCII | re.IGNORECASE)
"""Narrower than Python's float, which also reads "9_00", "nan" and other digits than ours."""


class OnChange(StrEnum):
    """What a changed input does to the resource."""

    REPLACE = "replace"
    UPDATE = "update"
    IGNORE = "ignore"
    """Says how we work (waiting, marks, messages), not what is asked for: never a diff."""


def nothing_unknown(_value: object) -> bool:
    """For callers that hold plain values only, which is everybody but Pulumi's preview."""
    return False


@dataclass
class Report:
    """Collects the problems of one pass and knows which values are not known yet.

    Attributes:
        is_unknown: True for a value that only the deployment will know; such a value is passed on unchecked.
        problems: What was found so far.
    """

    is_unknown: Callable[[object], bool] = nothing_unknown
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: str, detail: str) -> None:
        """Notes a problem. ``detail`` must not hold a secret."""
        self.problems.append(Problem(path, detail))


@dataclass(frozen=True)
class Field(Generic[T_co]):
    """One input of a resource.

    Attributes:
        name: Its key, in the program and in state.
        parse: Gives the canonical JSON value of what the user wrote, or None when it means "unset"; notes problems in
            the report. Never sees an unknown value, except inside a mapping.
        summary: What it means, with units, for the reference page.
        source: Where the rule comes from: service, docs, recorded, modelled or ours.
        on_change: What a change means.
        default: Canonical value when unset.
        required: An unset value is a problem.
        secret: Its value must never be shown.
        identity: Names the thing rather than describing it: stays out of the fingerprint.
    """

    name: str
    parse: Callable[[str, object, Report], T_co | None]
    summary: str
    source: str
    on_change: OnChange = OnChange.REPLACE
    default: T_co | None = None
    required: bool = False
    secret: bool = False
    identity: bool = False


Values = dict[str, object]
"""Canonical values by field name; unset fields are absent."""


@dataclass(frozen=True)
class FieldTable:
    """The inputs of one resource.

    Attributes:
        subject: What the inputs describe, for error texts: "the agent's settings".
        fields: One row an input.
        cross_check: Rules that concern several inputs at once; sees canonical values, without those that are not known
            yet or have a problem of their own.
    """

    subject: str
    fields: Sequence[Field[object]]
    cross_check: Callable[[Mapping[str, object], Report], None] | None = None

    def normalise(
        self, props: Mapping[str, object], is_unknown: Callable[[object], bool] = nothing_unknown
    ) -> tuple[Values, list[Problem]]:
        """Gives the canonical values and every problem, sorted by path. Pure: no network, no clock."""
        report = Report(is_unknown)
        values: Values = {}
        unsettled: set[str] = set()
        known_names = {row.name for row in self.fields}
        for name in sorted(name for name, raw in props.items() if name not in known_names and raw is not None):
            report.add(name, "is not an input of this resource")
        for row in self.fields:
            raw = props.get(row.name)
            # In a mapping the names are known and checked even where a value is not.
            if raw is not None and not isinstance(raw, Mapping) and is_unknown(raw):
                values[row.name] = raw
                unsettled.add(row.name)
                continue
            before = len(report.problems)
            value = None if raw is None else row.parse(row.name, raw, report)
            if len(report.problems) > before:
                # Kept for comparing with state that an earlier release accepted; a default in its place would only
                # cause problems that the user does not have.
                values[row.name] = raw if value is None else value
                unsettled.add(row.name)
                continue
            if value is None:
                value = row.default
            if value is not None:
                values[row.name] = value
            elif row.required:
                report.add(row.name, "is required")
        if self.cross_check is not None:
            self.cross_check({k: v for k, v in values.items() if k not in unsettled}, report)
        return values, sorted(report.problems)

    def changes(
        self,
        olds: Mapping[str, object],
        news: Mapping[str, object],
        is_unknown: Callable[[object], bool] = nothing_unknown,
    ) -> list[Field[object]]:
        """The rows whose value differs in meaning; ignored ones never count.

        Old values come from state and may be spelled as an older release did: both sides are normalised, and problems
        are left to check. A value that is not known yet differs from any other.
        """
        old_values, _ = self.normalise(self._own(olds))
        new_values, _ = self.normalise(self._own(news), is_unknown)
        return [
            row
            for row in self.fields
            if row.on_change is not OnChange.IGNORE and old_values.get(row.name) != new_values.get(row.name)
        ]

    def _own(self, props: Mapping[str, object]) -> dict[str, object]:
        names = {row.name for row in self.fields}
        return {key: value for key, value in props.items() if key in names}


# --- Parsers that more than one row uses -----------------------------------------------------------------------------


def text(*, most: int | None = None) -> Callable[[str, object, Report], str | None]:
    """Text of at most ``most`` characters; "" is unset."""

    def parse(path: str, raw: object, report: Report) -> str | None:
        if not isinstance(raw, str):
            report.add(path, "must be text")
            return None
        if most is not None and len(raw) > most:
            report.add(path, f"has {len(raw)} characters; at most {most} are allowed")
        return raw or None

    return parse


def flag(path: str, raw: object, report: Report) -> bool | None:
    """True or False."""
    if isinstance(raw, bool):
        return raw
    report.add(path, "must be true or false")
    return None


def switch(path: str, raw: object, report: Report) -> bool | None:
    """True, or unset: a switch that is off is the same as one that was never heard of."""
    return flag(path, raw, report) or None


def number(
    *, least: float, most: float | None = None, whole: bool = False, unit: str = ""
) -> Callable[[str, object, Report], float | None]:
    """A number within limits; whole numbers come back as int, also from Pulumi's floats."""

    def parse(path: str, raw: object, report: Report) -> float | None:
        value = as_number(raw)
        limits = f"{least:g} to {most:g}{unit}" if most is not None else f"{least:g}{unit} or more"
        if value is None or (whole and value != int(value)):
            report.add(path, f"{shown(raw)} must be a {'whole ' if whole else ''}number, {limits}")
            return None
        if value < least or (most is not None and value > most):
            report.add(path, f"{value:g} is out of range: {limits}")
            return None
        return int(value) if value == int(value) else value

    return parse


def as_number(raw: object) -> float | None:
    """Reads 1, 1.0, "1" and "1.0" as the same number; anything else is None."""
    if isinstance(raw, str):
        return float(raw) if _NUMBER.fullmatch(raw) else None
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return None
    return float(raw) if math.isfinite(raw) else None


def shown(raw: object) -> str:
    """A short, quoted form of a value that is not secret, for error texts."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    text_form = str(raw)
    return f'"{text_form[:80]}…"' if len(text_form) > 80 else f'"{text_form}"'  # noqa: PLR2004 (fits on one line)
