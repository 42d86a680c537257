"""The MCP endpoints of toolboxes (service-contract 6.2): tools over streamable HTTP, one message a request."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.responses import Response

from foundry_emulator.arm.documents import parsed
from foundry_emulator.dataplane.call import Call, Handler
from foundry_emulator.dataplane.hosted_tools import HostedTool, hosted_tools
from foundry_emulator.dataplane.problem import ServiceProblem, invalid
from foundry_emulator.dataplane.remote_servers import Caller, RemoteServers
from foundry_emulator.dataplane.toolboxes import Toolbox, Toolboxes
from foundry_emulator.dataplane.vector_search import VectorSearch
from foundry_emulator.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

_SERVER = "foundry_emulator.dataplane.tool_server"
_MAX_BYTES = 4 * 1024 * 1024
_DEFAULT_RESULTS = 20  # OpenAI's, of the tool [docs]
_SEARCHED = "Modelled by the local Azure: words were compared, not embeddings. {count} parts of files were found."
_CALL_ID = "x-agent-foundry-call-id"
_ANY_ANSWER = (b"accept", b"application/json, text/event-stream")


class ToolboxMcp:
    """Serves toolboxes as MCP servers, without sessions: ``initialize`` is answered but not required [docs].

    What the service documents as missing is missing: ``ping``, and ``prompts/list`` returns 500 [docs]; both unless
    `Settings.mcp_strict` is off. Approvals are not enforced [docs].
    """

    def __init__(self, toolboxes: Toolboxes, servers: RemoteServers, search: VectorSearch, settings: Settings) -> None:
        self._search = search
        self._toolboxes = toolboxes
        self._servers = servers
        self._settings = settings

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "the toolbox MCP endpoint": self.of_default,
            "the toolbox version MCP endpoint": self.of_version,
            "toolboxes.invoke_latest_toolbox_mcp": self.of_latest,
            "the toolbox MCP endpoint's stream": self.stream,
            "the toolbox version MCP endpoint's stream": self.stream,
        }

    async def of_default(self, call: Call) -> Response:
        """Handle POST ``/toolboxes/{t}/mcp``: the default version."""
        toolbox = self._toolbox(call)
        return await self._answered(call, toolbox, toolbox.default_version)

    async def of_version(self, call: Call) -> Response:
        """Handle POST ``/toolboxes/{t}/versions/{v}/mcp``."""
        return await self._answered(call, self._toolbox(call), call.path["version"])

    async def of_latest(self, call: Call) -> Response:
        """Handle POST ``/toolboxes/{t}:invoke_mcp``: the newest version [sdk], whatever the default is."""
        toolbox = self._toolbox(call)
        newest = next(reversed(toolbox.versions), toolbox.default_version)
        # The SDK does not send the Accept header that MCP requires.
        return await self._answered(call, toolbox, newest, accept=True)

    async def stream(self, call: Call) -> Response:
        """Handle GET of an endpoint: 405, MCP's response for a server that sends nothing on its own [modelled]."""
        self._toolbox(call)
        raise ServiceProblem(
            405, "method_not_allowed", "A toolbox sends no messages on its own.", headers={"allow": "POST"}
        )

    def _toolbox(self, call: Call) -> Toolbox:
        return self._toolboxes.get(call.project.name, call.path["toolbox"], call.request_id)

    async def _answered(self, call: Call, toolbox: Toolbox, number: str, *, accept: bool = False) -> Response:
        version = self._toolboxes.version(toolbox, number, call.request_id)
        body = await call.content(_MAX_BYTES)
        message = _message(body)
        if self._settings.mcp_strict and message.get("method") == "prompts/list":
            raise ServiceProblem(500, "server_error", "A toolbox has no prompts.")
        library = await _library()
        scope = dict(call.request.scope)
        if accept:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept"] + [_ANY_ANSWER]
        response: Response = await library.exchange(
            library.ToolSet(
                name=toolbox.name,
                version=number,
                hosted=hosted_tools(version["tools"]),
                remote=self._servers.of(version["tools"], _caller(call)),
                run=lambda tool, arguments: self._run(call.project.name, tool, arguments),
                separator=self._settings.mcp_separator,
                timeout_s=self._settings.mcp_timeout_s,
                pings=not self._settings.mcp_strict,
            ),
            scope,
            body,
            call.request.receive,
        )
        return response

    async def _run(self, project: str, tool: HostedTool, arguments: Mapping[str, object]) -> str:
        """Return the result of a hosted tool; for a file search, the matches by words.

        Raises:
            ServiceProblem: A vector store is missing.
        """
        if tool.kind != "file_search":
            return tool.result(arguments)
        ids, most = tool.definition.get("vector_store_ids"), tool.definition.get("max_num_results")
        stores = [store for store in ids if isinstance(store, str)] if isinstance(ids, list) else []
        limit = most if isinstance(most, int) and most > 0 else _DEFAULT_RESULTS
        query = str(arguments.get(tool.input_name, ""))
        hits = await self._search.found(project, stores, query, most=limit, filters=tool.definition.get("filters"))
        found = [f"[{hit.filename}, score {hit.score:.2f}]\n{hit.text}" for hit in hits]
        return "\n\n".join([_SEARCHED.format(count=len(hits)), *found])


async def _library() -> ModuleType:
    """Import the MCP library, which only the first call waits for, and return what uses it."""
    return await asyncio.to_thread(importlib.import_module, _SERVER)


def _caller(call: Call) -> Caller:
    return Caller(call.project, call.principal, call.request.headers.get(_CALL_ID, ""))


def _message(body: bytes) -> dict[str, object]:
    """Return the JSON object in the body.

    Raises:
        ServiceProblem: 400; an object that is not a message is refused by the MCP library.
    """
    try:
        message = parsed(body)
    except ValueError as problem:
        raise invalid(f"The request body is not valid JSON: {problem}") from None
    if not isinstance(message, dict):
        raise invalid("The request body must be a JSON object.")
    return message
