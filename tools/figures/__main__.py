"""Runs the tests that measure, and prints every figure with its target; exits 1 when one falls short."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

HEADINGS = ("number", "name", "figure", "target", "")

PROCESSES = "3"  # one more than most machines have cores: tests on the real engine mostly wait
FIGURES = (
    ["-m", "acceptance"],  # one after the other: nothing else runs while time is measured
    ["-m", "long or case", "-n", PROCESSES, "--dist", "loadfile"],
)
BENCHMARKS = (["-m", "bench"],)

NO_TEST_FAILED = 0
A_TEST_FAILED = 1  # its row says so; any other code means that pytest did not do its work


def main() -> None:
    """Run pytest, and print one table of all its figures."""
    parser = argparse.ArgumentParser(prog="tools/figures", description=__doc__)
    parser.add_argument("--bench", action="store_true", help="compare ours with the plain thing, as ratios of one run")
    parser.add_argument("tests", nargs="*", help="files or tests, instead of all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures"
        file.touch()
        command = [sys.executable, "-m", "pytest", f"--figures={file}", *given.tests]
        codes = [
            subprocess.run([*command, *options], check=False).returncode
            for options in (BENCHMARKS if given.bench else FIGURES)
        ]
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    short = [row for row in rows if row[-1] != "ok"]
    _print(rows, short)
    sys.exit(1 if short or not rows or any(code not in {NO_TEST_FAILED, A_TEST_FAILED} for code in codes) else 0)


def _print(rows: list[list[str]], short: list[list[str]]) -> None:
    console = Console(width=120 if not sys.stdout.isatty() else None)
    table = Table(*HEADINGS, box=None, pad_edge=False, title=None)
    for row in rows:
        table.add_row(*row, style="bold red" if row in short else None)
    console.print()
    console.print(table, markup=False)
    console.print(f"\n{len(rows) - len(short)} of {len(rows)} figures reach their target")
    for row in short:  # again at the end: a log that keeps only the last lines keeps the reason
        console.print("  ".join(row), highlight=False, markup=False)


if __name__ == "__main__":
    main()
