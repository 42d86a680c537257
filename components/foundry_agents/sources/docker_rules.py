"""The patterns of a ``.dockerignore``, applied as BuildKit applies them while it walks over a context.

No library does: docker-py's ``exclude_paths`` and pathspec read exceptions otherwise. In BuildKit an exception that
names a folder (``!src``) applies to what is below it only if the folder itself was excluded before, so ``**/lib*``
followed by ``!src`` still excludes ``src/lib.so``. The tests hold what BuildKit's own matcher answers, and
`tests/acceptance/test_content.py` compares folders with what BuildKit itself builds from them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_SET = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")

Info = tuple[bool, ...]
"""Which patterns a folder matched, or a folder above it."""


class PatternError(ValueError):
    """BuildKit refuses a pattern; the text says why."""


class DockerRules:
    """The rules of one file. Results of folders are kept, because what is below them depends on them.

    Args:
        lines: Patterns without comments and empty lines.

    Raises:
        PatternError: A pattern has no meaning.
        re.error: A set of characters has none.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = [
            (line.startswith("!"), re.compile(_translated(_cleaned(line.removeprefix("!").strip())))) for line in lines
        ]
        self._folders: dict[str, Info] = {"": ()}

    def match_file(self, path: str) -> bool:
        """Return whether a path below the context is excluded."""
        return self._judged(path.rstrip("/"))[0]

    def _info(self, folder: str) -> Info:
        if folder not in self._folders:
            self._folders[folder] = self._judged(folder)[1]
        return self._folders[folder]

    def _judged(self, path: str) -> tuple[bool, Info]:
        above = self._info(path.rpartition("/")[0])
        excluded, info = False, []
        for position, (is_exception, pattern) in enumerate(self._patterns):
            matches = bool(above) and above[position]
            # What would change nothing is not looked at, and then does not count for what is below, either.
            if not matches and is_exception is excluded:
                matches = pattern.fullmatch(path) is not None
            info.append(matches)
            if matches:
                excluded = not is_exception
        return excluded, tuple(info)


def _cleaned(pattern: str) -> str:
    if not pattern:
        raise PatternError("an exception needs a pattern after the !")
    return os.path.normpath(pattern).lstrip("/")


def _translated(pattern: str) -> str:
    """Return a regular expression for exactly the paths that a pattern names, without what is below them."""
    if pattern == ".":
        return r"(?!)"  # the root itself is never excluded
    if pattern.startswith("**") and not pattern.startswith("**/") and not re.search(r"[*?\[\\]", pattern[2:]):
        return f"(?s:.*){re.escape(pattern[2:])}"  # BuildKit takes "**name" for an ending
    found, rest = [], pattern
    while rest:
        part, rest = _first(rest)
        found.append(part)
    return f"(?s:{''.join(found)})"


def _first(rest: str) -> tuple[str, str]:
    """Return the expression of the first part of a pattern, and what is left."""
    if rest.startswith("**"):
        rest = rest[2:].removeprefix("/")
        return ("(?:.*/)?" if rest else ".*"), rest
    if rest[0] in "*?":
        return ("[^/]*" if rest[0] == "*" else "[^/]"), rest[1:]
    if rest[0] == "[":
        found = _SET.match(rest)
        if found is None:
            raise PatternError(f"{rest!r} has a [ without a ]")
        return found[0][0] + found[0][1:].replace("[", r"\["), rest[found.end() :]
    if rest[0] == "\\" and len(rest) > 1:
        return re.escape(rest[1]), rest[2:]
    return re.escape(rest[0]), rest[1:]
