"""Lists and calls the tools of MCP servers. Imports the MCP client, which takes a second: import it late."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import anyio
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Tool

from foundry_emulator.dataplane.remote_servers import RemoteProblem, RemoteServer

_MOST_PAGES = 100
_MASKED_FROM, _SHOWN = 4, 300  # characters


async def list_remote(server: RemoteServer, timeout_s: float) -> list[Tool]:
    """Return the allowed tools of a server.

    Raises:
        RemoteProblem: It can't be called, or its response is not valid.
    """
    found: list[Tool] = []
    async with _asked(server, timeout_s) as client:
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
    return [tool for tool in found if server.allowed is None or tool.name in server.allowed]


async def call_remote(
    server: RemoteServer, tool: str, arguments: dict[str, object], timeout_s: float
) -> CallToolResult:
    """Call a server's tool and return the result.

    Raises:
        RemoteProblem: As in `list_remote`; or the tool is not allowed.
    """
    if server.allowed is not None and tool not in server.allowed:
        raise RemoteProblem(f"MCP server '{server.label}': allowed_tools does not name '{tool}'.")
    async with _asked(server, timeout_s) as client:
        return await client.call_tool(tool, arguments)


@contextlib.asynccontextmanager
async def _asked(server: RemoteServer, timeout_s: float) -> AsyncIterator[Client]:
    if server.problem:
        raise RemoteProblem(server.problem)
    try:
        with anyio.fail_after(timeout_s):
            async with (
                httpx2.AsyncClient(
                    headers=dict(server.headers), timeout=timeout_s, trust_env=not server.is_local
                ) as http,
                Client(streamable_http_client(server.url, http_client=http), cache=None) as client,
            ):
                yield client
    except TimeoutError:
        raise RemoteProblem(f"MCP server '{server.label}' did not answer within {timeout_s:g} s.") from None
    except Exception as problem:  # noqa: BLE001  whatever a remote server does is an error of the tool, not a 500
        raise RemoteProblem(f"MCP server '{server.label}' could not be used: {_cause(problem, server)}") from None


def _cause(problem: BaseException, server: RemoteServer) -> str:
    """Return the first cause, without the credential."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    text = problem.message if isinstance(problem, MCPError) else f"{type(problem).__name__}: {problem}"
    for value in server.headers.values():
        if len(value) >= _MASKED_FROM:
            text = text.replace(value, "***")
    return text[:_SHOWN]
