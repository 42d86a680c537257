"""The interface between the data plane and the runtimes."""

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
        message: The cause, without values of environment variables.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RuntimeUnavailable(RuntimeError):
    """The runtime lacks something on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a code agent.

    Attributes:
        archive: The zip.
        sha256: Its digest in hex.
        entry_point: Program and arguments.
    """

    archive: Path
    sha256: str
    entry_point: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """One agent version to run, for all of its sessions or for one.

    Attributes:
        agent: The agent's name.
        version: The version's number.
        image: The image to run; None for code, and where images are not checked (`Settings.check_pull`).
        environment: The agent's variables and the platform's; they override the image's.
        private: Names of the variables whose values must not be shown: the agent's.
        secrets: Parts of values that must not be shown either.
        folder: The workload's own folder, for logs; may not exist yet.
        home: The agent's HOME; may not exist yet.
        readiness_timeout_s: Seconds until it must be ready.
        code: The code to run, for a code agent.
        cpu: Cores that it may use, such as ``0.5``.
        memory: Memory that it may use, such as ``1Gi``.
        puller: Principal that pulls the image.
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
        path: The path, such as ``/responses``.
        headers: All headers of the request, in lower case.
        body: The body.
        method: HTTP method.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """The response of a running agent.

    Attributes:
        status: HTTP status.
        headers: The headers, in lower case.
        body: The parts of the body; must be read to its end or closed.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


class Instance(Protocol):
    """A running workload, for all sessions of a version or for one of them."""

    @property
    def alive(self) -> bool:
        """Whether it can be called."""
        ...

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:
        """Send ``call``; the response must start within ``timeout_s`` seconds.

        Raises:
            ConnectionError: It can't be reached.
            TimeoutError: The response did not start in time.
        """
        ...

    async def stop(self) -> None:
        """Stop it; return when it has ended."""
        ...


class Runtime(Protocol):
    """Starts workloads."""

    async def start(self, workload: Workload) -> Instance:
        """Run ``workload``; return when it is ready.

        Raises:
            StartFailed: It did not become ready; the error has the cause.
        """
        ...

    async def close(self) -> None:
        """Release what instances share, after they have been stopped."""
        ...
