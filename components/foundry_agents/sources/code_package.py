"""CodePackage: a folder of source that the service runs, instead of an image."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.inputs.version_parts import BUNDLED
from foundry_agents.lifecycle.schema.enums import Runtime

IGNORE_FILE = ".agentignore"
NEVER_PACKED = frozenset({".git", ".venv", "__pycache__"})
"""Created by tools: their bytes differ between machines."""

LARGEST_ZIP = 250 * 1024 * 1024
"""Bytes [sdk]."""

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = stat.S_IFREG | 0o755
"""Mode of every file: not every system keeps the executable bit."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class CodePackage:
    """Source code that the service runs as a hosted agent, without an image of your own.

    The folder is packed into a zip that is the same, byte for byte, on every machine: files sorted by name, without
    times, owners and compression. Its SHA-256 is part of the agent's definition. So a changed byte is a new version; a
    touched file, another checkout or another path is not.

    ``.agentignore`` in the folder (same syntax as .gitignore) excludes files; ``.git``, ``.venv`` and ``__pycache__``
    are always excluded. Empty folders are not packed.

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
            InputError: When the folder can't be packed; lists every file that prevents it.
        """
        with packed(Path(self.folder)) as (_, sha256):
            return {
                "sha256": sha256,
                "runtime": str(self.runtime),
                "entry_point": list(self.entry_point),
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
        except (OSError, UnicodeDecodeError) as error:
            raise InputError("the agent's code", [Problem("code", f"{folder} can't be read: {error}")]) from None
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
    size = sum(path.stat().st_size for _, path in files)
    if not problems and size <= LARGEST_ZIP:
        _write(files, archive)
        size = archive.tell()
    if size > LARGEST_ZIP:
        problems.append(Problem("code", _too_large(folder, size, files)))
    if problems:
        raise InputError("the agent's code", problems)


def _write(files: Sequence[tuple[str, Path]], target: BinaryIO) -> None:
    # Not compressed: builds of zlib differ in their output, and the digest of the zip decides about a new version.
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_STORED
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            with path.open("rb") as source, archive.open(entry, "w") as packed_file:
                while chunk := source.read(_CHUNK):
                    packed_file.write(chunk)


def _files(folder: Path, problems: list[Problem]) -> list[tuple[str, Path]]:
    """Return the files to pack by their names in the zip, sorted; append a problem for each that can't be packed."""
    if not folder.is_dir():
        problems.append(Problem("code", f"{folder} is not a folder"))
        return []
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 (late: only programs with code need it)

    ignore_file = folder / IGNORE_FILE
    lines = ignore_file.read_text(encoding="utf-8").splitlines() if ignore_file.is_file() else []
    ignored = GitIgnoreSpec.from_lines(lines)
    root = folder.resolve()
    found: list[tuple[str, Path]] = []
    for where, folders, names in os.walk(folder):
        here = Path(where)

        def name_of(name: str, here: Path = here) -> str:
            return (here / name).relative_to(folder).as_posix()

        wanted = [
            one for one in sorted(folders) if one not in NEVER_PACKED and not ignored.match_file(f"{name_of(one)}/")
        ]
        links = [one for one in wanted if (here / one).is_symlink()]
        problems += [Problem("code", f"{name_of(one)} is a link to a folder: it can't be packed") for one in links]
        folders[:] = [one for one in wanted if one not in links]
        for one in names:
            name, path = name_of(one), here / one
            if one in NEVER_PACKED or name == IGNORE_FILE or ignored.match_file(name):
                continue
            if reason := _why_not(path, root):
                problems.append(Problem("code", f"{name} {reason}; or exclude it in {IGNORE_FILE}"))
            else:
                found.append((name, path))
    return sorted(found)


def _why_not(path: Path, root: Path) -> str | None:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return "is a link out of the folder: replace it with the file"
    if not path.is_file():
        return "is not a readable file"
    if not os.access(path, os.R_OK):
        return "has no read permission"
    return None


def _too_large(folder: Path, size: int, files: Sequence[tuple[str, Path]]) -> str:
    largest = sorted(files, key=lambda found: found[1].stat().st_size, reverse=True)[:3]
    names = ", ".join(f"{name} ({path.stat().st_size / 1024**2:.1f} MB)" for name, path in largest)
    return (
        f"{folder} is {size / 1024**2:.1f} MB packed, and {LARGEST_ZIP // 1024**2} MB is the limit; largest: {names}. "
        f'Exclude what is not needed in {IGNORE_FILE}, let the service install dependencies ("remote_build"), or use '
        "an image"
    )
