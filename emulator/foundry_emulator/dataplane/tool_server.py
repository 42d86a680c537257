"""A toolbox version as an MCP server. Imports the MCP server library, which takes a second: import it late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from foundry_emulator.dataplane.hosted_tools import HostedTool
from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.dataplane.remote_servers import RemoteProblem, RemoteServer
from foundry_emulator.dataplane.remote_tools import call_remote, list_remote

_PASSED_ON = frozenset({b"accept", b"content-type"})
_UNREACHED = "foundry-emulator/unreached"


@dataclass(frozen=True, slots=True)
class ToolSet:
    """The tools of a toolbox version for one caller.

    Attributes:
        name: The toolbox's name.
        version: The version's number.
        hosted: Tools that the emulator answers itself.
        remote: MCP servers to forward calls to.
        run: Answers a call of a hosted tool.
        separator: The text between a server's label and its tool's name.
        timeout_s: Seconds that a server has to answer.
        pings: Whether ``ping`` is answered; the service does not answer it [docs].
    """

    name: str
    version: str
    hosted: list[HostedTool]
    remote: list[RemoteServer]
    run: Callable[[HostedTool, Mapping[str, object]], Awaitable[str]]
    separator: str
    timeout_s: float
    pings: bool

    async def tools(self) -> types.ListToolsResult:
        """Return all tools. An unreachable server only loses its own tools, and ``_meta`` says why [modelled]."""
        found = [
            types.Tool(name=tool.name, description=tool.description, input_schema=tool.schema()) for tool in self.hosted
        ]
        asked = await asyncio.gather(
            *(list_remote(server, self.timeout_s) for server in self.remote), return_exceptions=True
        )
        unreached: dict[str, str] = {}
        for server, answered in zip(self.remote, asked, strict=True):
            if isinstance(answered, RemoteProblem):
                unreached[server.label] = str(answered)
            elif isinstance(answered, BaseException):
                raise answered
            else:
                found += [tool.model_copy(update={"name": self._prefix(server) + tool.name}) for tool in answered]
        return types.ListToolsResult(tools=found, _meta={_UNREACHED: unreached} if unreached else None)

    async def call(self, name: str, arguments: dict[str, object]) -> types.CallToolResult | types.InputRequiredResult:
        """Return the result of a tool; a server that can't be used is an error of the tool.

        Raises:
            MCPError: No tool has that name.
        """
        for tool in self.hosted:
            if tool.name == name:
                try:
                    return _text(await self.run(tool, arguments))
                except ServiceProblem as problem:
                    return _text(f"{name}: {problem.message}", failed=True)
        for server in sorted(self.remote, key=lambda server: -len(server.label)):  # a.b before a
            if name.startswith(self._prefix(server)):
                try:
                    return await call_remote(server, name.removeprefix(self._prefix(server)), arguments, self.timeout_s)
                except RemoteProblem as problem:
                    return _text(str(problem), failed=True)
        raise MCPError(types.INVALID_PARAMS, f"Toolbox '{self.name}' version {self.version} has no tool '{name}'.")

    def _prefix(self, server: RemoteServer) -> str:
        return server.label + self.separator


async def exchange(tools: ToolSet, scope: Scope, body: bytes, receive: Receive) -> Response:
    """Return the MCP library's response to one message; each message is independent, there are no sessions.

    Args:
        tools: The tools.
        scope: The scope of the HTTP request.
        body: The JSON-RPC message.
        receive: The receive function of the HTTP request, whose body was read.
    """
    manager = StreamableHTTPSessionManager(_server(tools), json_response=True, stateless=True)
    headers = [(n, v) for n, v in scope["headers"] if n in _PASSED_ON or n.startswith(b"mcp-")]
    unread = True
    start: Message = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def replay() -> Message:
        nonlocal unread
        if unread:
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    async with manager.run():
        await manager.handle_request({**scope, "headers": headers}, replay, keep)
    response = Response(b"".join(parts), start["status"])
    response.raw_headers = [(n, v) for n, v in start["headers"] if n != b"content-length"] + response.raw_headers
    return response


def _server(tools: ToolSet) -> Server[dict[str, object]]:
    async def list_tools(
        _context: ServerRequestContext[dict[str, object]], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return await tools.tools()

    async def call_tool(
        _context: ServerRequestContext[dict[str, object]], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        return await tools.call(params.name, dict(params.arguments or {}))

    async def ping(
        _context: ServerRequestContext[dict[str, object]], _params: types.RequestParams | None
    ) -> types.EmptyResult:
        if not tools.pings:
            raise MCPError(types.METHOD_NOT_FOUND, "Method not found")
        return types.EmptyResult()

    return Server(
        tools.name,
        version=tools.version,
        get_tool_input_schema=lambda _name: None,  # or each call would list every server's tools first
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_ping=ping,
    )


def _text(text: str, *, failed: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=failed)
