"""Each field of each type of tool takes what the service takes, and refuses the rest by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from foundry_agents.lifecycle.inputs.tool_rules import tools
from foundry_agents.lifecycle.schema.report import Report

_ARM = "/subscriptions/0/resourceGroups/g/providers/M/accounts/a/projects/p/connections/"
_URL = {"type": "a2a", "a2a_version": "1.0"}
_MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://x.example/mcp"}
_SEARCH = {"type": "azure_ai_search"}
_INDEX = {"index_name": "i", "project_connection_id": "search"}
_STORE = {"type": "file_search", "vector_store_ids": ["vs_1"]}
_API = {"name": "orders", "spec": {"paths": {}}}


def _problems(tool: Mapping[str, Any]) -> dict[str, str]:
    report = Report()
    tools("tools", {"t": tool}, report)
    return {problem.path.removeprefix("tools.t").removeprefix("."): problem.detail for problem in report.problems}


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "code_interpreter", "container": "cntr_1"},
        {"type": "code_interpreter", "container": {"file_ids": ["file_1"], "memory_limit": "4g"}},
        {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 1, "filters": {"type": "eq"}},
        {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 50},
        _MCP,
        {**_MCP, "project_connection_id": "c", "headers": {"x-team": "support"}, "require_approval": "never"},
        {**_MCP, "project_connection_id": f"{_ARM}learn-docs_2", "require_approval": "always"},
        {**_MCP, "require_approval": {"never": {"tool_names": ["search"]}}, "allowed_tools": {"read_only": True}},
        {**_MCP, "allowed_tools": ["search"]},
        {"type": "mcp", "server_label": "docs", "connector_id": "connector_gmail"},
        {"type": "mcp", "server_label": "docs", "tunnel_id": "t"},
        *({**_MCP, "server_url": url} for url in ("http://localhost/mcp", "http://127.0.0.1:8", "http://[::1]:8/mcp")),
        {"type": "web_search", "search_context_size": "high", "external_web_access": False, "user_location": {"a": 1}},
        {"type": "web_search", "filters": {"allowed_domains": ["example.com"]}},
        {
            "type": "web_search",
            "custom_search_configuration": {"project_connection_id": "bing", "instance_name": "mine"},
        },
        {**_SEARCH, "azure_ai_search": {"indexes": [{**_INDEX, "query_type": "simple", "top_k": 50}]}},
        {"type": "openapi", "openapi": {**_API, "auth": {"type": "anonymous"}, "default_params": ["p"]}},
        {
            "type": "openapi",
            "openapi": {
                **_API,
                "auth": {"type": "project_connection", "security_scheme": {"project_connection_id": "orders"}},
            },
        },
        {
            "type": "openapi",
            "openapi": {**_API, "auth": {"type": "managed_identity", "security_scheme": {"audience": "api://x"}}},
        },
        {**_URL, "base_url": "https://agent.example.com", "send_credentials_for_agent_card": True},
        {"type": "not_known_yet", "anything": [1, {"a": None}]},
    ],
    ids=str,
)
def test_what_the_service_takes_has_no_problem(tool: Mapping[str, Any]) -> None:
    assert _problems(tool) == {}


@pytest.mark.parametrize(
    ("tool", "path", "says"),
    [
        ({"type": "code_interpreter", "container": 4}, "container", "must be text"),
        ({"type": "code_interpreter", "container": {"memory_limit": 4}}, "container.memory_limit", "a size"),
        (
            {"type": "code_interpreter", "container": {"memory_limit": "lots"}},
            "container.memory_limit",
            '"lots": a size',
        ),
        ({"type": "code_interpreter", "container": {"memory_limit": "4G"}}, "container.memory_limit", '"4G": a size'),
        ({"type": "code_interpreter", "container": {"file_ids": "file_1"}}, "container.file_ids", "not one text"),
        ({"type": "file_search"}, "vector_store_ids", "is required"),
        ({"type": "file_search", "vector_store_ids": []}, "vector_store_ids", "is required"),
        ({"type": "file_search", "vector_store_ids": "vs_1"}, "vector_store_ids", "must be a list of vector store ids"),
        (
            {"type": "web_search", "filters": {"allowed_domains": "x.example"}},
            "filters.allowed_domains",
            "not one text",
        ),
        ({**_MCP, "allowed_callers": "direct"}, "allowed_callers", "must be a list of callers, not one text"),
        ({"type": "a2a", "a2a_version": "1.0"}, "", "needs base_url or connection"),
        ({**_SEARCH, "azure_ai_search": {"indexes": []}}, "azure_ai_search.indexes", "exactly one index"),
        (
            {**_SEARCH, "azure_ai_search": {"indexes": [{"index_name": "i"}]}},
            "azure_ai_search.indexes[0]",
            "connection",
        ),
        (
            {"type": "openapi", "openapi": {**_API, "auth": {"type": "anonymous"}, "default_params": "p"}},
            "openapi.default_params",
            "must be a list of parameter names, not one text",
        ),
        ({"type": "code_interpreter", "name": "a b"}, "name", "1 to 64 letters"),
        ({"type": "code_interpreter", "name": "a" * 65}, "name", "1 to 64 letters"),
        ({"type": "code_interpreter", "description": 4}, "description", "must be text"),
        ({"type": "code_interpreter", "tool_configs": 4}, "tool_configs", "must be an object"),
        ({**_STORE, "max_num_results": 0.5}, "max_num_results", "1 to 50"),
        ({**_STORE, "max_num_results": 51}, "max_num_results", "1 to 50"),
        ({"type": "file_search", "vector_store_ids": [4]}, "vector_store_ids[0]", "must be text"),
        ({"type": "mcp", "server_label": "docs"}, "", "says where the server is; none is given"),
        ({**_MCP, "tunnel_id": "t"}, "", "server_url and tunnel_id are given"),
        (
            {**_MCP, "connector_id": "c", "tunnel_id": "t"},
            "",
            "server_url and connector_id and tunnel_id are given",
        ),
        ({**_MCP, "project_connection_id": "no good"}, "project_connection_id", "one of the project's connections"),
        ({**_MCP, "project_connection_id": 4}, "project_connection_id", "one of the project's connections"),
        ({**_MCP, "headers": ["a"]}, "headers", "must map names to text"),
        ({**_MCP, "headers": {"x-team": 4}}, "headers.x-team", "must be text"),
        ({**_MCP, "headers": {"x-functions-api-key": "k"}}, "headers.x-functions-api-key", "by its name"),
        ({**_MCP, "require_approval": "sometimes"}, "require_approval", '"sometimes": "always", "never"'),
        ({**_MCP, "allowed_tools": "search"}, "allowed_tools", "must be"),
        ({"type": "web_search", "search_context_size": "huge"}, "search_context_size", "low, medium, high"),
        ({"type": "web_search", "external_web_access": "yes"}, "external_web_access", "must be true or false"),
        (
            {"type": "web_search", "custom_search_configuration": {"instance_name": "mine"}},
            "custom_search_configuration.project_connection_id",
            "is required",
        ),
        (
            {**_SEARCH, "azure_ai_search": {"indexes": [{**_INDEX, "top_k": 51}]}},
            "azure_ai_search.indexes[0].top_k",
            "1 to 50",
        ),
        (
            {**_SEARCH, "azure_ai_search": {"indexes": [{**_INDEX, "top_k": 0}]}},
            "azure_ai_search.indexes[0].top_k",
            "1 to 50",
        ),
        (
            {**_SEARCH, "azure_ai_search": {"indexes": [{**_INDEX, "index_name": "a"}, _INDEX]}},
            "azure_ai_search.indexes",
            "1",
        ),
        ({"type": "openapi", "openapi": {**_API, "auth": {"type": "basic"}}}, "openapi.auth.type", "anonymous"),
        ({"type": "openapi", "openapi": _API}, "openapi.auth", "is required"),
    ],
)
def test_the_rest_is_refused_by_its_path(tool: Mapping[str, Any], path: str, says: str) -> None:
    found = _problems(tool)
    assert list(found) == [path]
    assert says in found[path]


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example/mcp",
        "http://localhost.example/mcp",
        "ftp://localhost/mcp",
        "ftp://x.example/mcp",
        "ws://localhost/mcp",
        "wss://x.example/mcp",
    ],
)
def test_a_url_is_https_or_http_on_this_machine(url: str) -> None:
    found = _problems({**_URL, "base_url": url})
    assert found == {"base_url": f'"{url}" must begin with https://: over http others can read requests and responses'}


@pytest.mark.parametrize(("url", "shown"), [("nowhere", '"nowhere" '), (4, '"4" '), ("https://[", '"https://[" ')])
def test_what_is_no_url_is_refused(url: object, shown: str) -> None:
    assert _problems({**_URL, "base_url": url}) == {"base_url": f"{shown}is not a URL"}


@pytest.mark.parametrize("url", ["https://me@x.example", "https://:s3cret@x.example", "https://me:s3cret@x.example"])
def test_a_url_with_a_name_or_a_password_is_refused_and_not_shown(url: str) -> None:
    (found,) = _problems({**_URL, "base_url": url}).values()
    assert found.startswith("holds a credential")
    assert "s3cret" not in found


def test_what_is_no_url_and_may_hold_a_password_is_not_shown() -> None:
    assert _problems({**_URL, "base_url": "me:s3cret@nowhere"}) == {"base_url": "is not a URL"}


# --- The servers of an API -------------------------------------------------------------------------------------------


def _api(spec: Mapping[str, Any]) -> dict[str, str]:
    return _problems({"type": "openapi", "openapi": {"name": "orders", "spec": spec, "auth": {"type": "anonymous"}}})


@pytest.mark.parametrize(
    "url", ["http://orders.example.com/v1", "HTTP://orders.example.com", "http://{region}.x.example"]
)
def test_a_server_of_an_api_is_reached_over_https_wherever_the_document_names_it(url: str) -> None:
    """Finding D: an MCP server over http was refused, and an API was not."""
    servers = [{"url": "https://orders.example.com"}, {"url": url}]
    for spec, path in (
        ({"servers": servers}, "servers[1].url"),
        ({"paths": {"/orders": {"servers": servers}}}, "paths./orders.servers[1].url"),
        ({"paths": {"/orders": {"get": {"servers": servers}}}}, "paths./orders.get.servers[1].url"),
    ):
        found = _api(spec)
        assert list(found) == [f"openapi.spec.{path}"]
        assert "must begin with https://" in found[f"openapi.spec.{path}"]


@pytest.mark.parametrize("url", ["https://x.example", "/v1", "https://{region}.x.example", "http://localhost:7071/api"])
def test_other_servers_of_an_api_are_accepted(url: str) -> None:
    assert _api({"servers": [{"url": url}]}) == {}


@pytest.mark.parametrize(
    "spec", [{"servers": "x"}, {"servers": [4]}, {"paths": 4}, {"paths": {"/a": 4}}, {"servers": [{}]}]
)
def test_a_document_that_is_none_is_the_services_to_judge(spec: Mapping[str, Any]) -> None:
    assert _api(spec) == {}
