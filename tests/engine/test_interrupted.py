"""Ctrl-C in the middle of `pulumi up`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.interruption import interrupted, interruptible

pytestmark = [pytest.mark.engine, pytest.mark.long]


def test_the_next_run_finishes_one_that_was_interrupted_once_or_twice(tmp_path: Path, engine: Path) -> None:
    """Case 71, at 2 random points of a first `up`; `make figures` takes 20 of changes. 0 duplicates, 0 hand edits."""
    with interruptible(tmp_path, engine) as here:
        ends = list(interrupted(here, seeds=[0, 2], span_s=4))
        left = here.project.run("preview", "--expect-no-changes")
    assert [(end.twice, end.duplicates, end.as_asked) for end in ends] == [(False, 0, True), (True, 0, True)]
    left.succeeded()
