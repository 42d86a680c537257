"""What `make test` leaves out is told by `make figures`, and nothing else is left out."""

from __future__ import annotations

from pathlib import Path

from tools.figures.long_stories import STORIES

TESTS = Path(__file__).resolve().parents[1]


def test_every_story_that_is_marked_long_has_its_line() -> None:
    mark = "pytest.mark." + "long"
    marked = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if mark in path.read_text(encoding="utf-8")}
    assert marked == set(STORIES)
