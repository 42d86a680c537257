"""The frozen copy of a build context: what was hashed is what every builder gets.

A file that is saved while `pulumi up` runs can't get into the image: a builder reads the copy, never the folder. Modes,
owners and times of the copy follow from the content alone, so the same content gives the same layers everywhere.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foundry_agents.sources.build_context import BuildContext, File, content_hash
from foundry_agents.sources.reading import ContextError, hash_of_file, hash_of_text, read_whole, resolved
from foundry_agents.sources.walk import link_target

PLACE = Path(".foundry-agents", "contexts")
"""Where copies are, relative to the program's folder."""

KEPT_S = 24 * 3600.0
"""Seconds for which an unused copy stays: another `pulumi up` may read it."""

ARCHIVED_DOCKERFILE = ".foundry-agents.Dockerfile"
"""The Dockerfile's name in an archive: no content has it."""

_DRAFT = ".new-"

_SECOND = 946_684_800
"""2000-01-01: all times of a copy are in this second."""

_FILE, _PROGRAM, _FOLDER, _LINK = 0o644, 0o755, 0o755, 0o777


@dataclass(frozen=True)
class FrozenContext:
    """A copy of a build context and its Dockerfile.

    Attributes:
        folder: The copy. Its name is the hash: BuildKit keeps what it has received by that name.
        dockerfile: The copy of the Dockerfile, beside the folder.
        files: What is in the folder, sorted by name.
        dockerfile_sha256: Hash of the Dockerfile.
        files_hash: Hash of files and Dockerfile alone.
    """

    folder: Path
    dockerfile: Path
    files: tuple[File, ...]
    dockerfile_sha256: str

    @property
    def files_hash(self) -> str:
        """Hash of files and Dockerfile alone."""
        return content_hash(self.files, self.dockerfile_sha256, {})

    def hash(self, settings: dict[str, object]) -> str:
        """Return 64 hexadecimal digits over files, Dockerfile and settings."""
        return content_hash(self.files, self.dockerfile_sha256, settings)

    def packed(self) -> bytes:
        """Return a gzipped tar file with the Dockerfile as :data:`ARCHIVED_DOCKERFILE`.

        A builder that unpacks it sees what one sees that reads the copy: an ignore file in the archive excludes the
        Dockerfile, and itself, from what ``COPY . .`` copies.
        """
        buffer = io.BytesIO()
        with (
            gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            ignore_file = f"{ARCHIVED_DOCKERFILE}\n.dockerignore\n".encode()
            _add(tar, ".dockerignore", _FILE, ignore_file)
            _add(tar, ARCHIVED_DOCKERFILE, _FILE, self.dockerfile.read_bytes())
            for name in _folders(self.files):
                entry = _entry(name, _FOLDER, _SECOND * 10**9)
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
            for file in self.files:
                path = self.folder / file.name
                if file.kind == "link":
                    entry = _entry(file.name, _LINK, _time_of(file.sha256))
                    entry.type, entry.linkname = tarfile.SYMTYPE, link_target(path)
                    tar.addfile(entry)
                else:
                    _add(tar, file.name, _mode(file), path.read_bytes())
        return buffer.getvalue()


def freeze(context: BuildContext, place: Path, *, now: float) -> FrozenContext:
    """Copy a context, unless there is a copy of the same content already, and delete copies that are not used.

    Args:
        context: What to copy. If it changes meanwhile, what was copied counts.
        place: Folder of all copies.
        now: Seconds since 1970.

    Raises:
        ContextError: The context can't be read, or the copy not written.
    """
    dockerfile_sha256 = hash_of_file(context.dockerfile)
    files = context.digested()
    frozen = _named(place, files, dockerfile_sha256)
    try:
        if not _is_intact(frozen):
            frozen = _copied(context, place, now)
        _note_use(frozen, now)
        _delete_unused(place, now)
    except OSError as error:
        raise ContextError(
            f"the copy of context {context.folder} can't be written to {place}: {error.strerror}; "
            "make the program's folder writable"
        ) from None
    return frozen


def frozen_before(place: Path, files_hash: str) -> FrozenContext | None:
    """Return the copy with this hash that another process has made; None when there is none.

    Args:
        place: Folder of all copies.
        files_hash: Its hash.

    Raises:
        ContextError: It can't be read.
    """
    folder, dockerfile = place / _name(files_hash), place / f"{_name(files_hash)}.Dockerfile"
    if not folder.is_dir() or not dockerfile.is_file():
        return None
    frozen = FrozenContext(folder, dockerfile, _sorted(_files_of(folder)), hash_of_file(dockerfile))
    return frozen if frozen.files_hash == files_hash else None


def _name(files_hash: str) -> str:
    return f"copy-{files_hash[:32]}"


def _named(place: Path, files: tuple[File, ...], dockerfile_sha256: str) -> FrozenContext:
    name = _name(content_hash(files, dockerfile_sha256, {}))
    return FrozenContext(place / name, place / f"{name}.Dockerfile", files, dockerfile_sha256)


def _used(frozen: FrozenContext) -> Path:
    """Return the file whose time is the one of the last use."""
    return frozen.folder.with_name(f"{frozen.folder.name}.used")


def _note_use(frozen: FrozenContext, now: float) -> None:
    _used(frozen).write_bytes(b"")
    os.utime(_used(frozen), (now, now))


def _is_intact(frozen: FrozenContext) -> bool:
    """Return whether a copy is there as it was made; reads all of it, because an edit may keep size and time."""
    try:
        folder = frozen.folder
        folders = [".", *_folders(frozen.files)]
        return (
            not folder.is_symlink()
            and _sorted(_files_of(folder)) == frozen.files
            and sorted(_folders_of(folder)) == sorted(folders)
            and all(_is_as_made(folder / file.name, _mode(file)) for file in frozen.files)
            and all(_is_as_made(folder / name, _FOLDER) for name in folders)
            and hash_of_file(frozen.dockerfile) == frozen.dockerfile_sha256
        )
    except (OSError, ContextError):
        return False


def _is_as_made(path: Path, mode: int) -> bool:
    """Return whether a file or folder has the mode and the time of a copy; of a link neither counts everywhere."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return True
    has_mode = os.name == "nt" or stat.S_IMODE(status.st_mode) == mode
    return has_mode and int(status.st_mtime) == _SECOND


def _sorted(files: Iterable[File]) -> tuple[File, ...]:
    return tuple(sorted(files, key=lambda file: file.name))


def _copied(context: BuildContext, place: Path, now: float) -> FrozenContext:
    """Copy files and Dockerfile, hashing what is written, and give the copy its name in one step."""
    place.mkdir(parents=True, exist_ok=True)
    (place.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=place, prefix=_DRAFT, ignore_cleanup_errors=True) as draft:
        root = Path(draft, "context")
        root.mkdir()
        files = tuple(_copy(context, position, root) for position in range(len(context.entries)))
        folders = _folders(files)
        for name in (".", *folders):
            (root / name).chmod(_FOLDER)
        for name in (*reversed(folders), "."):
            os.utime(root / name, ns=(_SECOND * 10**9, _SECOND * 10**9))
        dockerfile = Path(draft, "Dockerfile")
        dockerfile_sha256 = _write(dockerfile, str(resolved(context.dockerfile)), _FILE)
        frozen = _named(place, files, dockerfile_sha256)
        if not _is_intact(frozen):
            _note_use(frozen, now)  # first, so that a copy of a run that is killed here is deleted one day
            dockerfile.replace(frozen.dockerfile)
            with suppress(FileNotFoundError):  # a copy that was edited
                frozen.folder.rename(Path(draft, "former"))
            try:
                root.rename(frozen.folder)
            except OSError:
                if not _is_intact(frozen):  # else another process has made the same copy meanwhile
                    raise
    return frozen


def _copy(context: BuildContext, position: int, root: Path) -> File:
    entry = context.entries[position]
    path = root / entry.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.target is None:
        program = context.file(entry, "").kind == "program"
        return context.file(entry, _write(path, entry.path, _PROGRAM if program else _FILE))
    path.symlink_to(entry.target)
    copied = context.file(entry, hash_of_text(entry.target))
    _set_time(path, copied.sha256)
    return copied


def _write(path: Path, source: str, mode: int) -> str:
    with path.open("wb") as target:
        sha256 = read_whole(source, target)
    path.chmod(mode)
    _set_time(path, sha256)
    return sha256


def _set_time(path: Path, sha256: str) -> None:
    time = _time_of(sha256)
    if os.utime in os.supports_follow_symlinks:
        os.utime(path, ns=(time, time), follow_symlinks=False)
    elif not path.is_symlink():
        os.utime(path, ns=(time, time))


def _time_of(sha256: str) -> int:
    """Return the time of a file, in nanoseconds since 1970: another one for another content.

    BuildKit receives a file again only if its size, mode or time differ from what it has.
    """
    return _SECOND * 10**9 + int(sha256[:16], 16) % 10**9


def _mode(file: File) -> int:
    return _PROGRAM if file.kind == "program" else _FILE


def _folders(files: Iterable[File]) -> list[str]:
    """Return the folders of files, parents first."""
    found = {str(parent) for file in files for parent in PurePosixPath(file.name).parents}
    return sorted(found - {"."})


def _paths_below(folder: Path) -> Iterable[Path]:
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (Path(here, name) for name in (*names, *links))


def _files_of(folder: Path) -> Iterable[File]:
    for path in _paths_below(folder):
        name, status = path.relative_to(folder).as_posix(), path.lstat()
        if stat.S_ISLNK(status.st_mode):
            yield File(name, "link", hash_of_text(link_target(path)))
        else:
            yield File(name, "program" if status.st_mode & stat.S_IXUSR else "file", hash_of_file(path))


def _folders_of(folder: Path) -> Iterable[str]:
    for here, _folders, _names in os.walk(folder):
        yield Path(here).relative_to(folder).as_posix()


def _delete_unused(place: Path, now: float) -> None:
    for used in place.glob("copy-*.used"):
        if _is_old(used, now):
            shutil.rmtree(used.with_suffix(""), ignore_errors=True)
            for path in (used.with_suffix(".Dockerfile"), used):
                path.unlink(missing_ok=True)
    for draft in place.glob(f"{_DRAFT}*"):  # of a run that was killed
        if _is_old(draft, now):
            shutil.rmtree(draft, ignore_errors=True)


def _is_old(path: Path, now: float) -> bool:
    """Return whether a path has not been written for long; another run may have deleted it meanwhile."""
    try:
        return now - path.stat().st_mtime > KEPT_S
    except FileNotFoundError:
        return False


def _add(tar: tarfile.TarFile, name: str, mode: int, content: bytes) -> None:
    entry = _entry(name, mode, _time_of(hashlib.sha256(content).hexdigest()))
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _entry(name: str, mode: int, time: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    seconds, nanoseconds = divmod(time, 10**9)
    # Python would write a float, which is too coarse; a record takes precedence over the field.
    entry.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09}"}
    return entry
