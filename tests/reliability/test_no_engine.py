"""What a run of the tests says when there is no Pulumi engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASKED = "tests/engine/test_import.py"


@pytest.mark.parametrize(
    ("ci", "code", "counted"), [("", 0, {"skipped": 1}), ("true", 1, {"error": 1})], ids=["by hand", "with CI set"]
)
def test_without_an_engine_its_tests_are_counted_as_skipped_and_with_ci_set_they_fail(
    tmp_path: Path, ci: str, code: int, counted: dict[str, int]
) -> None:
    """Case 82: the count is printed, 0 passes are claimed."""
    nothing = {"PATH": "/usr/bin:/bin", "FOUNDRY_AGENTS_CACHE": str(tmp_path), "CI": ci}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "PYTEST_"))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", ASKED, "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"],
        cwd=ROOT,
        env={**kept, **nothing},
        capture_output=True,
        text=True,
        check=False,
    )
    last = run.stdout.strip().splitlines()[-1]
    assert (run.returncode, {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", last)}) == (
        code,
        counted,
    )
    assert "pulumi not found; run `make setup`" in run.stdout
