"""The folder that holds all state of one local Azure, and the lock of the process that serves it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_RETRIES, _RETRY_S = 20, 0.01


class AlreadyRunning(RuntimeError):
    """Another process already runs a local Azure in the folder."""


@dataclass(frozen=True, slots=True)
class Running:
    """The content of ``emulator.json``, which describes a running local Azure.

    Attributes:
        pid: Its process id.
        data_plane: Base URL of data plane and ARM.
        registry: Host and port of the registry.
        page: Base URL of page, tokens and control.
        environment: The variables that clients need to find it; IDENTITY_HEADER is a secret.
    """

    pid: int
    data_plane: str
    registry: str
    page: str
    environment: Mapping[str, str]


class DataFolder:
    """The folder of a local Azure.

    The process that serves from it locks two files, and a killed process leaves no lock behind: ``lock`` keeps a
    second process out, and ``emulator.json`` describes the first; an unlocked one was left by a killed process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None
        self._described: int | None = None

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.path / "azure.sqlite"

    @property
    def registry(self) -> Path:
        """Blobs of the registry."""
        return self.path / "registry"

    @property
    def images(self) -> Path:
        """Unpacked images by digest."""
        return self.path / "images"

    @property
    def code(self) -> Path:
        """Zips of code agents by digest."""
        return self.path / "code"

    @property
    def files(self) -> Path:
        """Content of uploaded files by project and id."""
        return self.path / "files"

    @property
    def tasks(self) -> Path:
        """Contexts and logs of a registry's builds."""
        return self.path / "tasks"

    @property
    def agents(self) -> Path:
        """Homes and logs of agent versions."""
        return self.path / "agents"

    @property
    def tls(self) -> Path:
        """Certificates."""
        return self.path / "tls"

    @property
    def log(self) -> Path:
        """The log of a local Azure started in the background."""
        return self.path / "emulator.log"

    def lock(self) -> None:
        """Lock the folder for this process, until it ends or calls `unlock`.

        Raises:
            AlreadyRunning: Another process has locked it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        # Several tries: `is_locked` of another process holds the lock for a moment.
        if not any(_taken(lock, wait_s) for wait_s in [0.0] + [_RETRY_S] * _RETRIES):
            os.close(lock)
            raise AlreadyRunning(f"a local Azure is already running in {self.path}")
        self._lock = lock

    def unlock(self) -> None:
        """Unlock the folder."""
        if self._described is not None:
            self._description.unlink(missing_ok=True)
            os.close(self._described)
            self._described = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def is_locked(self) -> bool:
        """Return whether any process, this one included, runs a local Azure here."""
        if not (self.path / "lock").is_file():
            return False
        lock = os.open(self.path / "lock", os.O_RDWR)
        try:
            return not _taken(lock, 0.0, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def describe(self, running: Running) -> None:
        """Write ``emulator.json``, readable by its owner only."""
        document = {
            "pid": running.pid,
            "data_plane": running.data_plane,
            "registry": running.registry,
            "page": running.page,
            "environment": dict(running.environment),
        }
        draft = self._description.with_suffix(".draft")
        self._described = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        # Locked before it is renamed: a reader that finds it unlocked knows that its writer has ended.
        fcntl.flock(self._described, fcntl.LOCK_EX)
        os.write(self._described, json.dumps(document, indent=2).encode())
        draft.replace(self._description)

    def running(self) -> Running | None:
        """Return the local Azure that runs here and takes requests, or None."""
        try:
            description = self._description.open("rb")
        except FileNotFoundError:
            return None
        with description:
            if _taken(description.fileno(), 0.0, fcntl.LOCK_SH):
                return None
            document = json.load(description)
        return Running(
            pid=document["pid"],
            data_plane=document["data_plane"],
            registry=document["registry"],
            page=document["page"],
            environment=document["environment"],
        )

    def clear(self) -> None:
        """Delete all state; keep the certificates, so that clients need no new bundle."""
        for name in ("azure.sqlite", "azure.sqlite-wal", "azure.sqlite-shm", "emulator.log", "emulator.json"):
            (self.path / name).unlink(missing_ok=True)
        for folder in (self.registry, self.images, self.code, self.files, self.agents):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _description(self) -> Path:
        return self.path / "emulator.json"


def _taken(lock: int, wait_s: float, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock the file after ``wait_s`` seconds; return whether that worked."""
    time.sleep(wait_s)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
