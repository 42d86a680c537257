"""What git knows about a folder: its commit, and executable bits that the file system does not keep."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_TIMEOUT_S = 20
_PROGRAM = "100755"


def revision_of(folder: Path, others: Sequence[Path] = ()) -> str | None:
    """Return the commit that last changed a folder, 12 digits; None with uncommitted changes or without git.

    Files that git ignores don't count, and a shallow clone knows no commit before its first: it is a hint for people.

    Args:
        folder: The folder.
        others: Files elsewhere that count too.
    """
    paths = [".", *(str(path.resolve()) for path in others)]
    if _git(folder, "status", "--porcelain", "--", *paths) != "":
        return None
    return _git(folder, "log", "-1", "--abbrev=12", "--format=%h", "--", *paths) or None


def recorded_programs(folder: Path) -> frozenset[str] | None:
    """Return the paths that git has as executable, where the file system does not keep that bit; None elsewhere.

    So Windows, or a mounted folder whose files are all executable, names a content as Linux does.
    """
    if _git(folder, "config", "--type=bool", "core.fileMode") != "false":
        return None
    listed = _git(folder, "ls-files", "--stage", "-z", "--", ".") or ""
    staged = (line.partition("\t") for line in listed.split("\0"))
    return frozenset(path for status, _, path in staged if status.startswith(_PROGRAM))


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of git; None without git or outside a repository."""
    try:
        done = subprocess.run(  # noqa: S603 (no shell, fixed arguments)
            # Without the optional lock, to look changes nothing: git would write the index of the repository.
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],  # noqa: S607 (the user's own git)
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
