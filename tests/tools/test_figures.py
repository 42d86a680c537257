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
    figure("azure", "seconds", 1.5, "<=", 2, unit=" s")

@pytest.mark.engine
@pytest.mark.long
def test_other():
    pass
'''

MISSED = '''
"""A long scenario."""
import pytest

@pytest.mark.acceptance
def test_one(figure):
    """Case 12."""
    figure("12", "writes", 1, "=", 0)
    figure("12", "seconds", 1.5, "<=", 2, unit=" s")

@pytest.mark.acceptance
def test_two(figure):
    """Case 12."""
    figure("13", "writes", 0, "=", 0)

@pytest.mark.engine
@pytest.mark.long
def test_other():
    assert False
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


def test_every_figure_is_printed_with_its_target(tmp_path: Path) -> None:
    assert run(tmp_path, MEASURED) == (
        0,
        [
            "12 writes 0 = 0 ok",
            "azure seconds 1.5 s <= 2 s ok",
            "engine A long scenario 1 = 1 ok",
            "",
            "3 of 3 figures reach their target",
        ],
    )


def test_what_falls_short_is_repeated_at_the_very_end(tmp_path: Path) -> None:
    """Also a test that fails without a figure, as does one whose docstring does not name the case of its figure."""
    code, lines = run(tmp_path, MISSED)
    assert code == 1
    assert lines[lines.index("1 of 5 figures reach their target") + 1 :] == [
        "12 writes 1 = 0 FALLS SHORT",
        "test test_measured.py::test_two failed passed FALLS SHORT",
        "test test_measured.py::test_other failed passed FALLS SHORT",
        "engine A long scenario 0 = 1 FALLS SHORT",
    ]
