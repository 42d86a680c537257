"""Figures: what a test measures, with its target. `python -m tools.figures` prints those of all tests as one table.

A test gets the fixture `figure` and records each number with it; it fails when a target is missed. Tests marked `long`,
and tests that name a reliability case without a figure of its own, get a figure each: how many of them pass.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import pytest

from tests.support.cases import about, mentioned, names
from tests.support.checkout import TESTS

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "=": operator.eq}
_HOUR_S = 3600
_MEASURING = ("acceptance", "bench")


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        number: Of the reliability case, or a short word where there is none.
        name: What was measured.
        value: The number.
        comparison: "<=", ">=" or "=".
        target: What it is compared with.
        unit: Printed behind both.
    """

    number: str
    name: str
    value: float
    comparison: str
    target: float
    unit: str = ""

    @property
    def row(self) -> list[str]:
        """Number, name, figure, target and verdict, as they are printed."""
        reached = _COMPARISONS[self.comparison](self.value, self.target)
        return [
            self.number,
            self.name,
            f"{self.value:.4g}{self.unit}",
            f"{self.comparison} {self.target:g}{self.unit}",
            "ok" if reached else "FALLS SHORT",
        ]


class Record(Protocol):
    """What the fixture `figure` is: called with the attributes of a Figure."""

    def __call__(
        self, number: str, name: str, value: float, comparison: str, target: float, *, unit: str = ""
    ) -> None: ...


@pytest.fixture
def figure(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Record:
    """Record a figure of this test. The docstring of the test names each case that it has figures of."""
    cases = mentioned(request.function.__doc__ or "")

    def record(number: str, name: str, value: float, comparison: str, target: float, *, unit: str = "") -> None:
        if number.isdigit() and int(number) not in cases:
            raise ValueError(f"the docstring of {request.node.name} does not name case {number}")
        record_property("figure", Figure(number, name, value, comparison, target, unit).row)

    return record


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Fail a test whose figures fall short, after all of them are measured."""
    result = yield
    if short := [row for row in _rows(pyfuncitem) if row[-1] != "ok"]:
        pytest.fail("\n".join("  ".join(row) for row in short), pytrace=False)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Select the tests of cases without a figure, before `-m` does; give tests that measure an hour."""
    functions = [item for item in items if isinstance(item, pytest.Function)]
    measuring = [item for item in functions if any(map(item.get_closest_marker, _MEASURING))]
    measured = {number for item in measuring for number in mentioned(item.function.__doc__ or "")}
    for item in functions:
        if item in measuring:
            item.add_marker(pytest.mark.timeout(_HOUR_S))
            item.add_marker(pytest.mark.filterwarnings("default"))
        elif item.get_closest_marker("engine") is None:
            for number in about(item.path.relative_to(TESTS), item.function.__doc__ or "") - measured:
                item.add_marker(pytest.mark.case)
                item.user_properties.append(("group", [str(number), f"{names()[number]}: passing tests"]))
        elif item.get_closest_marker("long"):
            title = (item.module.__doc__ or item.module.__name__).splitlines()[0].rstrip(".")
            item.user_properties.append(("group", ["engine", title]))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--figures FILE`: append every figure to a file, a JSON list a line."""
    parser.addoption("--figures", type=Path, help="append every figure to this file, a JSON list a line")


def pytest_configure(config: pytest.Config) -> None:
    """Report from the process that sees all tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(config))


class Reporter:
    """Prints every figure when it is measured, and groups of tests at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._file: Path | None = config.getoption("--figures")
        self._passed: dict[str, bool] = {}
        self._groups: dict[tuple[str, str], set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the figures of a test, and a row for one that failed without a figure that says why."""
        self._passed[report.nodeid] = self._passed.get(report.nodeid, True) and report.passed
        for name, group in report.user_properties:
            if name == "group":
                number, title = cast("list[str]", group)
                self._groups.setdefault((number, title), set()).add(report.nodeid)
        rows = _rows(report) if report.when == "call" else []
        if self._file is not None and report.failed and all(row[-1] == "ok" for row in rows):
            rows.append(["test", report.nodeid, "failed", "passed", "FALLS SHORT"])
        self._write(rows)

    def pytest_sessionfinish(self) -> None:
        """Count the tests of each group."""
        if self._file is not None:
            self._write(self._counted(*group) for group in sorted(self._groups.items()))

    def _counted(self, group: tuple[str, str], tests: set[str]) -> list[str]:
        number, name = group
        return Figure(number, name, sum(self._passed[test] for test in tests), "=", len(tests)).row

    def _write(self, rows: Iterator[list[str]] | Sequence[list[str]]) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        for row in rows:
            if terminal is not None:
                terminal.ensure_newline()
                terminal.write_line("  ".join(row))
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


def _rows(of: pytest.Item | pytest.TestReport) -> list[list[str]]:
    return [cast("list[str]", row) for name, row in of.user_properties if name == "figure"]
