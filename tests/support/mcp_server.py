"""A real MCP server for tests, on loopback, that records the headers of its requests."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass
class Served:
    """A running server.

    Attributes:
        url: Where it is.
        requests: The headers of each request, names in lower case.
    """

    url: str
    requests: list[dict[str, str]] = field(default_factory=list)

    def saw(self, name: str) -> set[str | None]:
        """Return the values of a header in all requests."""
        return {headers.get(name) for headers in self.requests}


@contextlib.contextmanager
def mcp_server(*, key: str | None = None) -> Iterator[Served]:
    """Serve ``add(a, b)`` and ``fail()``; with a key, only to requests with that ``x-api-key``."""
    server = MCPServer("orders", version="1")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @server.tool()
    def fail() -> str:
        """Fail."""
        raise ToolError("out of stock")

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        served = Served(f"http://127.0.0.1:{bound.getsockname()[1]}/mcp")
        app = _Guard(server.streamable_http_app(stateless_http=True), served, key)
        running = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=running.run, args=([bound],), daemon=True)
        thread.start()
        while not running.started:
            assert thread.is_alive()
            time.sleep(0.005)
        try:
            yield served
        finally:
            running.should_exit = True
            thread.join()


class _Guard:
    def __init__(self, app: ASGIApp, served: Served, key: str | None) -> None:
        self._app = app
        self._served = served
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self._served.requests.append(headers)
        if self._key is not None and headers.get("x-api-key") != self._key:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)
