"""The tools of a toolbox. The preview checks all values and reports all problems together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pulumi import Input, Output

from foundry_agents.lifecycle.inputs.tool_rules import by_name
from foundry_agents.lifecycle.inputs.tool_rules import tools as canonical
from foundry_agents.lifecycle.schema.lists import list_or_as_is
from foundry_agents.lifecycle.schema.report import Report
from foundry_agents.project.connection import ProjectConnection
from foundry_agents.resources._plugin.tool_payloads import api_payloads

Connection = str | ProjectConnection | Output[str]
"""One of the project's connections: its name, its ARM id or its component. The credential stays in the connection."""


class AnyTool(Protocol):
    """Anything that has an API payload."""

    def inputs(self) -> dict[str, Any]:
        """Return the API payload of the tool, without what is not set."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Base of all tools; ``Tool.of({…})`` is one that is newer than this release.

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
        """Return a tool with this API payload: ``Tool.of({"type": "toolbox_search"})``.

        A payload of a known type is checked as usual; any other must only have a type.
        """
        return _Raw(tool)

    @staticmethod
    def problems(tools: Sequence[AnyTool], *, readable: Sequence[str] = ()) -> list[str]:
        """Return the problems of these tools, as the preview would report them: ``tools.docs.server_url …``.

        For programs that read tools from a file and report all its problems together. An output is not checked here;
        one that is secret is refused when the toolbox is declared.

        Args:
            tools: ``[CodeInterpreter(), Mcp("docs", "https://…"), …]``.
            readable: Paths of texts that look like credentials and are none: ``["tools.docs.headers.x-key"]``.
        """
        report = Report(lambda value: isinstance(value, Output), readable=frozenset(readable))
        canonical("tools", by_name(api_payloads(tools)), report)
        return [str(problem) for problem in sorted(report.problems)]

    def inputs(self) -> dict[str, Any]:
        """Return the API payload of the tool, without what is not set."""
        common = {"name": self.name, "description": self.description, "tool_configs": self.tool_configs}
        return _set({"type": self.type, **common, **self.own()})

    def own(self) -> dict[str, Any]:
        """Return the part of the API payload that only this type has."""
        return {}


@dataclass(frozen=True)
class _Raw:
    tool: Mapping[str, Any]

    def inputs(self) -> dict[str, Any]:
        given: object = self.tool  # a program need not have been through a type checker
        if not isinstance(given, Mapping):
            kind = type(given).__name__
            raise ValueError(f"Tool.of: expected the mapping of an API payload, got {kind}")  # noqa: TRY004 (listed)
        return dict(given)


@dataclass(frozen=True, kw_only=True)
class CodeInterpreter(Tool):
    """Run Python in a sandbox of the service.

    Attributes:
        file_ids: Files of the project that the code can read.
        memory_limit: "1g", "4g", "16g" or "64g"; default: the service's.
    """

    type: ClassVar[str] = "code_interpreter"

    file_ids: Sequence[Input[str]] = ()
    memory_limit: Input[str] | None = None

    def own(self) -> dict[str, Any]:
        """Return the container, if any of its settings is set."""
        parts = _set({"file_ids": list_or_as_is(self.file_ids), "memory_limit": self.memory_limit})
        return {"container": {"type": "auto", **parts}} if parts else {}


@dataclass(frozen=True, kw_only=True)
class FileSearch(Tool):
    """Search vector stores.

    Attributes:
        vector_store_ids: The stores: ``[store.vector_store_id]`` of a ``VectorStore``, or known ids.
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
        """Return stores and search settings."""
        return {
            "vector_store_ids": list_or_as_is(self.vector_store_ids),
            "max_num_results": self.max_num_results,
            "ranking_options": self.ranking_options,
            "filters": self.filters,
        }


