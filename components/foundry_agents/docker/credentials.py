"""Docker's credentials for registries, read and written where Docker stores them."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import docker.auth
import docker.credentials
import docker.errors

TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 (a name, not a password)
"""The user name for a token of an Azure registry [docs]."""

_writing = threading.Lock()


@dataclass(frozen=True)
class Login:
    """A user name and a password or token; never shown."""

    username: str
    password: str

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return f"Basic {_base64(f'{self.username}:{self.password}')}"

    def __repr__(self) -> str:
        return f"Login({self.username!r}, [secret])"


def stored_login(folder: Path, host: str) -> Login | None:
    """Return what Docker would use for a registry; None when it has nothing."""
    try:
        found = docker.auth.load_config(str(folder / "config.json")).resolve_authconfig(host) or {}
    except (docker.errors.DockerException, ValueError, OSError):
        return None  # what Docker can't read either is no credential
    names = {name.lower(): value for name, value in found.items()}
    if token := names.get("identitytoken"):
        return Login(TOKEN_USER, str(token))
    return Login(str(names["username"]), str(names["password"])) if names.get("password") else None


def store_login(folder: Path, host: str, login: Login) -> None:
    """Store a login where Docker looks for it: in the credential store of its settings, else in the file itself.

    Other entries stay as they are. The file is replaced in one step, and only its owner can read it.
    """
    with _writing:
        file = folder / "config.json"
        settings = _settings(file)
        helpers, usual = settings.get("credHelpers"), settings.get("credsStore")
        program = (helpers.get(host) if isinstance(helpers, dict) else None) or usual
        if program:
            store = docker.credentials.Store(str(program))
            store.store(host, login.username, login.password)  # type: ignore[no-untyped-call]  # docker's stubs
            return
        auths = settings.setdefault("auths", {})
        if isinstance(auths, dict):
            auths[host] = {"auth": _base64(f"{login.username}:{login.password}")}
        _write(file, json.dumps(settings, indent=2))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _settings(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix="config.json.")  # readable by its owner alone
    with os.fdopen(descriptor, "w", encoding="utf-8") as part:
        part.write(text)
    Path(name).replace(file)
