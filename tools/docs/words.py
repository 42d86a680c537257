"""Finds words that the glossary replaces: `python -m tools.docs.words [FOLDER...]`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
GLOSSARY = CHECKOUT / "docs/glossary.md"
SUFFIXES = frozenset({".py", ".pyi", ".md", ".toml", ".yaml", ".yml", ".html", ".css", ".js"})
NAMES = frozenset({"Makefile", "run", "stack", "venv", "uv", "debian"})
FIELDS_OWN = re.compile(
    r"marks=pytest\.mark|pytest\.mark|add_marker|pytestmark|get_closest_marker"
    r'|color[-_]scheme\W+(light )?dark|NO_OWNER = "nobody"'
)
"""Names of pytest and CSS that hold a banned word, and a value in users' state."""


def banned(glossary: str) -> dict[str, str]:
    """Return each banned word, with the term that replaces it."""
    rows = [line.strip("|").split("|") for line in glossary.splitlines() if line.startswith("|")]
    return {word: row[0].strip() for row in rows for word in re.findall(r"`([^`]+)`", row[-1])}


def found(text: str, words: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the number of each line with such a word, and the word. Parts of a name count, parts of a word don't."""
    phrases = "|".join(re.escape(word).replace(r"\ ", r"[\s_]+") for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(rf"(?<![a-z])({phrases})(?![a-z])", re.IGNORECASE)
    split = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
    for number, line in enumerate(text.splitlines(), start=1):
        for match in pattern.finditer(split.sub(" ", FIELDS_OWN.sub("", line))):
            yield number, " ".join(match[1].lower().replace("_", " ").split())


def tracked() -> list[Path]:
    """Return every text file of the repository except the glossary and this one."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True)
    paths = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    texts = [path for path in paths if path.suffix in SUFFIXES or path.name in NAMES]
    return [path for path in texts if path not in {GLOSSARY, Path(__file__)}]


def main(folders: list[str]) -> int:
    """Print every line with a banned word; return 1 when there is one."""
    words = banned(GLOSSARY.read_text(encoding="utf-8"))
    chosen = [(CHECKOUT / folder).resolve() for folder in folders] or [CHECKOUT]
    lines = [
        f"{path.relative_to(CHECKOUT)}:{number}: {word!r}; write: {words[word]}"
        for path in tracked()
        if path.is_file() and any(path.is_relative_to(folder) for folder in chosen)
        for number, word in found(path.read_text(encoding="utf-8"), words)
    ]
    for line in lines:
        print(line)
    print(f"{len(lines)} banned words", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
