"""One line for every reliability case that no other figure is about: how many of the tests that name it pass.

Tests on the real engine are left to `make test`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.reliability.cases import Case, cases
from tools.figures.figure import Figure
from tools.local.surroundings import CHECKOUT

PROCESSES = "3"
_ENGINE = "engine/"


def measure(without: Collection[str]) -> Iterator[Figure]:
    """All of them in one run of pytest.

    Args:
        without: Numbers of the cases that have figures of their own.
    """
    wanted = {case: tests for case in cases() if str(case.number) not in without and (tests := _to_run(case))}
    passed, ran = run_tests(sorted({test for tests in wanted.values() for test in tests}))
    for case, tests in wanted.items():
        total = sum(ran[test] for test in tests)
        good = sum(passed[test] for test in tests) if total else -1
        yield Figure(str(case.number), f"{case.name}: passing tests of {len(tests)} claims", good, "=", total)


def _to_run(case: Case) -> Sequence[str]:
    return [test for test in case.tests if not test.startswith(_ENGINE)]


def run_tests(tests: Sequence[str], *options: str) -> tuple[Counter[str], Counter[str]]:
    """How often each test passed and how often it ran; one with parameters runs several times."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        call = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            PROCESSES,
            "--dist",
            "loadfile",
            f"--junitxml={report}",
            *options,
        ]
        subprocess.run([*call, *(f"tests/{test}" for test in tests)], cwd=CHECKOUT, capture_output=True, check=False)
        suite = ET.fromstring(report.read_text(encoding="utf-8"))  # noqa: S314 (written by our own pytest)
    passed, ran = Counter[str](), Counter[str]()
    for ended in suite.iter("testcase"):
        file = ended.attrib["classname"].removeprefix("tests.").replace(".", "/")
        test = f"{file}.py::{ended.attrib['name'].partition('[')[0]}"
        ran[test] += 1
        passed[test] += not list(ended.iter("failure")) + list(ended.iter("error")) + list(ended.iter("skipped"))
    return passed, ran
