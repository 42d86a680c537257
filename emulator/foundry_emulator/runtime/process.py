"""The `process` runtime: an image's entrypoint as an ordinary process of this machine, without Docker.

The image is unpacked by digest and its entrypoint started in its working directory, below the unpacked
folder. The only program that the image need not contain is ``python``: the runtime provides the interpreter
that runs the local Azure, with its installed packages. Images of application code only (from
``foundry-emulator push``) rely on it. There is **no isolation**: same user, same file system, same network; the
declared cpu and memory are not enforced. A code agent's zip runs the same way; its dependencies are neither built
nor downloaded: they must be in the zip or among the provided packages. The `docker` runtime has no such limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import httpx2

from foundry_emulator.clock import Clock
from foundry_emulator.runtime.base import (
    CODE_ERROR,
    PROVISIONING_ERROR,
    AgentAnswer,
    AgentCall,
    Instance,
    StartFailed,
    Workload,
)
from foundry_emulator.runtime.container import Container
from foundry_emulator.runtime.over_http import Served, free_port, last_lines, new_client, until_ready
from foundry_emulator.runtime.unpack import unpacked, unpacked_code

_LAUNCHER = Path(__file__).with_name("launch.py")
_CANNOT_EXECUTE = 126
_LAST_WORD_S = 0.5
_GRACE_S = 5.0  # between SIGTERM and SIGKILL


class ProcessRuntime:
    """Runs workloads as child processes.

    Each child has its own process group and, on Linux, is killed with the local Azure even when that is
    killed with SIGKILL; on other systems, and for a child's own children, only an orderly stop ends them.

    Args:
        folder: The parent of unpacked images.
        clock: The time of the wait for readiness; real time, since processes run in it.
    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._client = new_client()

    async def start(self, workload: Workload) -> Instance:
        """Unpack and start the image; wait until ``GET /readiness`` returns 200."""
        container = await asyncio.to_thread(self._container, workload)
        program, arguments = container.command()
        port = free_port()
        workload.folder.mkdir(parents=True, exist_ok=True)
        workload.home.mkdir(parents=True, exist_ok=True)
        environment = container.environment() | dict(workload.environment)
        environment |= {"PORT": str(port), "HOME": str(workload.home)}
        with (workload.folder / "stdout.log").open("ab") as out, (workload.folder / "stderr.log").open("wb") as err:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-S", str(_LAUNCHER), str(os.getpid()), program, *arguments),
                cwd=container.working_directory(),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        started = _Process(process, port, self._client, workload)
        await until_ready(started, started.served, workload, self._clock)
        return started

    async def close(self) -> None:
        """Close the connections to agents."""
        await self._client.aclose()

    def _container(self, workload: Workload) -> Container:
        """Return the unpacked container of the workload; blocks."""
        if workload.code is not None:
            return Container.of_code(workload.code, unpacked_code(workload.code, self._folder))
        if workload.image is None:
            raise StartFailed(
                PROVISIONING_ERROR, "The process runtime needs an image from the local registry (check_pull)."
            )
        return Container.of_image(workload.image, unpacked(workload.image, self._folder))


class _Process:
    """A started agent."""

    def __init__(
        self, process: asyncio.subprocess.Process, port: int, client: httpx2.AsyncClient, workload: Workload
    ) -> None:
        self._process = process
        self._workload = workload
        self.served = Served(port, client, self._cause)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def failure(self) -> StartFailed:
        shown = await asyncio.to_thread(last_lines, self._workload)
        code = await self._process.wait()
        if code == _CANNOT_EXECUTE:
            return StartFailed(CODE_ERROR, f"The entrypoint can't be executed. {shown}")
        return StartFailed(CODE_ERROR, f"The agent exited with code {code} before it was ready. {shown}")

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:
        return await self.served.call(call, timeout_s=timeout_s)

    async def stop(self) -> None:
        if self.alive:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _GRACE_S)
        self._signal(signal.SIGKILL)  # also ends children that it left in its group
        await self._process.wait()

    async def _cause(self, problem: httpx2.HTTPError) -> str:
        """Return why it could not be reached, after a moment: its end is known a little later than its silence."""
        with contextlib.suppress(TimeoutError):
            return f"it exited with code {await asyncio.wait_for(self._process.wait(), _LAST_WORD_S)}"
        return str(problem) or type(problem).__name__

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
