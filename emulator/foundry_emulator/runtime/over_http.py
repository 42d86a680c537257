"""What the runtimes with real agents share: readiness and calls over HTTP, free ports, the last lines of stderr."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import httpx2

from foundry_emulator.clock import Clock
from foundry_emulator.runtime.base import PROVISIONING_ERROR, AgentAnswer, AgentCall, StartFailed, Workload

_POLL_S = 0.05
_PORTS = range(20_000, 32_000)  # below Linux's range for outgoing connections
_SHOWN_LINES, _SHOWN_CHARACTERS = 5, 600
_MASKED_FROM = 4  # characters; masking shorter values would garble every line
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


class Started(Protocol):
    """A started agent, which may not be ready yet."""

    @property
    def alive(self) -> bool:
        """Whether it is still running."""
        ...

    async def failure(self) -> StartFailed:
        """Wait for its end; return why it ended before it was ready."""
        ...

    async def stop(self) -> None:
        """Stop it; return when it has ended."""
        ...


class Served:
    """The HTTP side of an agent on a port of this machine.

    Args:
        port: Its port.
        client: Sends the requests.
        cause: Returns the reason why it can't be reached, for an error.
    """

    def __init__(
        self, port: int, client: httpx2.AsyncClient, cause: Callable[[httpx2.HTTPError], Awaitable[str]]
    ) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._client = client
        self._cause = cause

    async def ready(self) -> bool:
        """Return whether ``GET /readiness`` answers 200 now."""
        try:
            answer = await self._client.get(f"{self._base}/readiness", timeout=2.0)
        except httpx2.HTTPError:
            return False
        return answer.status_code == httpx2.codes.OK

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:
        """Send ``call``; see `foundry_emulator.runtime.base.Instance.call`."""
        request = self._client.build_request(
            call.method,
            self._base + call.path,
            headers=dict(call.headers),
            content=call.body,
            timeout=httpx2.Timeout(timeout_s, connect=5.0),
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx2.TimeoutException:
            raise TimeoutError(f"no answer within {timeout_s:g} s") from None
        except httpx2.HTTPError as problem:
            raise ConnectionError(await self._cause(problem)) from None
        headers = {name: value for name, value in response.headers.items() if name not in _HOP_BY_HOP}
        headers.pop("content-encoding", None)  # httpx2 decodes
        return AgentAnswer(response.status_code, headers, _body(response))


def new_client() -> httpx2.AsyncClient:
    """Return a client for the agents of a runtime."""
    return httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=32))


async def until_ready(started: Started, served: Served, workload: Workload, clock: Clock) -> None:
    """Wait until the agent is ready; stop one that is not, or whose start is cancelled.

    Args:
        started: The agent.
        served: Its HTTP side.
        workload: The workload, with its timeout.
        clock: The time of the wait; real time, since agents run in it.

    Raises:
        StartFailed: It ended before it was ready, or was not ready in time.
    """
    try:
        await _until_ready(started, served, workload, clock)
    except BaseException:
        await started.stop()
        raise


async def _until_ready(started: Started, served: Served, workload: Workload, clock: Clock) -> None:
    deadline = clock.now() + workload.readiness_timeout_s
    while clock.now() < deadline:
        if not started.alive:
            raise await started.failure()
        if await served.ready():
            return
        await clock.sleep(_POLL_S)
    shown = await asyncio.to_thread(last_lines, workload)
    raise StartFailed(
        PROVISIONING_ERROR,
        f"ReadinessTimeout: GET /readiness on the port in PORT did not answer 200 "
        f"within {workload.readiness_timeout_s:g} s. {shown}",
    )


def free_port() -> int:
    """Return a port that is free now; if another program takes it first, the agent's start fails."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise StartFailed(PROVISIONING_ERROR, f"No port is free between {_PORTS.start} and {_PORTS.stop}.")


def last_lines(workload: Workload) -> str:
    """Return the last lines of an agent's stderr, with the values of its variables masked."""
    stderr = workload.folder / "stderr.log"
    text = stderr.read_bytes()[-64 * 1024 :].decode(errors="replace") if stderr.is_file() else ""
    secrets = {workload.environment.get(name, "") for name in workload.private} | workload.secrets
    for value in sorted((s for s in secrets if len(s) >= _MASKED_FROM), key=len, reverse=True):
        text = text.replace(value, "***")
    lines = [line for line in text.splitlines() if line.strip()][-_SHOWN_LINES:]
    if not lines:
        return "It wrote nothing to stderr."
    return "Last lines of stderr: " + " | ".join(lines)[-_SHOWN_CHARACTERS:]


async def _body(response: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for part in response.aiter_bytes():
            yield part
    except httpx2.HTTPError as problem:
        raise ConnectionError(str(problem) or type(problem).__name__) from None
    finally:
        await response.aclose()
