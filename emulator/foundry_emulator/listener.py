"""A listener: a bound socket, its server, and the journal in front of the application."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from foundry_emulator.journal import Journal
from foundry_emulator.transport import Joining

LOOPBACK = "127.0.0.1"
_BACKLOG = 512
_TICK_S = 0.005
_KEEP_ALIVE_S = 75  # longer than clients keep idle connections, so that the clients end them


class PortInUse(OSError):
    """Another program listens on the port.

    Attributes:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use by another program")
        self.port = port


def bind(port: int) -> socket.socket:
    """Return a socket bound to ``port`` of the loopback interface; 0 takes a free one.

    Raises:
        PortInUse: Another program listens on it.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
        bound.listen(_BACKLOG)
    except OSError as problem:
        bound.close()
        raise PortInUse(port) from problem
    bound.setblocking(False)  # noqa: FBT003  the standard library's signature
    return bound


def port_of(bound: socket.socket) -> int:
    """Return the port of a bound socket."""
    port: int = bound.getsockname()[1]
    return port


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol; it also gives the application its transport, because faults drop connections."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        super().connection_made(Joining(transport, self.loop))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: three servers share one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """Serves ``app`` on ``bound``, over TLS when a certificate is given."""

    def __init__(self, app: ASGIApp, bound: socket.socket, *, certificate: tuple[Path, Path] | None = None) -> None:
        chain, key = certificate or (None, None)
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=2,
            ssl_certfile=chain,
            ssl_keyfile=key,
        )
        self._server = _Server(config)
        self._bound = bound
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to serve; return when requests are taken."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve([self._bound]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise RuntimeError("the listener ended before it started")
            await asyncio.sleep(_TICK_S)

    async def stop(self) -> None:
        """Give running requests at most 2 seconds, then close everything."""
        self._server.should_exit = True
        state = self._server.server_state
        while self._task is not None and not self._task.done():
            if not state.tasks:
                # An idle client does not answer a TLS shutdown: waiting for it would take those 2 seconds.
                for connection in list(state.connections):
                    connection.transport.abort()
            await asyncio.sleep(_TICK_S)
        self._bound.close()


class Journaled:
    """ASGI middleware: gives each request its id and writes it to the journal.

    The entry is written when the response starts, before its first byte is sent, so that a caller with a
    response finds it in the journal. A request whose connection was dropped is entered when it ends.
    """

    def __init__(self, app: ASGIApp, journal: Journal, plane: Callable[[str], str | None]) -> None:
        self._app = app
        self._journal = journal
        self._plane = plane
        # Ids are not secrets; the system's randomness costs a system call for each.
        self._ids = random.Random(secrets.randbits(128))  # noqa: S311  (see above)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        state = scope["state"]
        state["request_id"] = f"{self._ids.getrandbits(128):032x}"
        plane = self._plane(scope["path"])
        if plane is None:
            await self._app(scope, receive, send)
            return
        entered = False

        def enter(status: int | None) -> None:
            nonlocal entered
            entered = True
            self._journal.record(
                plane=plane,
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                status=state.get("committed", status),
                fault=state.get("fault"),
                principal=state.get("principal"),
                request_id=state["request_id"],
            )

        async def entering(message: Message) -> None:
            if not entered and message["type"] == "http.response.start":
                enter(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, entering)
        finally:
            if not entered:
                enter(None)
