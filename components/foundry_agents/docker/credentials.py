"""Docker's credentials for registries, read and written where Docker stores them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import docker.auth
import docker.errors

from foundry_agents.lifecycle.failure.image_errors import DockerSettingsError

TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 (a name, not a password)
"""The user name for a token of an Azure registry [docs]."""

HELPER_TIMEOUT_S = 30.0
"""How long a credential helper may take before a push; it may ask a person to unlock a key ring [ours]."""

_PREFIX = "docker-credential-"
_IDENTITY_TOKEN = "<token>"  # noqa: S105 (how a helper says that it has an identity token)

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


def stored_login(folder: Path, host: str, *, timeout_s: float = HELPER_TIMEOUT_S) -> Login | None:
    """Return what Docker would use for a registry; None when it has nothing, or can't read what it has.

    Args:
        folder: Docker's folder of settings.
        host: The registry.
        timeout_s: How long a credential helper may take: it may ask a person, or hang.
    """
    try:
        settings = _settings(folder / "config.json")
        helper = _helper(settings, host)
        if helper and (login := _login_of_helper(helper, host, timeout_s)):
            return login
        # docker-py takes the usual store also where an empty helper says otherwise, and waits for it without end.
        auths = {"auths": settings.get("auths") or {}}
        found = docker.auth.load_config(config_dict=auths).resolve_authconfig(host)
    except (
        DockerSettingsError,
        docker.errors.DockerException,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OSError,
    ):
        return None  # what Docker can't read either is no credential
    names = {name.lower(): value for name, value in (found or {}).items()}
    if token := names.get("identitytoken"):
        return Login(TOKEN_USER, str(token))
    return Login(str(names["username"]), str(names["password"])) if names.get("password") else None


def store_login(folder: Path, host: str, login: Login) -> str | None:
    """Store a login where Docker looks for it: in the credential store of its settings, else in the file itself.

    Where that store does not work, the login goes into the file, and an empty helper for this host makes Docker look
    there [docker/cli]. Other entries stay as they are. The file is replaced in one step, and only its owner can read
    it.

    Returns:
        Why the login is in the file although the settings name a store; None for the usual case.

    Raises:
        DockerSettingsError: The file is no JSON object, or can't be read or written. It stays as it is.
    """
    file = folder / "config.json"
    with _writing:
        settings = _settings(file)
        helpers, auths = _object(settings, "credHelpers", file), _object(settings, "auths", file)
        helper = _helper(settings, host)
        trouble = _stored_by_helper(helper, host, login) if helper else None
        if helper and trouble is None:
            return None
        auths[host] = {"auth": _base64(f"{login.username}:{login.password}")}
        settings["auths"] = auths
        if helper:
            settings["credHelpers"] = {**helpers, host: ""}
        _write(file, json.dumps(settings, indent=2))
        return trouble


def require_credential_store(folder: Path) -> None:
    """Raise before a build that can't begin: Docker's tools list the usual credential store first, for any registry.

    Raises:
        DockerSettingsError: Its program is missing or fails. A helper of a single registry stops nothing.
    """
    file = folder / "config.json"
    try:
        store = str(_settings(file).get("credsStore") or "")
    except DockerSettingsError:
        return  # Docker takes such a file for an empty one
    if not store:
        return
    program, why = f"{_PREFIX}{store}", ""
    if not _is_installed(store):
        why = f"the credential store {program} is not installed"
    else:
        try:
            json.loads(_answer_of(store, "list", ""))
        except (_HelperError, ValueError):
            why = f"the credential store {program} failed to list its logins"
    if why:
        do = f'correct or install {program}, or take "credsStore" out of the file: Docker then keeps logins in the file'
        raise DockerSettingsError(file, why, do=do)


def helper_trouble(folder: Path, host: str) -> str | None:
    """Return why Docker can't ask the credential helper of its settings for a registry's login, or None."""
    file = folder / "config.json"
    try:
        helper = _helper(_settings(file), host)
    except DockerSettingsError as error:
        return error.why
    if helper and not _is_installed(helper):
        return f"{file} names the credential helper {_PREFIX}{helper}, which is not installed"
    return None


def _helper(settings: Mapping[str, object], host: str) -> str:
    """Return the name of the credential helper of a host, as Docker chooses it; "" for the file itself."""
    helpers = settings.get("credHelpers")
    own = helpers.get(host) if isinstance(helpers, Mapping) else None
    return str(own if own is not None else settings.get("credsStore") or "")


def _is_installed(helper: str) -> bool:
    return shutil.which(f"{_PREFIX}{helper}") is not None


def _stored_by_helper(helper: str, host: str, login: Login) -> str | None:
    """Give a login to a credential helper; return why it does not take it, or None."""
    program = f"{_PREFIX}{helper}"
    if not _is_installed(helper):
        return f"the credential helper {program} of Docker's settings is not installed"
    login_as_json = json.dumps({"ServerURL": host, "Username": login.username, "Secret": login.password})
    try:
        _answer_of(helper, "store", login_as_json)
    except _HelperError:
        return f"the credential helper {program} of Docker's settings failed"
    return None


class _HelperError(Exception):
    """A credential helper failed or took too long; what it wrote may hold anything, and is in no text."""


def _login_of_helper(helper: str, host: str, timeout_s: float) -> Login | None:
    """Return what a helper has for a registry, or None."""
    try:
        found = json.loads(_answer_of(helper, "get", host, timeout_s))
    except (_HelperError, ValueError):
        return None
    if not isinstance(found, dict) or not found.get("Secret"):
        return None
    name = str(found.get("Username") or "")
    return Login(TOKEN_USER if name == _IDENTITY_TOKEN else name, str(found["Secret"]))


def _answer_of(helper: str, verb: str, text: str, timeout_s: float = HELPER_TIMEOUT_S) -> bytes:
    """Run a credential helper as Docker does, and return what it prints. docker-py's own call has no timeout.

    Raises:
        _HelperError: It is not installed, failed, or did not end in time.
    """
    try:
        done = subprocess.run(  # noqa: S603 (the program that the user's settings name)
            [shutil.which(f"{_PREFIX}{helper}") or f"{_PREFIX}{helper}", verb],
            input=text.encode(),
            capture_output=True,
            timeout=timeout_s,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        raise _HelperError(helper) from None
    return done.stdout


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _settings(file: Path) -> dict[str, object]:
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DockerSettingsError(file, f"it can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DockerSettingsError(file, "it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise DockerSettingsError(file, f"it is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise DockerSettingsError(file, "it is not a JSON object")
    return found


def _object(settings: Mapping[str, object], name: str, file: Path) -> dict[str, object]:
    """Return an object of the settings; empty where there is none."""
    found = settings.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise DockerSettingsError(file, f'"{name}" is not an object')
    return dict(found)


def _write(file: Path, text: str) -> None:
    file = file.resolve()  # a link to a file elsewhere stays a link
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix="config.json.")  # readable by its owner alone
        with os.fdopen(descriptor, "w", encoding="utf-8") as part:
            part.write(text)
        Path(name).replace(file)
    except OSError as error:
        raise DockerSettingsError(file, f"it can't be written: {error.strerror}") from None
