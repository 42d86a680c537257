"""The home folders of sessions: the content of the agent's ``/home/session`` (service-contract 5.2, 9)."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path, PurePosixPath

from foundry_emulator.dataplane.problem import ServiceProblem, invalid
from foundry_emulator.dataplane.sessions import Session
from foundry_emulator.runtime.base import HOME

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MAX_PATH = 1024


class SessionHomes:
    """A folder for each session, created when needed. A stop keeps it, a delete removes it [azd].

    Args:
        folder: The parent of the homes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, session: Session) -> Path:
        """Return the home of a session, which may not exist yet."""
        return self.at(session.project, session.agent, session.id)

    def at(self, project: str, agent: str, session_id: str) -> Path:
        """Return the home of the session of that id."""
        return self._folder / project / agent / "sessions" / safe_name(session_id)

    def remove(self, session: Session) -> None:
        """Remove a session's home."""
        shutil.rmtree(self.of(session), ignore_errors=True)

    def inside(self, session: Session, path: str) -> Path:
        """Return the place of ``path`` in a session's home.

        The path is relative to the home, also with a leading slash, as in Microsoft's sample [sdk]; or it starts
        with ``/home/session`` itself [modelled].

        Raises:
            ServiceProblem: 400 for a path that leads out of the home, also through a link that the agent created.
        """
        home = self.of(session)
        parts = PurePosixPath("/", path.lstrip("/")).parts
        own = PurePosixPath(HOME).parts
        parts = parts[len(own) if path.startswith("/") and parts[: len(own)] == own else 1 :]
        if ".." in parts or "\0" in path or len(path.encode(errors="replace")) > _MAX_PATH or _is_odd(path):
            raise invalid(f"path must lead to a place in {HOME}.", "path")
        place = home.joinpath(*parts)
        real, root = Path(os.path.realpath(place)), Path(os.path.realpath(home))
        if real != root and root not in real.parents:
            raise invalid(f"path must lead to a place in {HOME}; a link leads out of it.", "path")
        return place


def safe_name(name: str) -> str:
    """Return a folder name for an id that callers choose: the id itself if it is a valid name, else its digest."""
    if _PLAIN.fullmatch(name):
        return name
    return "=" + hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()


def _is_odd(path: str) -> bool:
    """Return whether it has half of a surrogate pair, or is too long for a file name."""
    longest = 255  # bytes, of most file systems
    return any("\ud800" <= character <= "\udfff" for character in path) or any(
        len(part.encode()) > longest for part in path.split("/")
    )


def file_not_found(path: str) -> ServiceProblem:
    """Return a 404, [modelled]."""
    return ServiceProblem(404, "not_found", f"File {path} not found")
