"""The tools of a toolbox, as a program says them. All values are checked in the preview, all problems at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, Protocol

import pulumi
from pulumi import Input, Output

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.inputs.tool_rules import by_name
from foundry_agents.lifecycle.inputs.tool_rules import tools as canonical
from foundry_agents.lifecycle.schema.report import Report
from foundry_agents.project.connection import ProjectConnection

Connection = str | ProjectConnection | Output[str]
"""One of the project's connections: name, ARM id, or the component that makes it. Its credential stays in it."""


class AnyTool(Protocol):
    """Whatever can say what it is on the wire."""

    def inputs(self) -> dict[str, Any]:
        """The tool in the words of the wire; what is not set is left out."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tool:
    """What all tools have; ``Tool.of({…})`` is one that is newer than this release.

    Attributes:
        name: 1 to 64 letters, digits, _ and -. A type needs one when there are two tools of it.
        description: For the model.
        tool_configs: Settings by the name of a tool, or ``*``, for services that offer many: ``{"*": {"pin": True}}``.
    """

    type: ClassVar[str] = ""

    name: Input[str] | None = None
    description: Input[str] | None = None
    tool_configs: Mapping[str, Any] | None = None

    @staticmethod
    def of(tool: Mapping[str, Any]) -> AnyTool:
        """A tool in the words of the wire: ``Tool.of({"type": "toolbox_search"})``.

        Known types are checked as usual; of others only that they have a type.
        """
        return _Raw(dict(tool))

    @staticmethod
    def problems(tools: Sequence[AnyTool]) -> list[str]:
        """What is wrong with the tools of a toolbox, as the preview would say it: ``tools.docs.server_url …``.

        For programs that read tools from a file and tell its problems together. What is an output passes.
        """
        report = Report(lambda value: isinstance(value, Output))
        canonical("tools", by_name(on_the_wire(tools)), report)
        return [str(problem) for problem in sorted(report.problems)]

    def inputs(self) -> dict[str, Any]:
        """The tool in the words of the wire; what is not set is left out."""
        common = {"name": self.name, "description": self.description, "tool_configs": self.tool_configs}
        return _set({"type": self.type, **common, **self.own()})

    def own(self) -> dict[str, Any]:
        """What only this type has, in the words of the wire."""
        return {}


@dataclass(frozen=True)
class _Raw:
    tool: dict[str, Any]

    def inputs(self) -> dict[str, Any]:
        return self.tool


@dataclass(frozen=True, kw_only=True)
class CodeInterpreter(Tool):
    """Runs Python in a sandbox of the service.

    Attributes:
        file_ids: Files of the project that the code can read.
        memory_limit: "1g", "4g", "16g" or "64g"; None leaves it to the service.
    """

    type: ClassVar[str] = "code_interpreter"

    file_ids: Sequence[Input[str]] = ()
    memory_limit: Input[str] | None = None

    def own(self) -> dict[str, Any]:
        """The container, where anything of it is set."""
        parts = _set({"file_ids": list(self.file_ids), "memory_limit": self.memory_limit})
        return {"container": {"type": "auto", **parts}} if parts else {}


@dataclass(frozen=True, kw_only=True)
class FileSearch(Tool):
    """Searches vector stores.

    Attributes:
        vector_store_ids: Which ones: ``[store.vector_store_id]`` of a ``VectorStore``, or ids that are known.
        max_num_results: 1 to 50.
        ranking_options: ``{"ranker": "auto", "score_threshold": 0.5}``.
        filters: A comparison or a compound of them, over the attributes of files.
    """

    type: ClassVar[str] = "file_search"

    vector_store_ids: Sequence[Input[str]] = ()
    max_num_results: Input[int] | None = None
    ranking_options: Mapping[str, Any] | None = None
    filters: Mapping[str, Any] | None = None

    def own(self) -> dict[str, Any]:
        """Stores and search settings."""
        return {
            "vector_store_ids": list(self.vector_store_ids),
            "max_num_results": self.max_num_results,
            "ranking_options": self.ranking_options,
            "filters": self.filters,
        }


@dataclass(frozen=True)
class Mcp(Tool):
    """The tools of an MCP server: ``Mcp("docs", "https://learn.example.com/mcp")``.

    Agents see them as ``{server_label}.{tool}`` [docs].

    Attributes:
        server_label: 1 to 64 letters, digits, _ and -; no other server of the toolbox has it.
        server_url: https.
        connection: Has the server's credential; the toolbox holds only its name.
        require_approval: "always", "never", or tools by either: ``{"never": {"tool_names": ["search"]}}``.
        allowed_tools: Names of the tools that may be used; None for all.
        server_description: For the model.
        headers: Plain ones; a header that would hold a credential is refused.
        connector_id: Instead of server_url, a connector of the service.
        tunnel_id: Instead of server_url, a secure tunnel.
        defer_loading: Found by tool search instead of being listed.
        allowed_callers: Who may call it: "direct", or the code of a code interpreter.
    """

    type: ClassVar[str] = "mcp"

    server_label: Input[str]
    server_url: Input[str] | None = None
    connection: Connection | None = field(default=None, kw_only=True)
    require_approval: str | Mapping[str, Any] | None = field(default=None, kw_only=True)
    allowed_tools: Sequence[Input[str]] | Mapping[str, Any] | None = field(default=None, kw_only=True)
    server_description: Input[str] | None = field(default=None, kw_only=True)
    headers: Mapping[str, Input[str]] | None = field(default=None, kw_only=True)
    connector_id: str | None = field(default=None, kw_only=True)
    tunnel_id: str | None = field(default=None, kw_only=True)
    defer_loading: bool | None = field(default=None, kw_only=True)
    allowed_callers: Sequence[str] | None = field(default=None, kw_only=True)

    def own(self) -> dict[str, Any]:
        """Server, connection and what may be used."""
        return {
            "server_label": self.server_label,
            "server_url": self.server_url,
            "project_connection_id": _connection(self.connection),
            "require_approval": self.require_approval,
            "allowed_tools": self.allowed_tools,
            "server_description": self.server_description,
            "headers": self.headers,
            "connector_id": self.connector_id,
            "tunnel_id": self.tunnel_id,
            "defer_loading": self.defer_loading,
            "allowed_callers": self.allowed_callers,
        }


@dataclass(frozen=True, kw_only=True)
class WebSearch(Tool):
    """Searches the web.

    Attributes:
        allowed_domains: Search only there.
        search_context_size: "low", "medium" or "high".
        user_location: ``{"country": "SE", "city": "Malmö"}``.
        external_web_access: False searches what the service has cached.
        connection: Of a custom Bing search, together with instance_name.
        instance_name: Name of the custom search.
    """

    type: ClassVar[str] = "web_search"

    allowed_domains: Sequence[Input[str]] = ()
    search_context_size: Input[str] | None = None
    user_location: Mapping[str, Input[str]] | None = None
    external_web_access: Input[bool] | None = None
    connection: Connection | None = None
    instance_name: Input[str] | None = None

    def own(self) -> dict[str, Any]:
        """Where and how widely it searches."""
        custom = _set({"project_connection_id": _connection(self.connection), "instance_name": self.instance_name})
        return {
            "filters": {"allowed_domains": list(self.allowed_domains)} if self.allowed_domains else None,
            "search_context_size": self.search_context_size,
            "user_location": {"type": "approximate", **self.user_location} if self.user_location else None,
            "external_web_access": self.external_web_access,
            "custom_search_configuration": custom,
        }


@dataclass(frozen=True)
class AzureAISearch(Tool):
    """Searches an index of Azure AI Search: ``AzureAISearch("products", connection="search")``.

    Attributes:
        index_name: The index.
        connection: Leads to the search service.
        query_type: "simple", "semantic", "vector", "vector_simple_hybrid" or "vector_semantic_hybrid".
        top_k: 1 to 50 documents.
        filter: An OData expression.
        index_asset_id: Instead of index_name and connection, an index that is an asset of the project.
    """

    type: ClassVar[str] = "azure_ai_search"

    index_name: Input[str] | None = None
    connection: Connection | None = field(default=None, kw_only=True)
    query_type: Input[str] | None = field(default=None, kw_only=True)
    top_k: Input[int] | None = field(default=None, kw_only=True)
    filter: Input[str] | None = field(default=None, kw_only=True)
    index_asset_id: Input[str] | None = field(default=None, kw_only=True)

    def own(self) -> dict[str, Any]:
        """The one index that the service allows."""
        index = {
            "index_name": self.index_name,
            "project_connection_id": _connection(self.connection),
            "query_type": self.query_type,
            "top_k": self.top_k,
            "filter": self.filter,
            "index_asset_id": self.index_asset_id,
        }
        return {"azure_ai_search": {"indexes": [_set(index)]}}


@dataclass(frozen=True)
class OpenApi(Tool):
    """Calls an HTTP API: ``OpenApi("orders", spec, connection="orders")``.

    Signs in with a connection, with the project's managed identity (``audience``), or not at all.

    Attributes:
        api_name: What the API is called.
        spec: Its OpenAPI document.
        connection: Has the API's credential.
        audience: What the managed identity asks a token for.
        api_description: What the API does, for the model.
        default_params: Parameters that take defaults of the user's.
    """

    type: ClassVar[str] = "openapi"

    api_name: Input[str]
    spec: Mapping[str, Any]
    connection: Connection | None = field(default=None, kw_only=True)
    audience: Input[str] | None = field(default=None, kw_only=True)
    api_description: Input[str] | None = field(default=None, kw_only=True)
    default_params: Sequence[Input[str]] = field(default=(), kw_only=True)

    def own(self) -> dict[str, Any]:
        """The API and how it is signed in to."""
        if self.connection is not None and self.audience is not None:
            raise ValueError(f"OpenApi {self.api_name!r}: give either connection or audience, not both")
        auth: dict[str, Any] = {"type": "anonymous"}
        if self.connection is not None:
            scheme = {"project_connection_id": _connection(self.connection)}
            auth = {"type": "project_connection", "security_scheme": scheme}
        elif self.audience is not None:
            auth = {"type": "managed_identity", "security_scheme": {"audience": self.audience}}
        parts = {
            "name": self.api_name,
            "description": self.api_description,
            "spec": self.spec,
            "auth": auth,
            "default_params": list(self.default_params) or None,
        }
        return {"openapi": _set(parts)}


@dataclass(frozen=True, kw_only=True)
class A2A(Tool):
    """Another agent, over the A2A protocol.

    Attributes:
        base_url: Where it is; https.
        connection: Has its address and credential.
        agent_card_path: Below base_url; the service's default is ``/.well-known/agent-card.json``.
        send_credentials_for_agent_card: Sign in to read the card, too.
        a2a_version: Version of the protocol.
    """

    type: ClassVar[str] = "a2a"

    base_url: Input[str] | None = None
    connection: Connection | None = None
    agent_card_path: Input[str] | None = None
    send_credentials_for_agent_card: Input[bool] | None = None
    a2a_version: Input[str] = "1.0"

    def own(self) -> dict[str, Any]:
        """Where it is and how it is reached."""
        return {
            "base_url": self.base_url,
            "project_connection_id": _connection(self.connection),
            "agent_card_path": self.agent_card_path,
            "send_credentials_for_agent_card": self.send_credentials_for_agent_card,
            "a2a_version": self.a2a_version,
        }


def on_the_wire(tools: Sequence[AnyTool]) -> list[dict[str, Any]]:
    """What each tool is on the wire.

    Raises:
        pulumi.RunError: Something is no tool, or its settings exclude each other; all of them are named.
    """
    given: object = tools  # a program need not have been through a type checker
    if isinstance(given, str) or not isinstance(given, Sequence):
        _refuse([Problem("tools", f"is no list but a {type(tools).__name__}: [CodeInterpreter(), Mcp(…), …]")])
    problems: list[Problem] = []
    found: list[dict[str, Any]] = []
    for position, tool in enumerate(tools):
        where = f"tools[{position}]"
        if isinstance(tool, type) or not hasattr(tool, "inputs"):
            kind, instead = type(tool).__name__, _INSTEAD[isinstance(tool, Mapping)]
            problems.append(Problem(where, f"is no tool but a {kind}: {instead}"))
            continue
        try:
            found.append(tool.inputs())
        except ValueError as error:
            problems.append(Problem(where, str(error)))
    if problems:
        _refuse(problems)
    return found


def _refuse(problems: Sequence[Problem]) -> NoReturn:
    raise pulumi.RunError(str(InputError("the tools of a toolbox", problems)))


_INSTEAD = {True: "Tool.of({…}) takes the words of the wire", False: "CodeInterpreter(), Mcp(…), …"}


def _set(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None and value not in ([], {})}


def _connection(connection: Connection | None) -> Input[str] | None:
    return connection.connection_id if isinstance(connection, ProjectConnection) else connection
