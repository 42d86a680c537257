"""A build context: the files that a builder reads, their size, and one hash over all that determines the image."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pathspec

MEGABYTE = 1_000_000
SHOWN = 5
"""How many of the largest files the error for a context that is too large lists."""

_GIT_TIMEOUT_S = 20
_CHUNK = 1 << 20


class ContextError(ValueError):
    """The folder is not usable as a build context; the text says why and what to do."""


@dataclass(frozen=True)
class BuildContext:
    """The files that a builder reads.

    Attributes:
        folder: The folder of the context.
        dockerfile: The Dockerfile; may be outside of the folder.
        files: Paths below the folder, sorted, without those that the ignore file excludes.
    """

    folder: Path
    dockerfile: Path
    files: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, dockerfile: Path | None, *, limit_mb: float) -> BuildContext:
        """Read a folder.

        The ignore file is ``<Dockerfile>.dockerignore``, else ``.dockerignore`` in the folder, as in Docker: a pattern
        starts at the root, and the last matching pattern wins.

        Raises:
            ContextError: When folder or Dockerfile is missing, or the context has more than ``limit_mb`` megabytes.
        """
        if not folder.is_dir():
            raise ContextError(f"context {folder} is not a folder; name the one that holds the Dockerfile")
        found = dockerfile or folder / "Dockerfile"
        if not found.is_file():
            raise ContextError(
                f"{found} does not exist; write one, or name it with dockerfile=…. "
                "AgentImage.pinned(…) and AgentImage.from_tag(…) need none"
            )
        context = cls(folder, found, tuple(sorted(_kept(folder, _ignored(folder, found)))))
        context._refuse_too_large(limit_mb)
        return context

    def hash(self, settings: Mapping[str, object]) -> str:
        """Return 64 hexadecimal digits over names, contents, executable bits and settings.

        Times, owners and the rest of the mode do not count: they differ between checkouts.
        """
        whole = hashlib.sha256()
        _part(whole, "Dockerfile", self.dockerfile.read_bytes())
        for name in self.files:
            path = self.folder / name
            if path.is_symlink():
                _part(whole, f"link {name}", str(path.readlink()).encode())
            else:
                executable = os.access(path, os.X_OK)
                _part(whole, f"{'program' if executable else 'file'} {name}", _digest(path))
        for name, value in sorted(settings.items()):
            _part(whole, f"setting {name}", repr(value).encode())
        return whole.hexdigest()

    def packed(self) -> bytes:
        """Return a gzipped tar file: the same bytes for the same content, the Dockerfile at :attr:`dockerfile_name`."""
        buffer = io.BytesIO()
        # Times and owners are zero in the entries, and so is the time in gzip's header.
        with (
            gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
        ):
            for name in self.files:
                _entry(tar, name, self.folder / name)
            if self.dockerfile_name not in self.files:
                _entry(tar, self.dockerfile_name, self.dockerfile)
        return buffer.getvalue()

    @property
    def dockerfile_name(self) -> str:
        """Path of the Dockerfile in :meth:`packed`."""
        if self.dockerfile.resolve().is_relative_to(self.folder.resolve()):
            return self.dockerfile.resolve().relative_to(self.folder.resolve()).as_posix()
        return self.dockerfile.name

    def revision(self) -> str | None:
        """Return the commit that last changed the folder, 12 digits; None with uncommitted changes or without git."""
        if _git(self.folder, "status", "--porcelain", "--", ".") != "":
            return None
        return _git(self.folder, "log", "-1", "--abbrev=12", "--format=%h", "--", ".") or None

    def _refuse_too_large(self, limit_mb: float) -> None:
        sizes = {name: (self.folder / name).lstat().st_size for name in self.files}
        total = sum(sizes.values())
        if total <= limit_mb * MEGABYTE:
            return
        largest = sorted(sizes, key=lambda name: -sizes[name])[:SHOWN]
        listed = ", ".join(f"{name} ({sizes[name] / MEGABYTE:.1f} MB)" for name in largest)
        raise ContextError(
            f"context {self.folder} is {total / MEGABYTE:.1f} MB, more than {limit_mb:g} MB: {listed}; exclude what "
            "the image does not need in .dockerignore, or raise context_limit_mb"
        )


def _kept(folder: Path, ignored: pathspec.PathSpec[pathspec.Pattern]) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        base = Path(here).relative_to(folder)
        # A link to a folder is an entry of the context; it is not followed into another tree.
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in (*files, *links):
            path = PurePosixPath((base / name).as_posix())
            if not ignored.match_file(str(path)):
                yield str(path)


def _ignored(folder: Path, dockerfile: Path) -> pathspec.PathSpec[pathspec.Pattern]:
    """Return the rules of the ignore file, as BuildKit applies them.

    Not docker-py's ``exclude_paths``: it deviates from BuildKit where an exception has a wildcard (``!**/keep.txt``
    re-includes nothing), where one file is re-included from a folder that ``**`` excludes (all of the folder
    is), and in ``[^a]``, ``../`` and upper case. The tests hold what BuildKit's own matcher answers.
    """
    lines: list[str] = []
    for file in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), folder / ".dockerignore"):
        if file.is_file():
            lines = file.read_text(encoding="utf-8-sig").splitlines()
            break
    rules = []
    for line in (raw.strip() for raw in lines):
        if line and not line.startswith("#"):
            negation = "!" if line.startswith("!") else ""
            pattern = _as_gitignore(os.path.normpath(line.removeprefix("!").strip()).lstrip("/"))
            # "." names the root itself, which is never excluded.
            if pattern != ".":
                # A pattern that excludes a folder excludes everything below it.
                rules += [f"{negation}/{pattern}", f"{negation}/{pattern}/**"]
    # Not GitIgnoreSpec: in git a file can't come back once its folder is excluded; in Docker it can.
    return pathspec.PathSpec.from_lines("gitignore", rules)


def _as_gitignore(pattern: str) -> str:
    """Rewrite the two forms that git reads otherwise: ``[!a]`` is a literal "!", ``**a`` is ``**/a``."""
    return re.sub(r"(^|/)\*\*(?=[^/*])", r"\1**/", pattern.replace("[!", r"[\!"))


def _entry(tar: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    if path.is_symlink():
        entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, str(path.readlink())
        tar.addfile(entry)
        return
    content = path.read_bytes()
    entry.size, entry.mode = len(content), 0o755 if os.access(path, os.X_OK) else 0o644
    tar.addfile(entry, io.BytesIO(content))


def _part(whole: hashlib._Hash, label: str, content: bytes) -> None:
    """Add one labelled part, with lengths, so that no two other parts give the same bytes."""
    for piece in (label.encode(), content):
        whole.update(len(piece).to_bytes(8, "big"))
        whole.update(piece)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of git; None without git or outside a repository."""
    try:
        done = subprocess.run(  # noqa: S603 (no shell, fixed arguments)
            ["git", "-C", str(folder), *arguments],  # noqa: S607 (the user's own git)
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
