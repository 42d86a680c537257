"""Files of this machine that a vector store holds."""

from __future__ import annotations

import errno
import hashlib
import stat
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes, in hexadecimal digits.

    Raises:
        OSError: It can't be read.
    """
    if not path.is_dir() and not stat.S_ISREG(path.stat().st_mode):  # to open a named pipe would wait for a writer
        raise OSError(errno.EINVAL, "it is not a file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
