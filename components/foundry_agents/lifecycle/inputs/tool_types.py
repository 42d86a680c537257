"""The types of a toolbox's tools: a row for each field that this release knows.

Names and types are those of the API: the models ``…ToolboxTool`` of azure-ai-projects [sdk]. A type or a field that
this release does not know is passed on as it is, because the service adds more of them every month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from foundry_agents.lifecycle.inputs.tool_credentials import DO
from foundry_agents.lifecycle.schema.fields import Rows, row
from foundry_agents.lifecycle.schema.parsers import Parse, flag, matching, number
from foundry_agents.lifecycle.schema.report import Report, shown
from foundry_agents.lifecycle.schema.shapes import Either, Items, Payload

APPROVALS = ("always", "never")
SEARCH_CONTEXT_SIZES = ("low", "medium", "high")
QUERY_TYPES = ("simple", "semantic", "vector", "vector_simple_hybrid", "vector_semantic_hybrid")
OPENAPI_AUTH_TYPES = ("anonymous", "project_connection", "managed_identity")
MEMORY_LIMITS = ("1g", "4g", "16g", "64g")
MCP_SERVERS = ("server_url", "connector_id", "tunnel_id")

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

# --- Parsers of single entries ---------------------------------------------------------------------------------------


_name = matching("[A-Za-z0-9_-]{1,64}", ": 1 to 64 letters, digits, _ and -")
"""Ours: what the OpenAI models accept as the name of a tool; labels stand before tool names, `docs.search` [docs]."""


def _text(path: str, raw: object, report: Report) -> str | None:
    """Parse any text; an empty one is the service's to judge."""
    if isinstance(raw, str):
        return raw
    report.add(path, "must be text")
    return None


def _object(path: str, raw: object, report: Report) -> Mapping[str, object] | None:
    if isinstance(raw, Mapping):
        return raw
    report.add(path, "must be an object")
    return None


def _anything(_path: str, raw: object, _report: Report) -> object:
    return raw


def _url(path: str, raw: object, report: Report) -> str | None:
    try:
        url = urlsplit(raw) if isinstance(raw, str) else None
        host = url.hostname if url else None
    except ValueError:
        url = host = None
    if url is None or not host:
        report.add(path, "is not a URL" if "@" in str(raw) else f"{shown(raw)} is not a URL")
    elif url.username or url.password:
        report.add(path, f"holds a credential, which everyone can read in the toolbox: {DO}")
    elif url.scheme != "https" and not (url.scheme == "http" and host in _LOOPBACK):
        report.add(path, f"{shown(raw)} must begin with https://: over http others can read requests and responses")
    return str(raw)


_connection = matching(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}|/subscriptions/.+/connections/[A-Za-z0-9][A-Za-z0-9_-]{0,63}",
    ": the name of one of the project's connections, or its ARM id",
)


def _headers(path: str, raw: object, report: Report) -> Mapping[str, object] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must map names to text")
        return None
    for name, value in raw.items():
        if not report.is_unknown(value) and not isinstance(value, str):
            report.add(f"{path}.{name}", "must be text")
    return raw


def _no_credential(path: str, _raw: object, report: Report) -> str | None:
    report.add(path, f"is a credential, which everyone can read in the toolbox: {DO}")
    return None


def _one_of(*known: str) -> Parse[str]:
    return matching("|".join(known), f" must be one of {', '.join(known)}")


_approval = matching("|".join(APPROVALS), ': "always", "never", or tools by either: {"never": {"tool_names": [...]}}')
_memory = matching(r"[1-9]\d{0,3}g", f': a size such as "4g"; the service knows {", ".join(MEMORY_LIMITS)}')


def _spec(path: str, raw: object, report: Report) -> Mapping[str, object] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must be an object")
        return None
    paths = raw.get("paths")
    items = {f"{path}.paths.{key}": item for key, item in paths.items()} if isinstance(paths, Mapping) else {}
    methods = {
        f"{at}.{key}": part for at, item in items.items() if isinstance(item, Mapping) for key, part in item.items()
    }
    for at, part in {path: raw, **items, **methods}.items():
        servers = part.get("servers") if isinstance(part, Mapping) else None
        for position, server in enumerate(servers if isinstance(servers, (list, tuple)) else ()):
            url = server.get("url") if isinstance(server, Mapping) else None
            # A relative URL is below where the document is, and one with variables may not be a URL yet.
            if isinstance(url, str) and url.lower().startswith("http:"):
                _url(f"{at}.servers[{position}].url", url, report)
    return raw


def _texts(noun: str) -> Items[str]:
    return Items(_text, noun, may_be_empty=True)


# --- The types of tools ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AnyTool(Rows):
    """What every tool has."""

    name: str | None = row(_name, "What the tool is called: 1 to 64 letters, digits, _ and -.", "ours")
    description: str | None = row(_text, "What the model reads about it.", "sdk")
    tool_configs: Mapping[str, Any] | None = row(_object, "Settings by the name of each function.", "sdk")


