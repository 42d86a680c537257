"""Which tests run which lines of the core, as coverage.py sees it."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import coverage

from tests.support.checkout import CHECKOUT
from tests.support.mutants import SOURCES, source_of

Tests = frozenset[str]
"""Ids for pytest, without parameters: ``tests/core/test_fields.py::test_a_claim``."""


@dataclass(frozen=True)
class LineTests:
    """The tests of the core by the line that they run.

    Attributes:
        by_line: For each module, the tests that run each of its lines; lines that run at import have none.
        everything: All tests that run some line.
    """

    by_line: Mapping[str, Mapping[int, Tests]] = field(repr=False)
    everything: Tests = field(repr=False)

    def of(self, module: str, line: int) -> tuple[Tests, bool]:
        """Return the tests that run the statement at a line, and whether no other test can notice a change of it.

        A statement that runs at import, such as a constant or a default value, can matter to any test.
        """
        lines = self.by_line.get(module, {})
        here = _union(lines, *_statement_at(source_of(module), line))
        return (here, True) if here else (_union(lines, 0, sys.maxsize), False)


def measured() -> LineTests:
    """Run the tests of the core once, under coverage.py, and return what each line is run by."""
    with tempfile.TemporaryDirectory() as folder:
        settings, data_file = Path(folder, "coveragerc"), Path(folder, "data")
        settings.write_text(
            f"[run]\ndynamic_context = test_function\nsource = foundry_agents.lifecycle\ndata_file = {data_file}\n",
            encoding="utf-8",
        )
        program = [
            "coverage",
            "run",
            f"--rcfile={settings}",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/core",
        ]
        subprocess.run([sys.executable, "-m", *program], cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
        data = coverage.CoverageData(str(data_file))
        data.read()
        by_line = {
            ".".join(Path(path).relative_to(SOURCES).with_suffix("").parts): {
                line: frozenset(map(_id_of, filter(None, contexts)))
                for line, contexts in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
    return LineTests(by_line, frozenset().union(*(tests for lines in by_line.values() for tests in lines.values())))


def _id_of(context: str) -> str:
    module, _, function = context.rpartition(".")
    return f"{module.replace('.', '/')}.py::{function}"


def _union(lines: Mapping[int, Tests], first: int, last: int) -> Tests:
    return frozenset().union(*(tests for line, tests in lines.items() if first <= line <= last))


def _statement_at(source: str, line: int) -> tuple[int, int]:
    """Return first and last line of the innermost statement; of one with a body, those of its head."""
    best = (line, line)
    size = sys.maxsize
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt):
            continue
        body: list[ast.stmt] = getattr(node, "body", [])
        first, last = node.lineno, (body[0].lineno - 1 if body else node.end_lineno or node.lineno)
        if first <= line <= max(first, last) and last - first < size:
            best, size = (first, max(first, last)), last - first
    return best