@dataclass(frozen=True)
class Mcp(Tool):
    """The tools of an MCP server: ``Mcp("docs", "https://learn.example.com/mcp")``.

    Agents see them as ``{server_label}.{tool}`` [docs].

    Attributes:
        server_label: 1 to 64 letters, digits, _ and -; unique in the toolbox.
        server_url: https.
        connection: Connection with the server's credential; the toolbox holds only its name.
        require_approval: "always", "never", or tools by either: ``{"never": {"tool_names": ["search"]}}``.
        allowed_tools: Names of the tools that may be used; None for all.
        server_description: For the model.
        headers: HTTP headers without secrets: everyone who may read the toolbox can read them.
        connector_id: Instead of server_url, a connector of the service.
        tunnel_id: Instead of server_url, a secure tunnel.
        defer_loading: Let tool search find the tools instead of listing them.
        allowed_callers: Callers: "direct", or the code of a code interpreter.
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
        """Return server, connection and allowed tools."""
        return {
            "server_label": self.server_label,
            "server_url": self.server_url,
            "project_connection_id": _connection(self.connection),
            "require_approval": self.require_approval,
            "allowed_tools": list_or_as_is(self.allowed_tools),
            "server_description": self.server_description,
            "headers": self.headers,
            "connector_id": self.connector_id,
            "tunnel_id": self.tunnel_id,
            "defer_loading": self.defer_loading,
            "allowed_callers": list_or_as_is(self.allowed_callers),
        }


@dataclass(frozen=True, kw_only=True)
class WebSearch(Tool):
    """Search the web.

    Attributes:
        allowed_domains: Search only there.
        search_context_size: "low", "medium" or "high".
        user_location: ``{"country": "SE", "city": "Malmö"}``.
        external_web_access: False searches only what the service has cached.
        connection: Connection of a custom Bing search; requires instance_name.
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
        """Return the scope of the search."""
        custom = _set({"project_connection_id": _connection(self.connection), "instance_name": self.instance_name})
        return {
            "filters": {"allowed_domains": list_or_as_is(self.allowed_domains)} if self.allowed_domains else None,
            "search_context_size": self.search_context_size,
            "user_location": {"type": "approximate", **self.user_location} if self.user_location else None,
            "external_web_access": self.external_web_access,
            "custom_search_configuration": custom,
        }


@dataclass(frozen=True)
class AzureAISearch(Tool):
    """Search an index of Azure AI Search: ``AzureAISearch("products", connection="search")``.

    Attributes:
        index_name: Name of the index.
        connection: Connection to the search service.
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
        """Return the index; the service allows one."""
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
    """Call an HTTP API: ``OpenApi("orders", spec, connection="orders")``.

    It signs in with a connection or with the project's managed identity (``audience``), or calls anonymously.

    Attributes:
        api_name: Name of the API.
        spec: Its OpenAPI document.
        connection: Connection with the API's credential.
        audience: Audience of the managed identity's token.
        api_description: What the API does, for the model.
        default_params: Parameters that take the user's defaults.
    """

    type: ClassVar[str] = "openapi"

    api_name: Input[str]
    spec: Mapping[str, Any]
    connection: Connection | None = field(default=None, kw_only=True)
    audience: Input[str] | None = field(default=None, kw_only=True)
    api_description: Input[str] | None = field(default=None, kw_only=True)
    default_params: Sequence[Input[str]] = field(default=(), kw_only=True)

    def own(self) -> dict[str, Any]:
        """Return the API and its authentication."""
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
            "default_params": list_or_as_is(self.default_params) or None,
        }
        return {"openapi": _set(parts)}


@dataclass(frozen=True, kw_only=True)
class A2A(Tool):
    """Call another agent over the A2A protocol.

    Attributes:
        base_url: URL of the agent; https.
        connection: Connection with its URL and credential.
        agent_card_path: Path below base_url; the service's default is ``/.well-known/agent-card.json``.
        send_credentials_for_agent_card: Sign in to read the agent card, too.
        a2a_version: Version of the protocol.
    """

    type: ClassVar[str] = "a2a"

    base_url: Input[str] | None = None
    connection: Connection | None = None
    agent_card_path: Input[str] | None = None
    send_credentials_for_agent_card: Input[bool] | None = None
    a2a_version: Input[str] = "1.0"

    def own(self) -> dict[str, Any]:
        """Return the agent's URL and its connection."""
        return {
            "base_url": self.base_url,
            "project_connection_id": _connection(self.connection),
            "agent_card_path": self.agent_card_path,
            "send_credentials_for_agent_card": self.send_credentials_for_agent_card,
            "a2a_version": self.a2a_version,
        }


def _set(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None and value not in ([], {})}


def _connection(connection: Connection | None) -> Input[str] | None:
    return connection.connection_id if isinstance(connection, ProjectConnection) else connection
