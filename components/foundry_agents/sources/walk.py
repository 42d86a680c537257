"""The walk over a folder of sources: which files are content, and everything that prevents reading them."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from foundry_agents.sources.exclusions import (
    OURS,
    VIRTUAL_ENVIRONMENT,
    credential_in,
    name_of_exception,
    never_content,
)
from foundry_agents.sources.ignore_file import IgnoreFile
from foundry_agents.sources.reading import head_of, shown

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Special = tuple[tuple[str, str], ...]
"""Names on a path that are never content by default, each with what an exception must hold."""


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
    entries = sorted(walker.below(str(folder)), key=lambda entry: entry.name)
    return Listing(tuple(entries), tuple(sorted(walker.problems)))


@dataclass
class _Walk:
    ignore: IgnoreFile
    leave_out: frozenset[str]
    problems: list[str] = field(default_factory=list)

    def below(self, root: str) -> Iterator[Entry]:
        """Yield the content of a folder."""
        waiting: list[tuple[str, str, Special]] = [(root, "", ())]
        while waiting:
            folder, prefix, special = waiting.pop()
            try:
                with os.scandir(folder) as scanned:
                    found = list(scanned)
            except OSError as error:
                self._report(prefix.rstrip("/") or ".", f"can't be read: {error.strerror}")
                continue
            for item in found:
                name = f"{prefix}{item.name}"
                is_folder = item.is_dir(follow_symlinks=False)
                here = self._special(item, name, special, is_folder=is_folder)
                if here is None:
                    continue
                if not _is_text(item.name):
                    self.problems.append(f"{shown(name)} has a name that is not UTF-8: rename it")
                elif is_folder:
                    waiting.append((item.path, f"{name}/", here))
                elif all(self.ignore.returns(name, component, core) for component, core in here):
                    yield from self._file(item, name)

    def _special(self, item: os.DirEntry[str], name: str, special: Special, *, is_folder: bool) -> Special | None:
        """Return what is special on the path, this name included; None for what is left out."""
        if item.name.startswith(OURS) or name in self.leave_out:
            return None
        is_out = self.ignore.excludes(f"{name}/" if is_folder else name)
        if is_out and not (is_folder and self.ignore.returns_below(name)):
            return None
        core = never_content(item.name)
        if core is None and is_folder and _is_virtual_environment(item.path):
            core = item.name
        if core is None:
            return special
        return (*special, (item.name, core)) if self.ignore.names(item.name, core) else None

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
        return None if found is None or self.ignore.returns(name, item.name, name_of_exception(item.name)) else found

    def _report(self, name: str, problem: str, otherwise: str = "") -> None:
        way_out = f"exclude it in {self.ignore.name}" + (f", or {otherwise}" if otherwise else "")
        self.problems.append(f"{shown(name)} {problem}; {way_out}")


def _is_virtual_environment(folder: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(f"{folder}/{VIRTUAL_ENVIRONMENT}").st_mode)
    except OSError:
        return False


def link_target(path: str | Path) -> str:
    """Return the exact text of a symbolic link."""
    return os.readlink(path)  # noqa: PTH115 (Path would rewrite "./a" and "a/")


def unreadable(path: str, mode: int) -> str | None:
    """Return why a path is no regular file that this user can read, or None."""
    if not stat.S_ISREG(mode):
        return f"is {_KINDS.get(stat.S_IFMT(mode), 'not a file')}"
    return None if os.access(path, os.R_OK) else "can't be read: you have no permission"


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
