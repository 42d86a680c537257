"""What plugin processes of one run let each other know.

Each instance of the provider is a process of its own, and a resource that moves from one to another is declared in the
new one and deleted in the old one. So each process appends what it declares to a file of its own, which the others of
its run read. The files can only keep things from being deleted: a process whose file can't be read or trusted counts
as one that may declare anything.

The files are in Pulumi's home folder, which only this user can write. They hold endpoints, names and ids, no settings.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

Note = tuple[str, ...]

_NAME = re.compile(r"run-(\d+)\.jsonl", re.ASCII)
_OLD_S = 7 * 24 * 3600.0
"""No run lasts so long."""
_ADDRESS = re.compile(r"[^/\s]+:\d+")


def address() -> str:
    """Return the engine's address: the last argument of every plugin process of a run; "" outside one."""
    return sys.argv[-1] if _ADDRESS.fullmatch(sys.argv[-1]) else ""


def folder() -> Path:
    """Return where the files are: below PULUMI_HOME, or ``.pulumi`` in the user's home."""
    home = os.environ.get("PULUMI_HOME")
    return (Path(home) if home else Path.home() / ".pulumi") / "foundry-agents"


class Notes:
    """The file of this process: opened at the first note, deleted when the process ends."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether others of the run can read what this process notes."""
        return self._file is not None

    def open(self) -> None:
        """Make the file, so that others see that this process is there. Where that is not possible there is none."""
        if self._file is not None or self._closed or not address():
            return
        try:
            self._file = _create(folder() / _name(os.getpid()))
        except (OSError, RuntimeError):  # no home, or not this user's alone
            self._closed = True
            return
        self.add((address(),))

    def add(self, note: Note) -> None:
        """Append a note."""
        self.open()
        if self._file is None:
            return
        try:
            os.write(self._file, json.dumps(note).encode() + b"\n")
        except OSError:
            # The file stays, and so does what is cut off at its end: others can't read it, and delete nothing.
            self._closed, self._file = True, None


def of(process: int, *, of_this_run: bool) -> list[Note] | None:
    """Return all notes of another process; None when they can't be read.

    A process that has not been asked anything yet has no file.

    Args:
        process: Its id.
        of_this_run: Whether it is known to be of this run. What another one has noted is of another run where its file
            says so.
    """
    try:
        path = folder() / _name(process)
        _check_folder(path.parent)
        if not os.path.lexists(path):
            return None if of_this_run and holds_notes(process) else []
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, encoding="utf-8") as file:
            _check_own(os.fstat(handle), stat.S_ISREG)
            lines = file.read().splitlines()
        notes = [tuple(map(str, json.loads(line))) for line in lines]
    except (OSError, RuntimeError, ValueError, TypeError):
        return None
    if notes and notes[0] == (address(),):
        return notes[1:]
    # Of a process of this run it is a file of an earlier process with the same id.
    return None if of_this_run else []


def holds_notes(process: int) -> bool:
    """Return whether a process has opened its file of notes, wherever that is now."""
    import psutil  # noqa: PLC0415 (late: deletes alone need it)

    try:
        if sys.platform == "linux":  # psutil leaves out files that are not there any more
            held = [_target(each) for each in Path(f"/proc/{process}/fd").iterdir()]
        else:
            held = [each.path for each in psutil.Process(process).open_files()]
    except (OSError, psutil.Error):
        return True  # not to be seen: it may
    return any(_NAME.fullmatch(Path(each.removesuffix(" (deleted)")).name) for each in held)


def _target(link: Path) -> str:
    with suppress(OSError):  # closed meanwhile
        return str(link.readlink())
    return ""


def others() -> Iterator[int]:
    """Return the processes that run and have files here, but this one; of other runs, too."""
    with suppress(OSError, RuntimeError):
        for path in folder().iterdir():
            named = _NAME.fullmatch(path.name)
            if named and int(named[1]) != os.getpid() and _is_running(int(named[1])):
                yield int(named[1])


def _create(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_folder(path.parent)
    for left in _left_behind(path.parent, time.time()):
        with suppress(OSError):
            left.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    with suppress(FileNotFoundError):
        path.unlink()  # of a process that was killed and had this id
    handle = os.open(path, flags, 0o600)
    atexit.register(path.unlink, missing_ok=True)
    return handle


def _left_behind(where: Path, now: float) -> Iterator[Path]:
    """Return files of processes that were killed: only names that this module gives, only files, and only old ones.

    Whether a process runs can't be seen from another container that has the same home.
    """
    for path in where.iterdir():
        named, seen = _NAME.fullmatch(path.name), path.lstat()
        is_old = now - seen.st_mtime > _OLD_S
        if named and is_old and stat.S_ISREG(seen.st_mode) and not _is_running(int(named[1])):
            yield path


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there a signal of 0 ends the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _check_folder(path: Path) -> None:
    """Refuse a folder that is a link, belongs to another user, or that others can write.

    Raises:
        RuntimeError: It is.
    """
    _check_own(path.lstat(), stat.S_ISDIR)


def _check_own(seen: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    foreign = hasattr(os, "getuid") and (seen.st_uid != os.getuid() or seen.st_mode & 0o022)
    if not is_kind(seen.st_mode) or foreign:
        raise RuntimeError("not this user's alone")


def _name(process: int) -> str:
    return f"run-{process}.jsonl"
