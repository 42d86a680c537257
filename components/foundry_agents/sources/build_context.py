"""A build context: the files that a builder reads, their size, and one hash over all that determines the image."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foundry_agents.sources.git import recorded_programs, revision_of
from foundry_agents.sources.ignore_file import IgnoreFile, IgnoreFileError
from foundry_agents.sources.reading import ContextError, hash_of_text, read_whole, shown
from foundry_agents.sources.walk import Entry, unreadable, walk

MEGABYTE = 1_000_000
SHOWN = 5
"""How many of the largest files the error for a context that is too large lists."""

FORMAT = "content 2"
"""What is hashed, and how; another format gives every content another tag."""


@dataclass(frozen=True)
class File:
    """A file or link as a builder gets it: with normalised mode and owner.

    Attributes:
        name: Path below the folder.
        kind: ``file``, ``program`` or ``link``.
        sha256: Of the bytes, or of the link's target, in hex.
    """

    name: str
    kind: str
    sha256: str


@dataclass(frozen=True)
class BuildContext:
    """The files that a builder reads, found but not read yet.

    Attributes:
        folder: The folder of the context.
        dockerfile: The Dockerfile; may be outside of the folder.
        entries: Files and links below the folder, sorted, without those that are excluded.
        programs: Names of the executable files.
    """

    folder: Path
    dockerfile: Path
    entries: tuple[Entry, ...]
    programs: frozenset[str]

    @classmethod
    def read(cls, folder: Path, dockerfile: Path | None, *, limit_mb: float) -> BuildContext:
        """Find the files of a folder.

        The ignore file is ``<Dockerfile>.dockerignore``, else ``.dockerignore`` in the folder, as in Docker. It is not
        content itself, nor is what :mod:`foundry_agents.sources.exclusions` lists.

        Raises:
            ContextError: When folder or Dockerfile is missing, something in it can't be read or looks like a
                credential, or it has more than ``limit_mb`` megabytes. All problems are in it.
        """
        found = dockerfile or folder / "Dockerfile"
        try:
            _refuse_missing(folder, found)
            file = _ignore_file(folder, found)
        except OSError as error:  # a folder on the way may not be entered, or a path be too long
            raise ContextError(f"context {folder} can't be read: {error.strerror}: {error.filename}") from None
        name = ".dockerignore" if file is None else file.name
        try:
            ignore = IgnoreFile.docker(file, name)
        except IgnoreFileError as problem:
            raise ContextError(f"context {folder}: {problem}") from None
        listing = walk(folder, ignore, leave_out=[".dockerignore", *_below(folder, file)])
        if listing.problems:
            raise ContextError(*(f"context {folder}: {problem}" for problem in listing.problems))
        context = cls(folder, found, listing.entries, _programs(folder, listing.entries))
        context._refuse_too_large(limit_mb)
        return context

    @property
    def files(self) -> tuple[str, ...]:
        """The names of files and links, sorted."""
        return tuple(entry.name for entry in self.entries)

    def digested(self) -> tuple[File, ...]:
        """Return the files with their hashes; reads all of them.

        Raises:
            ContextError: One can't be read any more.
        """
        return tuple(self.file(entry, _digest(entry)) for entry in self.entries)

    def file(self, entry: Entry, sha256: str) -> File:
        """Return an entry as a builder gets it."""
        kind = "link" if entry.target is not None else "program" if entry.name in self.programs else "file"
        return File(entry.name, kind, sha256)

    def revision(self) -> str | None:
        """Return the commit that last changed folder or Dockerfile, 12 digits; None with changes or without git."""
        return revision_of(self.folder, [self.dockerfile])

    def _refuse_too_large(self, limit_mb: float) -> None:
        total = sum(entry.size for entry in self.entries)
        if total <= limit_mb * MEGABYTE:
            return
        largest = sorted(self.entries, key=lambda entry: -entry.size)[:SHOWN]
        listed = ", ".join(f"{shown(entry.name)} ({entry.size / MEGABYTE:.1f} MB)" for entry in largest)
        raise ContextError(
            f"context {self.folder} is {total / MEGABYTE:.1f} MB, more than {limit_mb:g} MB: {listed}; exclude what "
            "the image does not need in .dockerignore, or raise context_limit_mb"
        )


def content_hash(files: Sequence[File], dockerfile: str, settings: Mapping[str, object]) -> str:
    """Return 64 hexadecimal digits over everything that determines an image.

    Times, owners and the rest of the mode do not count: a builder gets the same ones from every machine.

    Args:
        files: The content of the context.
        dockerfile: Hash of the Dockerfile's bytes.
        settings: Settings of the build, as JSON can hold them.
    """
    listed = sorted([file.name, file.kind, file.sha256] for file in files)
    counted = {"format": FORMAT, "dockerfile": dockerfile, "files": listed, "settings": settings}
    return hash_of_text(json.dumps(counted, sort_keys=True))


def _digest(entry: Entry) -> str:
    if entry.target is not None:
        return hash_of_text(entry.target)
    return read_whole(entry.path)


def _refuse_missing(folder: Path, dockerfile: Path) -> None:
    if not folder.is_dir():
        raise ContextError(f"context {folder} is not a folder in {Path.cwd()}; name the one that holds the Dockerfile")
    if not dockerfile.exists():
        raise ContextError(
            f"{dockerfile} does not exist; write one, or name it with dockerfile=…. "
            "AgentImage.pinned(…) and AgentImage.from_tag(…) need none"
        )
    if problem := unreadable(str(dockerfile), dockerfile.stat().st_mode):
        raise ContextError(f"{dockerfile} {problem}; name the Dockerfile with dockerfile=…")


def _ignore_file(folder: Path, dockerfile: Path) -> Path | None:
    for file in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), folder / ".dockerignore"):
        if file.exists():
            return file
    return None


def _below(folder: Path, file: Path | None) -> list[str]:
    if file is None or not file.absolute().is_relative_to(folder.absolute()):
        return []
    return [file.absolute().relative_to(folder.absolute()).as_posix()]


def _programs(folder: Path, entries: Sequence[Entry]) -> frozenset[str]:
    """Return the names of executable files, by the bit of their owner."""
    # Git's index decides where the file system does not keep the bit, for the files that git has.
    recorded = recorded_programs(folder)
    return frozenset(entry.name for entry in entries if recorded.get(entry.name, bool(entry.mode & stat.S_IXUSR)))
