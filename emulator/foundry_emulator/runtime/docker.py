"""The `docker` runtime: an image as a container of a Docker daemon, pulled by digest from the local registry.

The container has the declared cpu and memory, the image's own user, ``/home/session`` from this machine, and this
machine's network: it reaches the local Azure under the names that every client uses, and listens on the port in PORT,
which is not 8088 here. It requires Linux images and a daemon on this machine. Code agents need the `process`
runtime: no public base image is available offline.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import docker
import httpx2
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from foundry_emulator.clock import Clock
from foundry_emulator.runtime.base import (
    CODE_ERROR,
    HOME,
    IMAGE_ERROR,
    PROVISIONING_ERROR,
    AgentAnswer,
    AgentCall,
    Instance,
    RuntimeUnavailable,
    StartFailed,
    Workload,
)
from foundry_emulator.runtime.over_http import Served, free_port, last_lines, new_client, until_ready

_LABEL = "foundry-emulator"
_GRACE_S = 5  # between SIGTERM and SIGKILL
_LAST_WORD_S = 0.5
_UNITS = {"Gi": 2**30, "Mi": 2**20}
_SHOWN_CHARACTERS = 300


def daemon() -> docker.DockerClient:
    """Return the Docker daemon that DOCKER_HOST names, by default the socket of this machine.

    Raises:
        RuntimeUnavailable: No daemon answers.
    """
    try:
        return docker.from_env(version="auto")
    except (DockerException, OSError) as problem:
        raise RuntimeUnavailable(
            f"no Docker daemon answers ({_short(problem)}); start one, name it in DOCKER_HOST, "
            "or use --runtime process, which needs none"
        ) from None


class DockerRuntime:
    """Runs workloads as containers.

    Containers are removed when they are stopped, and with the local Azure; those that a killed one left are
    removed when the next one starts in the same folder.

    Args:
        engine: The daemon.
        owner: Label of this local Azure's containers.
        registry: Host and port to pull from.
        login: The registry's user name and password for a principal.
        trusted: Files that containers see under the same path, read-only: those that the CA variables name.
        clock: The time of the wait for readiness; real time, since containers run in it.
    """

    def __init__(
        self,
        engine: docker.DockerClient,
        *,
        owner: str,
        registry: str,
        login: Callable[[str], Mapping[str, str]],
        trusted: Sequence[Path],
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._registry = registry
        self._login = login
        self._trusted = trusted
        self._clock = clock
        self._docker = engine
        self._client = new_client()
        for left in engine.containers.list(all=True, ignore_removed=True, filters={"label": f"{_LABEL}={owner}"}):
            left.remove(force=True)

    async def start(self, workload: Workload) -> Instance:
        """Pull and start the image; wait until ``GET /readiness`` returns 200."""
        port = free_port()
        started = await asyncio.to_thread(self._run, workload, port)
        await until_ready(started, started.served, workload, self._clock)
        return started

    async def close(self) -> None:
        """Close the connections to agents and to the daemon."""
        await self._client.aclose()
        self._docker.close()

    def _run(self, workload: Workload, port: int) -> _Contained:
        """Return a started container; blocks."""
        if workload.image is None:
            raise StartFailed(PROVISIONING_ERROR, "The docker runtime runs images from the local registry alone.")
        reference = f"{self._registry}/{workload.image.repository}"
        digest = workload.image.manifest.digest
        try:
            login = dict(self._login(workload.puller))
            self._docker.images.pull(f"{reference}@{digest}", auth_config=login, platform="linux/amd64")
        except (APIError, ImageNotFound) as problem:
            raise StartFailed(IMAGE_ERROR, f"Failed to pull container image. {_short(problem)}") from None
        except (DockerException, OSError) as problem:
            raise StartFailed(PROVISIONING_ERROR, f"The Docker daemon did not answer: {_short(problem)}") from None
        workload.folder.mkdir(parents=True, exist_ok=True)
        workload.home.mkdir(parents=True, exist_ok=True)
        workload.home.chmod(0o777)  # the image chooses its user
        (workload.folder / "stderr.log").unlink(missing_ok=True)
        container: Container | None = None
        try:
            container = self._docker.containers.create(
                f"{reference}@{digest}",
                environment=dict(workload.environment) | {"PORT": str(port), "HOME": HOME},
                labels={_LABEL: self._owner, f"{_LABEL}.version": f"{workload.agent}:{workload.version}"},
                network_mode="host",
                nano_cpus=int(Decimal(workload.cpu) * 1_000_000_000),
                mem_limit=_bytes(workload.memory),
                memswap_limit=_bytes(workload.memory),
                volumes=[f"{workload.home}:{HOME}", *(f"{path}:{path}:ro" for path in self._trusted)],
            )
            container.start()
        except DockerException as problem:
            if container is not None:
                container.remove(force=True)
            raise StartFailed(CODE_ERROR, f"The container can't be started. {_short(problem)}") from None
        return _Contained(container, port, self._client, workload)


class _Contained:
    """A started container; two threads copy its output into the logs, and end with it."""

    def __init__(self, container: Container, port: int, client: httpx2.AsyncClient, workload: Workload) -> None:
        self._container = container
        self._workload = workload
        self._copying = [
            threading.Thread(target=self._copy, args=(stream,), name=f"{stream} of {container.name}", daemon=True)
            for stream in ("stdout", "stderr")
        ]
        for copying in self._copying:
            copying.start()
        self.served = Served(port, client, self._cause)

    @property
    def alive(self) -> bool:
        return all(copying.is_alive() for copying in self._copying)

    async def failure(self) -> StartFailed:
        how = await asyncio.to_thread(self._end)
        shown = await asyncio.to_thread(last_lines, self._workload)
        return StartFailed(CODE_ERROR, f"The agent {how} before it was ready. {shown}")

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:
        return await self.served.call(call, timeout_s=timeout_s)

    async def stop(self) -> None:
        await asyncio.to_thread(self._remove)

    def _remove(self) -> None:
        with contextlib.suppress(NotFound):
            with contextlib.suppress(APIError):
                self._container.stop(timeout=_GRACE_S)
            self._container.remove(force=True)
        for copying in self._copying:
            copying.join(_GRACE_S)

    def _copy(self, stream: str) -> None:
        """Copy a stream into its log, from the container's start until it ends."""
        path = self._workload.folder / f"{stream}.log"
        with contextlib.suppress(DockerException, OSError), path.open("ab") as file:
            for text in self._container.logs(
                stream=True, follow=True, stdout=stream == "stdout", stderr=stream == "stderr"
            ):
                file.write(text)
                file.flush()

    def _end(self) -> str:
        """Return a text on how it ended; all of its output is in the logs by then."""
        for copying in self._copying:
            copying.join(_GRACE_S)
        try:
            self._container.wait(timeout=_GRACE_S)
            self._container.reload()
            state = self._container.attrs["State"]
        except (DockerException, OSError):
            return "ended"
        if state["OOMKilled"]:
            return f"was killed for using more than {self._workload.memory} of memory"
        return f"exited with code {state['ExitCode']}"

    async def _cause(self, problem: httpx2.HTTPError) -> str:
        """Return why it could not be reached, after a moment: its end is known a little later than its silence."""
        await asyncio.to_thread(self._copying[0].join, _LAST_WORD_S)
        if not self.alive:
            return f"it {await asyncio.to_thread(self._end)}"
        return str(problem) or type(problem).__name__


def _bytes(memory: str) -> int:
    """Return a quantity such as ``1Gi`` in bytes."""
    return int(Decimal(memory[:-2]) * _UNITS[memory[-2:]])


def _short(problem: Exception) -> str:
    """Return the daemon's own text, in one line."""
    text = getattr(problem, "explanation", None) or str(problem)
    return " ".join(str(text).split())[:_SHOWN_CHARACTERS]