@dataclass(frozen=True, kw_only=True)
class Container(Rows):
    """Where a code interpreter runs."""

    file_ids: Sequence[str] | None = row(_texts("file ids"), "Files that it starts with.", "sdk")
    memory_limit: str | None = row(_memory, "A size such as `4g`; known are 1g, 4g, 16g and 64g.", "sdk")


@dataclass(frozen=True, kw_only=True)
class CodeInterpreterRows(AnyTool):
    """Type ``code_interpreter``."""

    container: object = row(Either(Payload(Container), _text), "A container's id, or how to make one.", "sdk")


@dataclass(frozen=True, kw_only=True)
class FileSearchRows(AnyTool):
    """Type ``file_search``."""

    vector_store_ids: Sequence[str] | None = row(_texts("vector store ids"), "Which stores are searched.", "sdk")
    max_num_results: int | None = row(number(least=1, most=50, whole=True), "1 to 50 results.", "sdk")
    ranking_options: Mapping[str, Any] | None = row(_object, "How results are ranked.", "sdk")
    filters: Mapping[str, Any] | None = row(_object, "Conditions on the attributes of files.", "sdk")


@dataclass(frozen=True, kw_only=True)
class ToolFilter(Rows):
    """Some tools of a server."""

    tool_names: Sequence[str] | None = row(_texts("tool names"), "By their names.", "sdk")
    read_only: bool | None = row(flag, "Those that the server calls read-only.", "sdk")


@dataclass(frozen=True, kw_only=True)
class Approvals(Rows):
    """Which tools a person approves."""

    always: Mapping[str, Any] | None = row(Payload(ToolFilter), "Tools that always need an approval.", "sdk")
    never: Mapping[str, Any] | None = row(Payload(ToolFilter), "Tools that never need one.", "sdk")


@dataclass(frozen=True, kw_only=True)
class McpRows(AnyTool):
    """Type ``mcp``; exactly one of server_url, connector_id and tunnel_id is given."""

    server_label: str = row(_name, "Stands before the names of its tools, `docs.search`.", "sdk", required=True)
    server_url: str | None = row(_url, "Where the server is, over https.", "sdk")
    server_description: str | None = row(_text, "What the model reads about the server.", "sdk")
    connector_id: object = row(_anything, "A connector of the service instead of a URL.", "sdk")
    tunnel_id: object = row(_anything, "A tunnel instead of a URL.", "sdk")
    require_approval: object = row(
        Either(Payload(Approvals), _approval), "`always`, `never`, or tools by either.", "sdk"
    )
    allowed_tools: object = row(
        Either(Payload(ToolFilter), _texts("tool names")), "The only tools that may be called.", "sdk"
    )
    project_connection_id: str | None = row(_connection, "Connection that holds its credential.", "sdk")
    allowed_callers: Sequence[str] | None = row(_texts("callers"), "Who may call its tools.", "sdk")
    headers: Mapping[str, Any] | None = row(_headers, "HTTP headers; none with a credential.", "sdk")
    authorization: str | None = row(_no_credential, "Always refused: a connection holds the credential.", "ours")


@dataclass(frozen=True, kw_only=True)
class Domains(Rows):
    """Where a web search looks."""

    allowed_domains: Sequence[str] | None = row(_texts("domains"), "The only domains in results.", "sdk")


@dataclass(frozen=True, kw_only=True)
class CustomSearch(Rows):
    """A Bing Custom Search instance."""

    project_connection_id: str = row(_connection, "Connection to the Bing resource.", "sdk", required=True)
    instance_name: str = row(_text, "Name of the instance.", "sdk", required=True)


@dataclass(frozen=True, kw_only=True)
class WebSearchRows(AnyTool):
    """Type ``web_search``."""

    external_web_access: bool | None = row(flag, "False reads only what the service has cached.", "sdk")
    search_context_size: str | None = row(_one_of(*SEARCH_CONTEXT_SIZES), "`low`, `medium` or `high`.", "sdk")
    filters: Mapping[str, Any] | None = row(Payload(Domains), "Where it looks.", "sdk")
    user_location: Mapping[str, Any] | None = row(_object, "Where the user is.", "sdk")
    custom_search_configuration: Mapping[str, Any] | None = row(
        Payload(CustomSearch), "A Bing Custom Search instance instead of the whole web.", "sdk"
    )


@dataclass(frozen=True, kw_only=True)
class SearchIndex(Rows):
    """An index of Azure AI Search."""

    project_connection_id: str | None = row(_connection, "Connection to the search service.", "sdk")
    index_name: str | None = row(_text, "Name of the index.", "sdk")
    query_type: str | None = row(_one_of(*QUERY_TYPES), "How it is queried.", "sdk")
    top_k: int | None = row(number(least=1, most=50, whole=True), "1 to 50 results.", "sdk")
    filter: str | None = row(_text, "OData filter.", "sdk")
    index_asset_id: str | None = row(_text, "An index that is an asset, instead of name and connection.", "sdk")


