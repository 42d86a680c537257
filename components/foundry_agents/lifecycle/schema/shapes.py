"""Parsers of what is more than one value: records, lists, and parts of an API payload."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from foundry_agents.lifecycle.schema.fields import Field, R, Values, read_entries, read_rows, rows_of
from foundry_agents.lifecycle.schema.lists import not_a_list
from foundry_agents.lifecycle.schema.parsers import Parse
from foundry_agents.lifecycle.schema.report import Report

T = TypeVar("T")


@dataclass(frozen=True)
class Record(Generic[R]):
    """Parse a mapping that has rows of its own.

    Attributes:
        kind: The dataclass of its rows.
        cross_check: Rules that concern several entries at once; given the path, and called when no entry has a problem
            and every one is known.
        check_given: Rules about which entries are given together; called in any case, with their names.
        may_be_empty: An empty mapping is one that lacks its required entries; otherwise it is unset.
    """

    kind: type[R]
    cross_check: Callable[[str, Mapping[str, object], Report], None] | None = None
    check_given: Callable[[str, Collection[str], Report], None] | None = None
    may_be_empty: bool = False

    @cached_property
    def rows(self) -> tuple[Field[object], ...]:
        """Its rows."""
        return rows_of(self.kind)

    def __call__(self, path: str, raw: object, report: Report) -> Values | None:
        """Return canonical entries by name."""
        if not isinstance(raw, Mapping):
            report.add(path, f"must map names to values: {', '.join(each.name for each in self.rows)}")
            return None
        if not raw and not self.may_be_empty:
            return None
        before = len(report.problems)
        values, unsettled = read_entries(self.rows, raw, report, f"{path}.")
        if self.check_given is not None:
            self.check_given(path, [name for name, value in raw.items() if value is not None], report)
        if self.cross_check is not None and len(report.problems) == before and not unsettled:
            self.cross_check(path, values, report)
        return values

    def read(self, values: Mapping[str, object]) -> R:
        """Return canonical entries with their types."""
        return read_rows(self.kind, values)


@dataclass(frozen=True)
class Items(Generic[T]):
    """Parse a list.

    Attributes:
        parse: Of each item.
        noun: What an item is, for error texts.
        ordered: The order means something; otherwise items are sorted, and equal ones are one.
        may_be_empty: An empty list has a meaning of its own; otherwise it is unset.
        most: How many items it may have; None for any number.
    """

    parse: Parse[T]
    noun: str
    ordered: bool = True
    may_be_empty: bool = False
    most: int | None = None

    def __call__(self, path: str, raw: object, report: Report) -> list[T] | None:
        """Return canonical items."""
        if not isinstance(raw, (list, tuple)):
            report.add(path, not_a_list(self.noun, raw))
            return None
        if self.most is not None and len(raw) > self.most:
            report.add(path, f"has {len(raw)} entries; at most {self.most} allowed")
        before = len(report.problems)
        found: list[Any] = []
        for index, item in enumerate(raw):
            if report.is_unknown(item) and not isinstance(item, (Mapping, list)):
                found.append(item)
                continue
            noted, value = len(report.problems), self.parse(f"{path}[{index}]", item, report)
            if value is None and len(report.problems) == noted:
                report.add(f"{path}[{index}]", "is empty")
            found.append(item if value is None else value)
        if not self.ordered and len(report.problems) == before:
            found = [json.loads(text) for text in sorted({json.dumps(item, sort_keys=True) for item in found})]
        return found if found or self.may_be_empty else None


@dataclass(frozen=True)
class Payload(Generic[R]):
    """Check a part of an API payload, and keep it as it is: entries without a row are the service's to judge.

    Attributes:
        kind: The dataclass of the rows that are known.
        cross_check: Rules that concern several entries at once; given the path.
    """

    kind: type[R]
    cross_check: Callable[[str, Mapping[str, object], Report], None] | None = None

    @cached_property
    def rows(self) -> tuple[Field[object], ...]:
        """Its rows."""
        return rows_of(self.kind)

    def __call__(self, path: str, raw: object, report: Report) -> Mapping[str, object] | None:
        """Return the payload."""
        if not isinstance(raw, Mapping):
            report.add(path, "must be an object")
            return None
        for each in self.rows:
            value = raw.get(each.name)
            if value is None:
                if each.required and each.name not in raw:
                    report.add(f"{path}.{each.name}", "is required")
            elif isinstance(value, (Mapping, list)) or not report.is_unknown(value):
                each.parse(f"{path}.{each.name}", value, report)
        if self.cross_check is not None:
            self.cross_check(path, raw, report)
        return raw


@dataclass(frozen=True)
class Either:
    """Parse an object, or what stands for one.

    Attributes:
        payload: For a mapping.
        other: For anything else.
    """

    payload: Payload[Any]
    other: Parse[object]

    def __call__(self, path: str, raw: object, report: Report) -> object:
        """Return what the one that fits returns."""
        return self.payload(path, raw, report) if isinstance(raw, Mapping) else self.other(path, raw, report)


def rows_inside(parse: object) -> tuple[str, tuple[Field[object], ...]]:
    """Return the rows of a value that has some, at any depth of lists, and the lists as "[]" for each."""
    if isinstance(parse, Items):
        path, rows = rows_inside(parse.parse)
        return f"[]{path}", rows
    if isinstance(parse, Either):
        return rows_inside(parse.payload)
    return "", parse.rows if isinstance(parse, Record | Payload) else ()
