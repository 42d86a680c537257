"""The list of reliability cases against the tests that name them: `python -m tests.support.cases` prints it."""

from __future__ import annotations

import ast
import gc
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.checkout import TESTS

LIST = TESTS / "reliability" / "cases.toml"
NUMBERS = range(1, 93)
ABOUT_THE_LOCAL_AZURE = frozenset({80, 81})
_MENTION = re.compile(r"\bcases? (\d+(?:(?:, | and )\d+)*)", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """One reliability case.

    Attributes:
        number: Its number.
        name: Its short name.
        tests: The tests that name it, as ``file::function``.
        reason: Why there is none; a reason is out of date as soon as there are tests.
    """

    number: int
    name: str
    tests: tuple[str, ...]
    reason: str = ""


def cases() -> list[Case]:
    """Return every case of the list, in order."""
    named = by_case()
    reasons: Mapping[str, str] = tomllib.loads(LIST.read_text(encoding="utf-8"))["reasons"]
    return [
        Case(number, name, tuple(sorted(named.get(number, ()))), reasons.get(str(number), ""))
        for number, name in names().items()
    ]


@cache
def names() -> Mapping[int, str]:
    """Return the name of each case."""
    listed: Mapping[str, str] = tomllib.loads(LIST.read_text(encoding="utf-8"))["names"]
    return {int(number): name for number, name in listed.items()}


@cache
def by_case() -> Mapping[int, set[str]]:
    """Return the tests that name each number."""
    found: dict[int, set[str]] = {}
    # Python 3.11's parser fails if garbage that is collected meanwhile prints a traceback, as a lost future does.
    gc.collect()
    for path in sorted(TESTS.rglob("test_*.py")):
        file = path.relative_to(TESTS)
        for name, docstring in _tests_in(path.read_text(encoding="utf-8")):
            for number in about(file, docstring):
                found.setdefault(number, set()).add(f"{file}::{name}")
    return found


def about(file: Path, docstring: str) -> set[int]:
    """Return the cases that a test covers. A test of the local Azure does not prove anything about the library."""
    numbers = mentioned(docstring)
    return numbers & ABOUT_THE_LOCAL_AZURE if file.parts[0] == "emulator" else numbers


def mentioned(docstring: str) -> set[int]:
    """Return the numbers that a docstring names: "Case 23." or "Cases 22, 23 and 24: …"."""
    return {int(number) for match in _MENTION.finditer(docstring) for number in re.findall(r"\d+", match[1])}


def _tests_in(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


def main() -> None:
    """Print every case with its tests, or the reason why it has none."""
    table = Table("case", "name", "tests", "one of them, or why there is none", box=None, pad_edge=False)
    listed = cases()
    for case in listed:
        stale = " (its reason is out of date)" if case.tests and case.reason else ""
        shown = f"{case.tests[0]}{stale}" if case.tests else case.reason or "NEITHER TEST NOR REASON"
        table.add_row(str(case.number), case.name, str(len(case.tests)), shown)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(table, markup=False)
    tested = sum(bool(case.tests) for case in listed)
    reasoned = sum(bool(case.reason) and not case.tests for case in listed)
    console.print(f"\n{tested} of {len(listed)} cases have a test, {reasoned} a reason")


if __name__ == "__main__":
    main()
