"""The MCP servers behind a toolbox's ``mcp`` tools: their addresses and credentials."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from foundry_emulator.arm import ProjectView
from foundry_emulator.arm.connections import Connection, Connections

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]+")
_API_KEY_HEADER = "api-key"
_CALL_ID = "x-agent-foundry-call-id"

Token = Callable[[str, str], str]
"""Returns a token for a principal and an audience."""


class RemoteProblem(Exception):
    """An MCP server can't be called; the message has its label and no credential."""


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """An MCP server of a toolbox.

    Attributes:
        label: ``server_label``, the first part of its tools' names.
        url: Its address.
        headers: Headers with its credential; never part of a repr, a log or an error.
        allowed: The tools that may be used; None for all.
        problem: The reason why it can't be called; empty when it can.
    """

    label: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    allowed: frozenset[str] | None = None
    problem: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return _is_loopback(urlsplit(self.url).hostname or "")


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a server.

    Attributes:
        project: The toolbox's project.
        principal: Object id of the caller.
        call_id: ``x-agent-foundry-call-id`` of the call, which is forwarded; empty for none.
    """

    project: ProjectView
    principal: str
    call_id: str


class RemoteServers:
    """Resolves ``mcp`` tools.

    A credential comes from the tool's project connection: custom keys are headers of their names, an API key is the
    header ``api-key``, a managed identity's is a token of the project, an agent identity's one of the caller. These
    headers are [modelled], except custom keys. Connections with a user's consent are not modelled.

    Args:
        connections: The connections of all projects.
        token: Issues tokens of the local identity.
    """

    def __init__(self, connections: Connections, token: Token) -> None:
        self._connections = connections
        self._token = token

    def of(self, tools: object, caller: Caller) -> list[RemoteServer]:
        """Return the servers of a version's tools."""
        given = tools if isinstance(tools, list) else []
        return [self._server(tool, caller) for tool in given if isinstance(tool, Mapping) and tool.get("type") == "mcp"]

    def _server(self, tool: Mapping[str, object], caller: Caller) -> RemoteServer:
        label, url = str(tool.get("server_label")), tool.get("server_url")
        url = url if isinstance(url, str) else ""
        headers: dict[str, str] = {_CALL_ID: caller.call_id} if caller.call_id else {}
        try:
            name = tool.get("project_connection_id")
            if isinstance(name, str) and name:
                connection = self._connections.find(caller.project.id, name)
                if connection is None:
                    raise RemoteProblem(f"the project has no connection '{name}'")  # noqa: TRY301  one place tells
                url = url or connection.target
                headers |= self._credential(connection, caller)
            headers |= _headers(tool)
            _check(url, headers)
        except RemoteProblem as problem:
            return RemoteServer(label, "", {}, problem=f"MCP server '{label}': {problem}.")
        return RemoteServer(label, url, headers, _allowed(tool.get("allowed_tools")))

    def _credential(self, connection: Connection, caller: Caller) -> dict[str, str]:
        kind = connection.auth_type
        if kind in {"", "None"}:
            return {}
        if kind == "CustomKeys":
            return dict(connection.credentials)
        if kind == "ApiKey":
            return {_API_KEY_HEADER: connection.credentials.get("key", "")}
        audience = connection.audience or connection.target
        if kind in {"ManagedIdentity", "ProjectManagedIdentity", "AAD"}:
            return {"authorization": f"Bearer {self._token(caller.project.principal_id, audience)}"}
        if kind.startswith("AgenticIdentity"):
            return {"authorization": f"Bearer {self._token(caller.principal, audience)}"}
        raise RemoteProblem(f"the local Azure does not model connections with the authType {kind}")


def _headers(tool: Mapping[str, object]) -> dict[str, str]:
    """Return the tool's own ``headers`` and ``authorization``."""
    given = tool.get("headers")
    found = {str(n): v for n, v in given.items() if isinstance(v, str)} if isinstance(given, Mapping) else {}
    token = tool.get("authorization")
    return found | ({"authorization": f"Bearer {token}"} if isinstance(token, str) and token else {})


def _allowed(value: object) -> frozenset[str] | None:
    """Return ``allowed_tools``: a list of names, or the ``tool_names`` of an object [sdk]."""
    names = value.get("tool_names") if isinstance(value, Mapping) else value
    return frozenset(str(name) for name in names) if isinstance(names, list) else None


def _check(url: str, headers: Mapping[str, str]) -> None:
    if not url:
        raise RemoteProblem("it has no server_url; the local Azure models neither connectors nor tunnels")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise RemoteProblem("its server_url is no http or https address")
    if parts.scheme == "http" and not _is_loopback(host):
        raise RemoteProblem("plain http is for servers on this machine alone; its server_url must be https")
    for name, value in headers.items():  # the client's own errors would show the value
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise RemoteProblem(f"its header '{name[:50]}' has no value that can be sent")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
