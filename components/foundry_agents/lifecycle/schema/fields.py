"""The field table: one row an input, and everything that follows from it.

A table normalises and validates (all problems at once), says what a change of each input means, which inputs are
secret, and feeds the reference page. Whatever has no row is refused as unknown.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from foundry_agents.lifecycle.failure.errors import Problem

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
        accept_new: Words that pass although no release of ours knows them; None when it is not known yet which.
    """

    is_unknown: Callable[[object], bool] = nothing_unknown
    problems: list[Problem] = field(default_factory=list)
    accept_new: frozenset[str] | None = frozenset()

    def add(self, path: str, detail: str) -> None:
        """Notes a problem. ``detail`` must not hold a secret."""
        self.problems.append(Problem(path, detail))

    def accepts(self, word: str, known: Collection[str]) -> bool:
        """True for a word that this release knows, and for one that is wanted although it is newer."""
        return word in known or self.accept_new is None or word in self.accept_new


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


ACCEPT_NEW = "accept_new"
"""The input that names words of the service's which are newer than this release."""

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
        one_of: Inputs of which exactly one is given.
        requires: Inputs that mean something only beside another one, with that one.
    """

    subject: str
    fields: Sequence[Field[object]]
    cross_check: Callable[[Mapping[str, object], Report], None] | None = None
    one_of: Sequence[str] = ()
    requires: Mapping[str, str] = field(default_factory=dict)

    def normalise(
        self, props: Mapping[str, object], is_unknown: Callable[[object], bool] = nothing_unknown
    ) -> tuple[Values, list[Problem]]:
        """Gives the canonical values and every problem, sorted by path. Pure: no network, no clock."""
        report = Report(is_unknown, accept_new=_accepted(props.get(ACCEPT_NEW), is_unknown))
        values, unsettled = _read(self.fields, props, report, "")
        settled = {name: value for name, value in values.items() if name not in unsettled}
        self._check_combinations(values, unsettled, report)
        if self.cross_check is not None:
            self.cross_check(settled, report)
        return values, sorted(report.problems)

    def _check_combinations(self, values: Values, unsettled: set[str], report: Report) -> None:
        both = " and ".join(self.one_of)
        if self.one_of and not any(name in values for name in self.one_of):
            report.add(self.one_of[0], f"is required; exactly one of {both} is given")
        for other in [name for name in self.one_of if name in values and name not in unsettled][1:]:
            report.add(other, f"exactly one of {both} is given, not both")
        for name, partner in self.requires.items():
            if name in values and name not in unsettled and partner not in values:
                report.add(name, f"means something only beside {partner}, which is not given")

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


def _accepted(raw: object, is_unknown: Callable[[object], bool]) -> frozenset[str] | None:
    if is_unknown(raw):
        return None
    return frozenset(word for word in raw if isinstance(word, str)) if isinstance(raw, (list, tuple)) else frozenset()


def _read(
    rows: Sequence[Field[object]], props: Mapping[str, object], report: Report, prefix: str
) -> tuple[Values, set[str]]:
    """Canonical values by name, and the names of those that are not known yet or have a problem."""
    values: Values = {}
    unsettled: set[str] = set()
    known_names = {row.name for row in rows}
    owner = f"{prefix.rstrip('.')}" if prefix else "this resource"
    for name in sorted(name for name, raw in props.items() if name not in known_names and raw is not None):
        report.add(f"{prefix}{name}", f"is not an input of {owner}")
    for row in rows:
        raw = props.get(row.name)
        # In a mapping the names are known and checked even where a value is not.
        if raw is not None and not isinstance(raw, Mapping) and report.is_unknown(raw):
            values[row.name] = raw
            unsettled.add(row.name)
            continue
        before = len(report.problems)
        value = None if raw is None else row.parse(f"{prefix}{row.name}", raw, report)
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
            report.add(f"{prefix}{row.name}", "is required")
    return values, unsettled


@dataclass(frozen=True)
class Record:
    """Parses a mapping that has rows of its own.

    Attributes:
        rows: One row an entry.
        cross_check: Rules that concern several entries at once; given the path, and called when no entry has a problem
            and every one is known.
    """

    rows: Sequence[Field[object]]
    cross_check: Callable[[str, Mapping[str, object], Report], None] | None = None

    def __call__(self, path: str, raw: object, report: Report) -> Values | None:
        """Canonical entries by name; an empty mapping is unset."""
        if not isinstance(raw, Mapping):
            report.add(path, f"must map names to values: {', '.join(row.name for row in self.rows)}")
            return None
        if not raw:
            return None
        before = len(report.problems)
        values, unsettled = _read(self.rows, raw, report, f"{path}.")
        if self.cross_check is not None and len(report.problems) == before and not unsettled:
            self.cross_check(path, values, report)
        return values


@dataclass(frozen=True)
class Items:
    """Parses a list.

    Attributes:
        parse: Of each item.
        noun: What an item is, for error texts.
        ordered: The order means something; otherwise items are sorted, and equal ones are one.
        may_be_empty: An empty list means something of its own; otherwise it is unset.
    """

    parse: Callable[[str, object, Report], object]
    noun: str
    ordered: bool = True
    may_be_empty: bool = False

    def __call__(self, path: str, raw: object, report: Report) -> list[object] | None:
        """Canonical items."""
        if not isinstance(raw, (list, tuple)):
            report.add(path, f"must be a list of {self.noun}")
            return None
        before = len(report.problems)
        found: list[object] = []
        for index, item in enumerate(raw):
            noted, value = len(report.problems), self.parse(f"{path}[{index}]", item, report)
            if value is None and len(report.problems) == noted:
                report.add(f"{path}[{index}]", "is empty")
            found.append(item if value is None else value)
        if not self.ordered and len(report.problems) == before:
            found = [json.loads(text) for text in sorted({json.dumps(item, sort_keys=True) for item in found})]
        return found if found or self.may_be_empty else None


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


def line(path: str, raw: object, report: Report) -> str | None:
    """Text that is not empty."""
    if isinstance(raw, str) and raw:
        return raw
    report.add(path, "must be text that is not empty")
    return None


def word(known: Collection[str], noun: str, hint: str = "") -> Callable[[str, object, Report], str | None]:
    """A word of the service's; one that this release does not know passes where it is asked for.

    Args:
        known: The words of this release.
        noun: What the word is, for error texts.
        hint: How to ask for a newer one, with ``{}`` for the word.
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


def as_url(raw: object) -> SplitResult | None:
    """Reads a URL; None for what is none."""
    try:
        return urlsplit(raw.strip()) if isinstance(raw, str) else None
    except ValueError:
        return None


def shown(raw: object) -> str:
    """A short, quoted form of a value that is not secret, for error texts."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    text_form = str(raw)
    return f'"{text_form[:80]}…"' if len(text_form) > 80 else f'"{text_form}"'  # noqa: PLR2004 (fits on one line)
