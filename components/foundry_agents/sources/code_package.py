"""CodePackage: a folder of source that the service runs, instead of an image."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.inputs.version_parts import BUNDLED
from foundry_agents.lifecycle.schema.enums import Runtime
from foundry_agents.lifecycle.schema.lists import listed
from foundry_agents.sources.entry_point import entry_point_problems
from foundry_agents.sources.exclusions import credential_in, name_of_exception, never_content
from foundry_agents.sources.ignore_file import IgnoreFile, IgnoreFileError
from foundry_agents.sources.reading import ContextError, head_of, read_whole, shown
from foundry_agents.sources.walk import Entry, unreadable, walk

IGNORE_FILE = ".agentignore"

LARGEST_ZIP = 250 * 1024 * 1024
"""Bytes [sdk]."""

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = stat.S_IFREG | 0o755
"""Mode of every file: not every system keeps the executable bit."""


@dataclass(frozen=True)
class CodePackage:
    """Source code that the service runs as a hosted agent, without an image of your own.

    The folder is packed into a zip that is the same, byte for byte, on every machine: files sorted by name, without
    times, owners and compression. Its SHA-256 is part of the agent's definition. So a changed byte is a new version; a
    touched file, another checkout or another path is not.

    ``.agentignore`` in the folder (same syntax as .gitignore) excludes files. Version control, virtual environments,
    caches, ``.env`` and other settings of one machine are left out anyway, unless a line like ``!.env`` names them. A
    file that looks like a credential is refused. Empty folders are not packed. ``.gitignore`` is not read: bundled
    dependencies are often in it.

    Attributes:
        folder: The folder, absolute or relative to the program's.
        entry_point: Command and arguments that start the agent, for example ``["python", "main.py"]``.
        runtime: Language runtime; ``Runtime.of("…")`` for one that is newer than this release.
        dependency_resolution: ``bundled`` when the folder holds all dependencies; ``remote_build`` lets the service
            install those in its manifest, for example requirements.txt.
    """

    folder: str | os.PathLike[str]
    entry_point: Sequence[str]
    runtime: Runtime | str = Runtime.PYTHON_3_13
    dependency_resolution: str = BUNDLED

    def as_input(self) -> dict[str, object]:
        """Return the input ``code`` of HostedAgentVersion; reads every file of the folder.

        Raises:
            InputError: When the folder can't be packed, or nothing in it can start; lists every problem.
        """
        problems = [
            Problem(f"code.{name}", f"must be {what}, got {type(value).__name__}: it is read while the program runs")
            for name, value, kinds, what in (
                ("folder", self.folder, (str, os.PathLike), "a path"),
                ("runtime", self.runtime, (str,), "a text"),
                ("dependency_resolution", self.dependency_resolution, (str,), "a text"),
            )
            if not isinstance(value, kinds)
        ]
        entry_point: list[Any] = []
        if isinstance(self.entry_point, str):
            example = json.dumps(self.entry_point.split(), ensure_ascii=False)
            problems.append(Problem("code.entry_point", f"must be a list of texts, not one text: write {example}"))
        else:
            entry_point = listed("code.entry_point", self.entry_point, "texts", problems)
        problems += [
            Problem(f"code.entry_point[{position}]", f"must be a text, got {type(item).__name__}")
            for position, item in enumerate(entry_point)
            if not isinstance(item, str)
        ]
        if problems:
            raise InputError("the agent's code", problems)
        folder = Path(self.folder)
        with packed(folder) as (archive, sha256):
            names = frozenset(zipfile.ZipFile(archive).namelist())
            problems += entry_point_problems(entry_point, str(self.runtime), self.dependency_resolution, names)
            if problems:
                raise InputError("the agent's code", problems)
            return {
                "sha256": sha256,
                "runtime": str(self.runtime),
                "entry_point": entry_point,
                "dependency_resolution": self.dependency_resolution,
            }


@contextmanager
def as_planned(folder: Path, sha256: str) -> Iterator[BinaryIO]:
    """Pack a folder again and yield the zip, which must be the one that was planned.

    Raises:
        InputError: When the folder can't be packed, or has changed since its digest was taken.
    """
    with packed(folder) as (archive, found):
        if found != sha256:
            problem = Problem(
                "code",
                f"{folder} has changed since this deployment was planned (planned {sha256[:12]}…, now {found[:12]}…): "
                "nothing was posted; run `pulumi up` again when no process writes to it",
            )
            raise InputError("the agent's code", [problem])
        yield archive


@contextmanager
def packed(folder: Path) -> Iterator[tuple[BinaryIO, str]]:
    """Yield the zip of a folder, open at its start, and its SHA-256 in hex; the zip is deleted afterwards.

    Raises:
        InputError: When the folder can't be packed; lists every file that prevents it.
    """
    with (
        tempfile.TemporaryDirectory(prefix="foundry-agents-") as draft,
        # The service wants an upload whose name ends in .zip.
        (Path(draft) / "code.zip").open("w+b") as archive,
    ):
        try:
            _pack(folder, archive)
        except (OSError, ContextError) as error:
            raise InputError("the agent's code", [Problem("code", f"{folder} can't be packed: {error}")]) from None
        archive.seek(0)
        sha256 = hashlib.file_digest(archive, "sha256").hexdigest()
        archive.seek(0)
        yield archive, sha256


def _pack(folder: Path, archive: BinaryIO) -> None:
    problems: list[Problem] = []
    files = _files(folder, problems)
    if not problems and not files:
        problems.append(Problem("code", f"{folder} has no file to pack"))
    # The zip is larger than its files, by some bytes for each: the limit is checked before and after packing.
    size = sum(file.size for file in files)
    if not problems and size <= LARGEST_ZIP:
        _write(files, archive)
        size = archive.tell()
    if size > LARGEST_ZIP:
        problems.append(Problem("code", _too_large(folder, size, files)))
    if problems:
        raise InputError("the agent's code", problems)


def _write(files: Sequence[Entry], target: BinaryIO) -> None:
    # Not compressed: builds of zlib differ in their output, and the digest of the zip decides about a new version.
    with zipfile.ZipFile(target, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_STORED
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            content = io.BytesIO()
            read_whole(file.path, content)
            archive.writestr(entry, content.getbuffer())


def _files(folder: Path, problems: list[Problem]) -> list[Entry]:
    """Return the files to pack, sorted by name; append a problem for each that can't be packed."""
    if not folder.is_dir():
        problems.append(Problem("code", f"{folder} is not a folder in {Path.cwd()}"))
        return []
    file = folder / IGNORE_FILE
    try:
        ignore = IgnoreFile.git(file if file.exists() else None, IGNORE_FILE)
    except IgnoreFileError as problem:
        problems.append(Problem("code", str(problem)))
        return []
    listing = walk(folder, ignore, leave_out=[IGNORE_FILE])
    problems += [Problem("code", problem) for problem in listing.problems]
    found = []
    for entry in listing.entries:
        if entry.target is None:
            found.append(entry)
        elif isinstance(linked := _linked(entry, folder.resolve(), ignore), Entry):
            found.append(linked)
        else:
            problems.append(Problem("code", f"{shown(entry.name)} {linked}, or exclude it in {IGNORE_FILE}"))
    return found


