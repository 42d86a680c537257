"""The glossary can be searched for, and the documentation uses its terms."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tools.docs.words import GLOSSARY, banned, found

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = GLOSSARY.read_text(encoding="utf-8")
TABLE = [
    [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|")
]
HEAD, RULE, *ROWS = TABLE
WORDS = banned(TEXT)
PAGES = sorted(
    {
        CHECKOUT / "README.md",
        CHECKOUT / "CHANGELOG.md",
        CHECKOUT / "CONTRIBUTING.md",
        *(CHECKOUT / "docs").glob("*.md"),
        *(CHECKOUT / "docs" / "decisions").glob("*.md"),
    }
    - {GLOSSARY}
)


def test_every_row_has_three_columns_and_a_meaning() -> None:
    assert HEAD == ["Term", "Meaning", "Not"]
    assert set(RULE) == {"---"}
    assert [row for row in ROWS if len(row) != 3 or not row[0] or not row[1]] == []


def test_no_term_and_no_banned_word_is_there_twice() -> None:
    terms = Counter(row[0].lower() for row in ROWS)
    words = Counter(word for row in ROWS for word in banned(f"| {row[2]} |"))
    assert [name for name, times in (terms + words).items() if times > 1] == []


def test_the_last_column_holds_only_words_in_backquotes() -> None:
    assert [row for row in ROWS if ", ".join(f"`{word}`" for word in banned(f"| {row[2]} |")) != row[2]] == []


def test_the_terms_and_their_meanings_use_no_banned_word() -> None:
    assert [row[0] for row in ROWS if list(found(f"{row[0]} {row[1]}", WORDS))] == []


def test_each_banned_word_is_replaced_by_the_term_of_its_row() -> None:
    table = "| owner | The stack. | `foo`, `foo bar` |\n| fix | Repair. | |"
    assert banned(table) == {"foo": "owner", "foo bar": "owner"}


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_banned_word_is_found_in_a_sentence(word: str) -> None:
    for text in (f"It is {word}.", f"({word.upper()})", word.replace(" ", "  ")):
        assert list(found(f"fine\n{text}", WORDS)) == [(2, word)]


@pytest.mark.parametrize("word", sorted(word for word in WORDS if word.isalpha()))
@pytest.mark.parametrize(
    "name", ["was_{}", "{}_of_a_user", "{Title}.of(metadata)", "class Version{Title}:", "ALL_{UPPER}"]
)
def test_every_banned_word_is_found_in_a_part_of_a_name(name: str, word: str) -> None:
    text = name.format(word, Title=word.title(), UPPER=word.upper())
    assert list(found(text, WORDS)) == [(1, word)]


@pytest.mark.parametrize("text", ["stolden", "remarks", "benchmark", "@pytest.mark.long", "recommended", "history"])
def test_a_part_of_another_word_is_not_found(text: str) -> None:
    assert list(found(text, WORDS)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_the_documentation_uses_no_banned_word(path: Path) -> None:
    lines = found(path.read_text(encoding="utf-8"), WORDS)
    assert [f"line {line}: {word}; write: {WORDS[word]}" for line, word in lines] == []
