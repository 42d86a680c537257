"""An ignore file: which paths it excludes, and which it names to get them back; in Docker's syntax or in git's."""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

import pathspec

from foundry_agents.sources.docker_rules import DockerRules, PatternError


class IgnoreFileError(ValueError):
    """The ignore file can't be read; the text names the file, the line and what to do."""


class _Rules(Protocol):
    def match_file(self, file: str, /) -> bool: ...


_Read = Callable[[Iterable[str]], _Rules]


@dataclass(frozen=True)
class IgnoreFile:
    """The rules of an ignore file.

    Attributes:
        name: How errors call it.
        excludes: Whether a path is excluded; the path of a folder ends with a slash.
        exceptions: The patterns after a ``!``.
        reopens: Whether an exception can apply inside of an excluded folder.
    """

    name: str
    excludes: Callable[[str], bool]
    exceptions: tuple[str, ...]
    reopens: bool
    _read: _Read

    @classmethod
    def docker(cls, file: Path | None, name: str) -> IgnoreFile:
        """Read a ``.dockerignore``, as BuildKit does: patterns start at the root, the last one that matches wins.

        Args:
            file: The file; None when there is none.
            name: How errors call it.

        Raises:
            IgnoreFileError: It can't be read, or a line has no meaning.
        """
        lines = {
            number: line.strip()
            for number, line in enumerate(_lines(file, name), start=1)
            # As in BuildKit, "#" starts a comment in the first column only.
            if line.strip() and not line.startswith("#")
        }
        return cls._of(name, lines, DockerRules, reopens=True)

    @classmethod
    def git(cls, file: Path | None, name: str) -> IgnoreFile:
        """Read a file in the syntax of ``.gitignore``: nothing comes back from an excluded folder.

        Raises:
            IgnoreFileError: It can't be read, or a line has no meaning.
        """
        lines = dict(enumerate(_lines(file, name), start=1))
        read = pathspec.GitIgnoreSpec.from_lines
        found = cls._of(name, lines, read, reopens=False)
        # Of a folder, pathspec takes "tests" for weaker than "!*", if the path ends with a slash.
        of_folders = {number: _of_any_kind(line) for number, line in lines.items()}
        folders = cls._of(name, of_folders, read, reopens=False)

        def excludes(path: str) -> bool:
            return folders.excludes(path[:-1]) if path.endswith("/") else found.excludes(path)

        return replace(found, excludes=excludes)

    @classmethod
    def _of(
        cls,
        name: str,
        lines: Mapping[int, str],
        read: _Read,
        *,
        reopens: bool,
    ) -> IgnoreFile:
        for number, line in lines.items():
            try:
                _without_warnings(read, [line])
            except PatternError as problem:
                raise IgnoreFileError(f"{name}, line {number}: {problem}") from None
            except (ValueError, re.error):
                raise IgnoreFileError(f"{name}, line {number}: {line!r} is not a pattern") from None
        exceptions = tuple(line[1:].strip() for line in lines.values() if line.startswith("!"))
        excludes = _without_warnings(read, lines.values()).match_file if lines else _nothing
        return cls(name, excludes, exceptions, reopens and bool(exceptions), read)

    def returns_below(self, folder: str) -> bool:
        """Return whether an exception may bring something back from an excluded folder; True in case of doubt."""
        return self.reopens and any(_may_reach(pattern, folder) for pattern in self.exceptions)

    def names(self, component: str, core: str) -> bool:
        """Return whether an exception names a file or folder: it holds ``core``, so ``!*`` or ``!*.json`` may not."""
        return bool(self._naming(component, core))

    def returns(self, path: str, component: str, core: str) -> bool:
        """Return whether an exception that names a component of a path applies to the path."""
        naming = self._naming(component, core)
        return bool(naming) and _without_warnings(self._read, naming).match_file(path)

    def _naming(self, component: str, core: str) -> list[str]:
        return [
            pattern
            for pattern in self.exceptions
            if any(core.lower() in part.lower() and fnmatchcase(component, part) for part in pattern.split("/"))
        ]


def _may_reach(pattern: str, folder: str) -> bool:
    parts = posixpath.normpath(pattern).strip("/").split("/")
    for wanted, name in zip(parts, folder.split("/"), strict=False):
        if _WILD.search(wanted):
            return True
        if wanted != name:
            return False
    return True


_WILD = re.compile(r"[*?\[\\]|^\.")


def _without_warnings(read: _Read, lines: Iterable[str]) -> _Rules:
    """Read patterns; Python warns about sets of characters such as ``[[a]`` that it may read otherwise one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return read(lines)


def _of_any_kind(line: str) -> str:
    """Return a pattern of git without the slash that restricts it to folders."""
    rest = line.rstrip()
    return rest[:-1] if rest.endswith("/") and len(rest.lstrip("!")) > 1 else line


def _nothing(_path: str) -> bool:
    return False


def _lines(file: Path | None, name: str) -> list[str]:
    """Return the lines of a text file in UTF-8, with or without a BOM; none of no file."""
    if file is None:
        return []
    if not file.is_file():
        raise IgnoreFileError(f"{name} is not a file")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise IgnoreFileError(f"{name} can't be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise IgnoreFileError(f"{name}, line {line}: it is not in UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        raise IgnoreFileError(f"{name} is not a text in UTF-8 (a byte in it is zero); save the file as UTF-8")
    return text.replace("\r\n", "\n").split("\n")
