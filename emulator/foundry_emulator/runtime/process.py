"""The `process` runtime: an image's entrypoint as an ordinary process of this machine, no Docker.

The image is unpacked by digest and its entrypoint started in its working directory, below the unpacked
folder. A program that the image does not contain is only ever ``python``: it is lent from the interpreter
that runs the local Azure, with its installed packages, which is what images of application code alone (from
``foundry-emulator push``) rely on. There is **no isolation**: same user, same file system, same network; the
declared cpu and memory are not enforced. A code agent's zip runs the same way; its dependencies are neither built
nor downloaded: they are in the zip, or among the lent packages. Use the `docker` runtime or the service for that.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

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
from foundry_emulator.runtime.unpack import unpacked, unpacked_code

_LAUNCHER = Path(__file__).with_name("launch.py")
_CANNOT_EXECUTE = 126
_POLL_S = 0.05
_LAST_WORD_S = 0.5
_GRACE_S = 5.0  # between SIGTERM and SIGKILL
_PORTS = range(20_000, 32_000)  # below what Linux gives to outgoing connections
_SHOWN_LINES, _SHOWN_CHARACTERS = 5, 600
_MASKED_FROM = 4  # characters; masking shorter values would garble every line
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


class ProcessRuntime:
    """Runs workloads as child processes.

    Children are in process groups of their own and, on Linux, are killed with the local Azure even when it is
    killed with SIGKILL; elsewhere, and for a child's own children, only an orderly stop ends them.

    Args:
        folder: for unpacked images.
        clock: paces the wait for readiness; real time, since processes live in it.
    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=32))

    async def start(self, workload: Workload) -> Instance:
        """Unpacks the image, starts it and waits for ``GET /readiness`` to answer 200."""
        container = await asyncio.to_thread(self._container, workload)
        program, arguments = container.command()
        port = _free_port()
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
        started = _Process(process, port, self._client)
        try:
            await self._until_ready(started, workload)
        except BaseException:
            await started.stop()
            raise
        return started

    async def close(self) -> None:
        """Closes the connections to agents."""
        await self._client.aclose()

    def _container(self, workload: Workload) -> Container:
        """What the workload runs in, unpacked; blocks."""
        if workload.code is not None:
            return Container.of_code(workload.code, unpacked_code(workload.code, self._folder))
        if workload.image is None:
            raise StartFailed(
                PROVISIONING_ERROR, "The process runtime needs an image from the local registry (check_pull)."
            )
        return Container.of_image(workload.image, unpacked(workload.image, self._folder))

    async def _until_ready(self, started: "_Process", workload: Workload) -> None:
        deadline = self._clock.now() + workload.readiness_timeout_s
        while self._clock.now() < deadline:
            if not started.alive:
                shown = await asyncio.to_thread(_last_lines, workload)
                code = await started.wait()
                if code == _CANNOT_EXECUTE:
                    raise StartFailed(CODE_ERROR, f"The entrypoint can't be executed. {shown}")
                raise StartFailed(CODE_ERROR, f"The agent exited with code {code} before it was ready. {shown}")
            if await started.ready():
                return
            await self._clock.sleep(_POLL_S)
        shown = await asyncio.to_thread(_last_lines, workload)
        raise StartFailed(
            PROVISIONING_ERROR,
            f"ReadinessTimeout: GET /readiness on the port in PORT did not answer 200 "
            f"within {workload.readiness_timeout_s:g} s. {shown}",
        )


class _Process:
    """A started agent."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, client: httpx.AsyncClient) -> None:
        self._process = process
        self._base = f"http://127.0.0.1:{port}"
        self._client = client

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        return await self._process.wait()

    async def ready(self) -> bool:
        try:
            answer = await self._client.get(f"{self._base}/readiness", timeout=2.0)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:
        request = self._client.build_request(
            call.method,
            self._base + call.path,
            headers=dict(call.headers),
            content=call.body,
            timeout=httpx.Timeout(timeout_s, connect=5.0),
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TimeoutException:
            raise TimeoutError(f"no answer within {timeout_s:g} s") from None
        except httpx.HTTPError as problem:
            raise ConnectionError(await self._cause(problem)) from None
        headers = {name: value for name, value in response.headers.items() if name not in _HOP_BY_HOP}
        headers.pop("content-encoding", None)  # httpx decodes
        return AgentAnswer(response.status_code, headers, _body(response))

    async def stop(self) -> None:
        if self.alive:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _GRACE_S)
        self._signal(signal.SIGKILL)  # also for children that it left behind in its group
        await self._process.wait()

    async def _cause(self, problem: httpx.HTTPError) -> str:
        """Why it could not be reached; waits a moment, since its end is heard of a little after its silence."""
        with contextlib.suppress(TimeoutError):
            return f"it exited with code {await asyncio.wait_for(self._process.wait(), _LAST_WORD_S)}"
        return str(problem) or type(problem).__name__

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _free_port() -> int:
    """A port that is free now; whoever takes it before the agent does makes that start fail."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise StartFailed(PROVISIONING_ERROR, f"No port is free between {_PORTS.start} and {_PORTS.stop}.")


def _last_lines(workload: Workload) -> str:
    """The end of what the agent wrote to stderr, values of its variables masked."""
    text = (workload.folder / "stderr.log").read_bytes()[-64 * 1024 :].decode(errors="replace")
    secrets = {workload.environment.get(name, "") for name in workload.private} | workload.secrets
    for value in sorted((s for s in secrets if len(s) >= _MASKED_FROM), key=len, reverse=True):
        text = text.replace(value, "***")
    lines = [line for line in text.splitlines() if line.strip()][-_SHOWN_LINES:]
    if not lines:
        return "It wrote nothing to stderr."
    return "Last lines of stderr: " + " | ".join(lines)[-_SHOWN_CHARACTERS:]


async def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in response.aiter_bytes():
            yield part
    except httpx.HTTPError as problem:
        raise ConnectionError(str(problem) or type(problem).__name__) from None
    finally:
        await response.aclose()
