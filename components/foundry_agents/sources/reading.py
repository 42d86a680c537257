"""Reading files that others may write at the same time: a file is read whole as it was at one moment, or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
TRIES = 3
"""How often a file that changes while it is read is read again [ours]."""

# To open a named pipe would wait for a writer; a file may have become one, or a link, after it was found.
_AS_A_FILE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class ContextError(ValueError):
    """The folder is not usable as a build context; the text says why and what to do."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        all_of_them = "\n  ".join((f"{len(problems)} problems", *problems))
        super().__init__(problems[0] if len(problems) == 1 else all_of_them)


def read_whole(path: str, target: BinaryIO | None = None) -> str:
    """Read a regular file as it was at one moment, and return the SHA-256 of its bytes in hex.

    Args:
        path: The file; a link is not followed.
        target: Gets the bytes.

    Raises:
        ContextError: It can't be read, is no regular file any more, or changes each time it is read.
        OSError: ``target`` can't be written.
    """
    for _ in range(TRIES):
        if target is not None:
            target.seek(0)
            target.truncate()
        try:
            with _opened(path) as file:
                before = os.fstat(file.fileno())
                sha256, size = _copied(file, before.st_size, target)
                after = os.fstat(file.fileno())
        except _ReadError as error:
            raise ContextError(f"{shown(path)} {error}; run the command again") from None
        # The time of the last change of the inode: a writer may set the other one back, as rsync does.
        times = [(status.st_mtime_ns, status.st_ctime_ns) for status in (before, after)]
        if size == before.st_size == after.st_size and times[0] == times[1]:
            return sha256
    raise ContextError(f"{shown(path)} changes while it is read: exclude it, or run the command again when it does not")


class _ReadError(Exception):
    """The file, not the target, is the trouble."""


def _opened(path: str) -> BinaryIO:
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | _AS_A_FILE), "rb")
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file
        file.close()
    except OSError as error:
        raise _ReadError(f"can't be read: {error.strerror}") from None
    raise _ReadError("is not a file any more")


def _copied(file: BinaryIO, expected: int, target: BinaryIO | None) -> tuple[str, int]:
    """Return hash and size; at most one byte more than expected is read, which shows that a log grows."""
    whole, size = hashlib.sha256(), 0
    while size <= expected:
        try:
            piece = file.read(min(CHUNK, expected + 1 - size))
        except OSError as error:
            raise _ReadError(f"can't be read: {error.strerror}") from None
        if not piece:
            break
        size += len(piece)
        whole.update(piece)
        if target is not None:
            target.write(piece)
    return whole.hexdigest(), size


def hash_of_file(path: Path) -> str:
    """Return the SHA-256 of a regular file in hex; a link is followed.

    Raises:
        ContextError: It can't be read.
    """
    return read_whole(str(resolved(path)))


def resolved(path: Path) -> Path:
    """Return where a link leads.

    Raises:
        ContextError: To nothing, or to itself.
    """
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):  # before Python 3.13 a loop is a RuntimeError
        raise ContextError(f"{shown(str(path))} is not there any more; run the command again") from None


def hash_of_text(text: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def head_of(path: str) -> Callable[[int], bytes]:
    """Return a function that reads the first bytes of a regular file; none of what can't be read."""

    def read(most: int) -> bytes:
        try:
            with _opened(path) as file:
                return file.read(most)
        except (OSError, _ReadError):
            return b""

    return read


def shown(name: str) -> str:
    """Return a path as text that every terminal can print."""
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in readable)