def _one_index(path: str, index: Mapping[str, object], report: Report) -> None:
    """Refuse an index that can't be found: by name it needs the connection to its service [docs]."""
    if "index_asset_id" not in index and not {"index_name", "project_connection_id"} <= index.keys():
        report.add(path, "needs index_name and connection, the connection to its search service; or index_asset_id")


@dataclass(frozen=True, kw_only=True)
class SearchIndexes(Rows):
    """The indexes of Azure AI Search."""

    indexes: Sequence[Mapping[str, Any]] = row(
        Items(Payload(SearchIndex, cross_check=_one_index), "indexes", may_be_empty=True, most=1),
        "One index.",
        "sdk",
        required=True,
    )


def _some_index(path: str, searched: Mapping[str, object], report: Report) -> None:
    if searched.get("indexes") == []:
        report.add(f"{path}.indexes", "is required: exactly one index is searched")


@dataclass(frozen=True, kw_only=True)
class AzureAISearchRows(AnyTool):
    """Type ``azure_ai_search``."""

    azure_ai_search: Mapping[str, Any] = row(
        Payload(SearchIndexes, cross_check=_some_index), "What is searched.", "sdk", required=True
    )


@dataclass(frozen=True, kw_only=True)
class SecurityScheme(Rows):
    """How an API authenticates."""

    project_connection_id: str | None = row(_connection, "Connection that holds the credential.", "sdk")


@dataclass(frozen=True, kw_only=True)
class OpenApiAuth(Rows):
    """How the service signs in to an API."""

    type: str = row(_one_of(*OPENAPI_AUTH_TYPES), "One of " + ", ".join(OPENAPI_AUTH_TYPES) + ".", "sdk", required=True)
    security_scheme: object = row(Either(Payload(SecurityScheme), _anything), "What the type needs.", "sdk")


@dataclass(frozen=True, kw_only=True)
class OpenApiFunction(Rows):
    """An API with an OpenAPI document."""

    name: str = row(_name, "What it is called: 1 to 64 letters, digits, _ and -.", "sdk", required=True)
    description: str | None = row(_text, "What the model reads about the API.", "sdk")
    spec: Mapping[str, Any] = row(
        _spec, "The OpenAPI document; its servers are reached over https.", "sdk", required=True
    )
    auth: Mapping[str, Any] = row(Payload(OpenApiAuth), "How the service signs in.", "sdk", required=True)
    default_params: Sequence[str] | None = row(_texts("parameter names"), "Parameters with given values.", "sdk")


@dataclass(frozen=True, kw_only=True)
class OpenApiRows(AnyTool):
    """Type ``openapi``."""

    openapi: Mapping[str, Any] = row(Payload(OpenApiFunction), "The API.", "sdk", required=True)


@dataclass(frozen=True, kw_only=True)
class A2ARows(AnyTool):
    """Type ``a2a``."""

    a2a_version: str = row(_text, "Version of the protocol.", "sdk", required=True)
    base_url: str | None = row(_url, "Where the agent is, over https.", "sdk")
    agent_card_path: str | None = row(_text, "Path of its agent card.", "sdk")
    project_connection_id: str | None = row(_connection, "Connection that holds its credential.", "sdk")
    send_credentials_for_agent_card: bool | None = row(flag, "Send the credential for the card, too.", "sdk")


def _one_server(path: str, tool: Mapping[str, object], report: Report) -> None:
    given = [name for name in MCP_SERVERS if name in tool]
    if len(given) != 1:
        found = f"{' and '.join(given)} are" if given else "none is"
        report.add(path, f"exactly one of {', '.join(MCP_SERVERS)} says where the server is; {found} given")


def _some_store(path: str, tool: Mapping[str, object], report: Report) -> None:
    if "vector_store_ids" not in tool:
        report.add(f"{path}.vector_store_ids", "is required: without a vector store there is nothing to search")


def _some_agent(path: str, tool: Mapping[str, object], report: Report) -> None:
    if not {"base_url", "project_connection_id"} & tool.keys():
        report.add(path, "needs base_url or connection: one of them says where the agent is")


TOOL_TYPES: Mapping[str, Payload[Any]] = {
    "code_interpreter": Payload(CodeInterpreterRows),
    "file_search": Payload(FileSearchRows, cross_check=_some_store),
    "mcp": Payload(McpRows, cross_check=_one_server),
    "web_search": Payload(WebSearchRows),
    "azure_ai_search": Payload(AzureAISearchRows),
    "openapi": Payload(OpenApiRows),
    "a2a": Payload(A2ARows, cross_check=_some_agent),
}
"""The types that this release knows, by the value of ``type``."""

OTHER_TYPE = Payload(AnyTool)
