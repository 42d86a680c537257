"""The seam between the data plane and whatever runs agents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foundry_emulator.registry import PulledImage

IMAGE_ERROR, CODE_ERROR, PROVISIONING_ERROR = "ImageError", "CodeError", "ProvisioningError"
"""Error codes of failed versions (service-contract 10.1)."""

HOME = "/home/session"
"""An agent's home (service-contract 9)."""


class StartFailed(Exception):
    """A workload that did not become ready.

    Attributes:
        code: ``ImageError``, ``CodeError`` or ``ProvisioningError``.
        message: the cause, without values of environment variables.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RuntimeUnavailable(RuntimeError):
    """What a runtime needs is not on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a code agent runs.

    Attributes:
        archive: the zip.
        sha256: its digest in hex.
        entry_point: program and arguments.
    """

    archive: Path
    sha256: str
    entry_point: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """One agent version to run, for all of its sessions or for one.

    Attributes:
        agent: the agent's name.
        version: the version's number.
        image: what to run; None for code, and where images are not checked (`Settings.check_pull`).
        environment: the agent's variables and the platform's, which win over the image's.
        private: names of the variables whose values must not be shown: those of the agent.
        secrets: parts of values, which must not be shown either.
        folder: its own folder, for logs; may not exist yet.
        home: the agent's HOME; may not exist yet.
        readiness_timeout_s: seconds until it must be ready.
        code: what to run, of a code agent.
        cpu: cores that it may use, such as ``0.5``.
        memory: memory that it may use, such as ``1Gi``.
        puller: principal that pulls the image.
    """

    agent: str
    version: str
    image: PulledImage | None
    environment: Mapping[str, str]
    private: frozenset[str]
    folder: Path
    home: Path
    readiness_timeout_s: float
    code: Code | None = None
    secrets: frozenset[str] = frozenset()
    cpu: str = "0.5"
    memory: str = "1Gi"
    puller: str = ""


@dataclass(frozen=True, slots=True)
class AgentCall:
    """A request to a running agent.

    Attributes:
        path: such as ``/responses``.
        headers: all that it gets, in lower case.
        body: the body.
        method: HTTP method.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """What a running agent answered.

    Attributes:
        status: HTTP status.
        headers: in lower case.
        body: the parts of the body; must be read to its end or closed.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


class Instance(Protocol):
    """A workload that runs: for all sessions of a version, or for one of them."""

    @property
    def alive(self) -> bool:
        """Whether it can be called."""
        ...

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:
        """Sends ``call``; the answer must begin within ``timeout_s`` seconds.

        Raises:
            ConnectionError: it can't be reached.
            TimeoutError: it did not begin to answer in time.
        """
        ...

    async def stop(self) -> None:
        """Stops it; returns when it has ended."""
        ...


class Runtime(Protocol):
    """Starts workloads."""

    async def start(self, workload: Workload) -> Instance:
        """Runs ``workload`` and returns when it is ready.

        Raises:
            StartFailed: with the cause.
        """
        ...

    async def close(self) -> None:
        """Releases what instances share; they have been stopped before."""
        ...
