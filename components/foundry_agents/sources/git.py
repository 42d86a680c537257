"""What git knows about a folder: its commit, and executable bits that the file system does not keep."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TIMEOUT_S = 10
_PROGRAM = "100755"
_COMMIT = re.compile(r"[0-9a-f]{12,40}")
_ELSEWHERE = re.compile(r"GIT_(?!CONFIG)")
"""Variables such as GIT_DIR, of a hook for example, are about another repository; settings hold for all."""
_SETTINGS = (
    "--no-optional-locks",  # without the optional lock, to look changes nothing: git would write its index
    *("-c", "core.fsmonitor=false"),  # a program that a repository names
    *("-c", "log.showSignature=false"),  # text before the commit
)


def revision_of(folder: Path, others: Sequence[Path] = ()) -> str | None:
    """Return the commit that last changed a folder, 12 digits; None with uncommitted changes or without git.

    Files that git ignores don't count, and a shallow clone knows no commit before its first: it is a hint for people.

    Args:
        folder: The folder.
        others: Files elsewhere that count too.
    """
    paths = [".", *(str(path.resolve()) for path in others)]
    if _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", *paths) != "":
        return None
    found = _git(folder, "log", "-1", "--abbrev=12", "--format=%h", "--", *paths) or ""
    return found if _COMMIT.fullmatch(found) else None


def recorded_programs(folder: Path) -> Mapping[str, bool]:
    """Return which files git has as executable, by path, where the file system does not keep that bit; else nothing.

    So Windows, or a mounted folder whose files are all executable, names a content as Linux does.
    """
    if _git(folder, "config", "--type=bool", "core.fileMode") != "false":
        return {}
    listed = _git(folder, "ls-files", "--stage", "-z", "--recurse-submodules", "--", ".") or ""
    staged = (line.partition("\t") for line in listed.split("\0") if line)
    return {path: status.startswith(_PROGRAM) for status, _, path in staged}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of git; None without git or outside a repository."""
    try:
        done = subprocess.run(  # noqa: S603 (no shell, fixed arguments)
            ["git", *_SETTINGS, "-C", str(folder), *arguments],  # noqa: S607 (the user's own git)
            env={name: value for name, value in os.environ.items() if not _ELSEWHERE.match(name)},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