def _linked(entry: Entry, root: Path, ignore: IgnoreFile) -> Entry | str:
    """Return the file that a link points to, under the link's name; or why it can't be packed."""
    try:
        path = Path(entry.path).resolve(strict=True)
        status = path.stat()
    except (OSError, RuntimeError):  # before Python 3.13 a loop is a RuntimeError
        return "is a link to nothing, or to itself: remove it"
    if path.is_dir():
        return "is a link to a folder: replace it with the folder"
    if not path.is_relative_to(root):
        return "is a link out of the folder: replace it with the file"
    name = path.relative_to(root).as_posix()
    parts = name.split("/")
    special = [(part, core) for part in parts if (core := never_content(part))]
    if credential_in(name, head_of(str(path))):
        special.append((parts[-1], name_of_exception(parts[-1])))
    if ignore.excludes(name) or not all(ignore.returns(name, part, core) for part, core in special):
        return f"is a link to {shown(name)}, which is not packed: remove it"
    if problem := unreadable(str(path), status.st_mode):
        return f"is a link to {shown(name)}, which {problem}: remove it"
    return Entry(entry.name, str(path), status.st_size, status.st_mode)


def _too_large(folder: Path, size: int, files: Sequence[Entry]) -> str:
    largest = sorted(files, key=lambda file: -file.size)[:3]
    names = ", ".join(f"{shown(file.name)} ({file.size / 1024**2:.1f} MB)" for file in largest)
    return (
        f"{folder} is {size / 1024**2:.1f} MB packed, and {LARGEST_ZIP // 1024**2} MB is the limit; largest: {names}. "
        f'Exclude what is not needed in {IGNORE_FILE}, let the service install dependencies ("remote_build"), or use '
        "an image"
    )
