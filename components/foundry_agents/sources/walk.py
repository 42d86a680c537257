"""The walk over a folder of sources: which files are content, and everything that prevents reading them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from foundry_agents.sources.exclusions import VIRTUAL_ENVIRONMENT, credential_in, is_never_content
from foundry_agents.sources.ignore_file import IgnoreFile

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or a symbolic link, that is content.

    Attributes:
        name: Its path below the folder, with slashes.
        path: Where it is.
        size: Bytes of a file.
        mode: Its mode, as the file system reports it.
        target: What a link points to; None for a file.
    """

    name: str
    path: str
    size: int
    mode: int
    target: str | None = None


@dataclass(frozen=True)
class Listing:
    """The content of a folder.

    Attributes:
        entries: Files and links, sorted by name. Empty folders are not content: git does not store them.
        problems: A sentence for each thing that prevents reading the folder, sorted.
    """

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]


def walk(folder: Path, ignore: IgnoreFile, *, leave_out: Collection[str] = ()) -> Listing:
    """List the content of a folder, without following links.

    Args:
        folder: The folder.
        ignore: What the user excludes, or wants back from what is never content.
        leave_out: Paths that are read for other reasons, as the ignore file itself.
    """
    walker = _Walk(ignore, frozenset(leave_out))
    entries = sorted(walker.below(str(folder), "", ()), key=lambda entry: entry.name)
    return Listing(tuple(entries), tuple(sorted(walker.problems)))


@dataclass
class _Walk:
    ignore: IgnoreFile
    leave_out: frozenset[str]
    problems: list[str] = field(default_factory=list)

    def below(self, folder: str, prefix: str, special: tuple[str, ...]) -> Iterator[Entry]:
        """Yield the content of a folder; ``special`` are the names on its path that are never content by default."""
        try:
            with os.scandir(folder) as scanned:
                found = list(scanned)
        except OSError as error:
            self._report(prefix.rstrip("/") or ".", f"can't be read: {error.strerror}")
            return
        for item in found:
            here = special
            if is_never_content(item.name) or self._is_virtual_environment(item):
                if not self.ignore.names(item.name):
                    continue
                here = (*special, item.name)
            name = f"{prefix}{item.name}"
            if name not in self.leave_out:
                yield from self._one(item, name, here)

    def _one(self, item: os.DirEntry[str], name: str, special: tuple[str, ...]) -> Iterator[Entry]:
        is_folder = item.is_dir(follow_symlinks=False)
        if self.ignore.excludes(f"{name}/" if is_folder else name) and not (is_folder and self.ignore.reopens):
            return
        if not _is_text(item.name):
            self._report(name, "has a name that is not UTF-8: rename it")
        elif is_folder:
            yield from self.below(item.path, f"{name}/", special)
        elif all(self.ignore.returns(name, component) for component in special):
            yield from self._file(item, name)

    def _file(self, item: os.DirEntry[str], name: str) -> Iterator[Entry]:
        try:
            status = item.stat(follow_symlinks=False)
            target = link_target(item.path) if stat.S_ISLNK(status.st_mode) else None
        except OSError as error:
            self._report(name, f"can't be read: {error.strerror}")
            return
        if target is not None and not _is_text(target):
            self._report(name, "is a link to a name that is not UTF-8")
        elif target is None and (problem := unreadable(item.path, status.st_mode)):
            self._report(name, problem)
        elif target is None and (what := self._credential(item, name)):
            self._report(name, f"looks like a credential ({what})", f"write !{name} there if it is meant")
        else:
            yield Entry(name, item.path, status.st_size, status.st_mode, target)

    def _credential(self, item: os.DirEntry[str], name: str) -> str | None:
        found = credential_in(name, head_of(item.path))
        return None if found is None or self.ignore.returns(name, item.name) else found

    @staticmethod
    def _is_virtual_environment(item: os.DirEntry[str]) -> bool:
        return item.is_dir(follow_symlinks=False) and Path(item.path, VIRTUAL_ENVIRONMENT).is_file()

    def _report(self, name: str, problem: str, otherwise: str = "") -> None:
        way_out = f"exclude it in {self.ignore.name}" + (f", or {otherwise}" if otherwise else "")
        self.problems.append(f"{shown(name)} {problem}; {way_out}")


def link_target(path: str | Path) -> str:
    """Return the exact text of a symbolic link."""
    return os.readlink(path)  # noqa: PTH115 (Path would rewrite "./a" and "a/")


def unreadable(path: str, mode: int) -> str | None:
    """Return why a path is no regular file that this user can read, or None."""
    if not stat.S_ISREG(mode):
        return f"is {_KINDS.get(stat.S_IFMT(mode), 'not a file')}"
    return None if os.access(path, os.R_OK) else "can't be read: you have no permission"


def head_of(path: str) -> Callable[[int], bytes]:
    """Return a function that reads the first bytes of a regular file."""

    def read(most: int) -> bytes:
        with Path(path).open("rb") as file:
            return file.read(most)

    return read


def shown(name: str) -> str:
    """Return a path as text that every terminal can print."""
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in readable)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
