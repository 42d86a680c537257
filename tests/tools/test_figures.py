"""`python -m tools.figures` as `make figures` runs it, on tests that are made for this."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.checkout import CHECKOUT

MEASURED = '''
"""A long scenario."""
import pytest

@pytest.mark.acceptance
def test_one(figure):
    """Case 12."""
    figure("12", "writes", 0, "=", 0)
    figure("azure", "seconds", {seconds}, "<=", 2, unit=" s")

@pytest.mark.engine
@pytest.mark.long
def test_other():
    assert {passes}
'''


def run(folder: Path, text: str) -> tuple[int, list[str]]:
    """Return the exit code, and the lines of the table and after it."""
    file = folder / "test_measured.py"
    file.write_text(text, encoding="utf-8")
    options = f"-p tests.support.figures -c {CHECKOUT / 'pyproject.toml'} --rootdir {folder} -p no:cacheprovider"
    done = subprocess.run(
        [sys.executable, "-m", "tools.figures", str(file)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTEST_ADDOPTS": options},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "number name figure target" in lines, done.stdout
    return done.returncode, lines[lines.index("number name figure target") + 1 :]


def test_every_figure_is_printed_beside_its_target(tmp_path: Path) -> None:
    assert run(tmp_path, MEASURED.format(seconds=1.5, passes=True)) == (
        0,
        ["12 writes 0 = 0 ok", "azure seconds 1.5 s <= 2 s ok", "engine A long scenario 1 = 1 ok"]
        + ["", "3 of 3 figures reach their target"],
    )


def test_what_falls_short_is_repeated_at_the_very_end(tmp_path: Path) -> None:
    code, lines = run(tmp_path, MEASURED.format(seconds=2.5, passes=True))
    assert (code, lines[-2:]) == (1, ["2 of 3 figures reach their target", "azure seconds 2.5 s <= 2 s FALLS SHORT"])


def test_a_test_that_fails_has_a_row_of_its_own(tmp_path: Path) -> None:
    code, lines = run(tmp_path, MEASURED.format(seconds=1, passes=False))
    assert code == 1
    assert lines[-2:] == [
        "test test_measured.py::test_other failed passed FALLS SHORT",
        "engine A long scenario 0 = 1 FALLS SHORT",
    ]


def test_a_figure_of_a_case_that_the_docstring_does_not_name_is_an_error(tmp_path: Path) -> None:
    code, lines = run(tmp_path, MEASURED.format(seconds=1, passes=True).replace("Case 12", "Case 13"))
    assert (code, lines[-1]) == (1, "test test_measured.py::test_one failed passed FALLS SHORT")
