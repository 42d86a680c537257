"""Lines of Markdown that is written by hand fit the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LONGEST = 120
GENERATED = CHECKOUT / "docs" / "reference"
PAGES = [
    CHECKOUT / "README.md",
    CHECKOUT / "CHANGELOG.md",
    CHECKOUT / "CONTRIBUTING.md",
    *sorted(path for path in (CHECKOUT / "docs").rglob("*.md") if not path.is_relative_to(GENERATED)),
    *sorted((CHECKOUT / "examples").rglob("*.md")),
]


def too_long(text: str) -> Iterator[int]:
    """Yield the number of each line that is too long; a table row or an address can't be wrapped."""
    for number, line in enumerate(text.splitlines(), start=1):
        if len(re.sub(r"https?://\S+", "", line)) > LONGEST and not line.startswith("|"):
            yield number


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_no_line_of_a_page_is_too_long(path: Path) -> None:
    assert list(too_long(path.read_text(encoding="utf-8"))) == []


def test_a_long_line_is_found_unless_it_is_a_table_row_or_an_address() -> None:
    text = "\n".join(["a" * 120, "a" * 121, "| " + "a" * 200 + " |", "https://example.com/" + "a" * 200])
    assert list(too_long(text)) == [2]
