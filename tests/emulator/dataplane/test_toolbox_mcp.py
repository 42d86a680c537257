"""Toolboxes as MCP servers, called by the maintained client and by hand."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from foundry_emulator.arm.roles import FOUNDRY_AGENT_CONSUMER, FOUNDRY_USER
from tests.emulator.api import Api, error_of
from tests.support.mcp_server import Served, mcp_server

SECRET = "k-4f81c0ffee"
HOSTED = ("code_interpreter", "file_search", "web_search")


@pytest.fixture(scope="module")
def orders() -> Iterator[Served]:
    """A server that requires a key."""
    with mcp_server(key=SECRET) as served:
        yield served


@pytest.fixture
def toolbox(api: Api, orders: Served) -> Api:
    """Create ``tools``: hosted tools, the server by a connection with its key, and an unreachable server."""
    orders.requests.clear()
    connect(api, "orders", {"authType": "CustomKeys", "credentials": {"keys": {"x-api-key": SECRET}}})
    hosted: list[dict[str, object]] = [{"type": kind} for kind in HOSTED]
    post(api, *hosted, remote(orders), remote(url="http://127.0.0.1:9/mcp", label="gone"))
    return api


def connect(api: Api, name: str, properties: dict[str, object]) -> None:
    api.azure.put(f"{api.project.id}/connections/{name}", {"properties": {"category": "RemoteTool", **properties}})


def remote(
    served: Served | None = None, *, label: str = "orders", url: str = "", **others: object
) -> dict[str, object]:
    address = served.url if served else url
    return {"type": "mcp", "server_label": label, "server_url": address, "project_connection_id": "orders"} | others


def post(api: Api, *tools: dict[str, object]) -> None:
    made = api.http.post("/toolboxes/tools/versions", json={"tools": list(tools)})
    assert made.status_code == 200, made.text


def ask(api: Api, message: dict[str, object], path: str = "/toolboxes/tools/mcp", **headers: str) -> httpx.Response:
    accept = {"accept": "application/json, text/event-stream"}
    return api.http.post(path, json={"jsonrpc": "2.0", "id": 1} | message, headers=accept | headers)


def call(api: Api, name: str, arguments: dict[str, object], **headers: str) -> dict[str, Any]:
    answer = ask(api, {"method": "tools/call", "params": {"name": name, "arguments": arguments}}, **headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def text_of(result: dict[str, Any]) -> tuple[str, bool]:
    return result["result"]["content"][0]["text"], result["result"].get("isError", False)


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [tool["name"] for tool in answer.json()["result"]["tools"]]


def talk(api: Api, path: str, mode: str, work: Callable[[Client], Awaitable[Any]], principal: str | None = None) -> Any:
    """Return what a maintained client gets from an endpoint."""
    token = api.azure.token(principal) if principal else api.azure.token()

    async def run() -> Any:
        async with (
            httpx2.AsyncClient(
                headers={"authorization": f"Bearer {token}"}, verify=api.azure.trust(), trust_env=False
            ) as http,
            Client(
                streamable_http_client(f"{api.project.endpoint}{path}?api-version=v1", http_client=http), mode=mode
            ) as client,
        ):
            return await work(client)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("path", ["/toolboxes/tools/mcp", "/toolboxes/tools/versions/1/mcp"])
def test_the_maintained_client_lists_and_calls_tools_in_both_protocol_eras(toolbox: Api, path: str, mode: str) -> None:
    async def work(client: Client) -> tuple[list[str], CallToolResult]:
        listed = await client.list_tools()
        return [tool.name for tool in listed.tools], await client.call_tool("orders.add", {"a": 2, "b": 3})

    listed, result = talk(toolbox, path, mode, work)
    assert listed == [*HOSTED, "orders.add", "orders.fail"]
    assert result.content[0] == TextContent(text="5")
    assert not result.is_error


def test_a_server_gets_its_connections_key_and_the_call_id_and_not_the_callers_token(
    toolbox: Api, orders: Served
) -> None:
    assert text_of(call(toolbox, "orders.add", {"a": 1, "b": 1}, **{"x-agent-foundry-call-id": "c-7"})) == ("2", False)
    assert orders.saw("x-api-key") == {SECRET}
    assert orders.saw("x-agent-foundry-call-id") == {"c-7"}
    assert orders.saw("authorization") == {None}


def test_the_key_is_in_no_answer_journal_page_state_log_or_repr(
    toolbox: Api, orders: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even the errors of a server that refuses the key show it."""
    with caplog.at_level("DEBUG"), mcp_server(key="another") as other:
        post(toolbox, remote(orders), remote(other, label="other"))
        toolbox.http.patch("/toolboxes/tools", json={"default_version": "2"})
        seen = [ask(toolbox, {"method": "tools/list"}).text, json.dumps(call(toolbox, "other.add", {"a": 1, "b": 2}))]
        assert other.saw("x-api-key") == {SECRET}
    azure = toolbox.azure
    seen += [
        httpx.get(f"{azure.page}{path}").text
        for path in ("/", "/_control/state", "/_control/journal", "/_control/settings")
    ]
    seen += [
        toolbox.http.get(path).text for path in ("/toolboxes/tools/versions", "/connections", "/connections/orders")
    ]
    seen += [repr(azure.emulator.connections.find(toolbox.project.id, "orders")), caplog.text]
    assert "other" in seen[0]
    assert [text for text in seen if SECRET in text] == []


@pytest.mark.parametrize(("kind", "argument"), [("code_interpreter", "code"), ("web_search", "query")])
def test_hosted_tools_say_that_their_results_are_modelled(toolbox: Api, kind: str, argument: str) -> None:
    text, failed = text_of(call(toolbox, kind, {argument: "6 * 7"}))
    assert text.startswith(f"Modelled by the local Azure: {kind} does not run here")
    assert not failed


def test_a_named_hosted_tool_goes_by_its_name(api: Api) -> None:
    post(api, {"type": "web_search", "name": "news"}, {"type": "web_search"}, {"type": "future_tool"})
    assert names(ask(api, {"method": "tools/list"})) == ["news", "web_search", "future_tool"]
    assert "future_tool does not run here" in text_of(call(api, "future_tool", {}))[0]


def test_an_unreachable_server_is_an_error_of_its_tools_only_with_its_label(toolbox: Api) -> None:
    text, failed = text_of(call(toolbox, "gone.add", {"a": 1, "b": 1}))
    assert failed
    assert text.startswith("MCP server 'gone' could not be used: ")
    listed = ask(toolbox, {"method": "tools/list"}).json()["result"]
    assert list(listed["_meta"]["foundry-emulator/unreached"]) == ["gone"]


def test_the_error_of_a_servers_tool_is_forwarded(toolbox: Api) -> None:
    text, failed = text_of(call(toolbox, "orders.fail", {}))
    assert failed
    assert "out of stock" in text


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ({"project_connection_id": "missing"}, "the project has no connection 'missing'"),
        ({"server_url": "http://example.com/mcp"}, "plain http is for servers on this machine alone"),
        ({"server_url": "ftp://example.com"}, "is no http or https address"),
        ({"server_url": None, "connector_id": "connector_gmail"}, "models neither connectors nor tunnels"),
        ({"project_connection_id": "consent"}, "does not model connections with the authType OAuth2"),
        ({"headers": {"x-a": "a\nb"}}, "its header 'x-a' has no value that can be sent"),
        ({"allowed_tools": ["fail"]}, "allowed_tools does not name 'add'"),
    ],
)
def test_a_tool_that_cannot_be_used_says_why(api: Api, orders: Served, tool: dict[str, object], expected: str) -> None:
    connect(api, "orders", {"authType": "None"})
    connect(api, "consent", {"authType": "OAuth2", "target": "https://example.com"})
    post(api, {key: value for key, value in (remote(orders) | tool).items() if value is not None})
    text, failed = text_of(call(api, "orders.add", {"a": 1, "b": 1}))
    assert failed
    assert expected in text


@pytest.mark.parametrize(
    ("properties", "header", "value"),
    [
        ({"authType": "ApiKey", "credentials": {"key": "k"}}, "api-key", "k"),
        (
            {"authType": "CustomKeys", "credentials": {"keys": {"Authorization": "Bearer t"}}},
            "authorization",
            "Bearer t",
        ),
        ({"authType": "None"}, "authorization", None),
    ],
)
def test_the_target_and_the_credential_come_from_the_connection(
    api: Api, properties: dict[str, object], header: str, value: str | None
) -> None:
    with mcp_server() as served:
        connect(api, "orders", {"target": served.url, **properties})
        post(
            api,
            {"type": "mcp", "server_label": "orders", "project_connection_id": f"{api.project.id}/connections/orders"},
        )
        assert text_of(call(api, "orders.add", {"a": 1, "b": 2}))[0] == "3"
        assert served.saw(header) == {value}


@pytest.mark.parametrize(
    ("auth_type", "of"), [("ProjectManagedIdentity", "project"), ("AgenticIdentityToken", "caller")]
)
def test_identities_send_a_token_for_the_connections_audience(api: Api, auth_type: str, of: str) -> None:
    caller = str(uuid.uuid4())
    api.azure.grant(caller, FOUNDRY_USER, api.project.id)
    with mcp_server() as served:
        connect(api, "orders", {"authType": auth_type, "audience": "api://orders"})
        post(api, remote(served))
        token = api.azure.token(caller)
        call(api, "orders.add", {"a": 1, "b": 1}, authorization=f"Bearer {token}")
        (sent,) = served.saw("authorization")
    principal = api.azure.run(lambda: api.azure.emulator.identity.verify(sent, "api://orders")).object_id
    assert principal == {"project": api.project.principal_id, "caller": caller}[of]


def test_the_default_version_follows_promotion_and_the_pinned_one_does_not(api: Api) -> None:
    post(api, {"type": "web_search"})
    post(api, {"type": "code_interpreter"})
    listing: dict[str, object] = {"method": "tools/list"}
    pinned, latest = "/toolboxes/tools/versions/1/mcp", "/toolboxes/tools:invoke_mcp"
    assert names(ask(api, listing)) == names(ask(api, listing, pinned)) == ["web_search"]
    assert names(ask(api, listing, latest)) == ["code_interpreter"]
    api.http.patch("/toolboxes/tools", json={"default_version": "2"})
    assert names(ask(api, listing)) == ["code_interpreter"]
    assert names(ask(api, listing, pinned)) == ["web_search"]


@pytest.mark.parametrize(("role", "status"), [(FOUNDRY_USER, 200), (FOUNDRY_AGENT_CONSUMER, 403), (None, 403)])
def test_a_caller_needs_foundry_user_and_invoking_agents_is_not_enough(api: Api, role: str | None, status: int) -> None:
    """Service-contract 8.2: an agent's instance identity gets Foundry User for toolboxes."""
    post(api, {"type": "web_search"})
    principal = str(uuid.uuid4())
    if role:
        api.azure.grant(principal, role, api.project.id)
    bearer = f"Bearer {api.azure.token(principal)}"
    for path in ("/toolboxes/tools/mcp", "/toolboxes/tools/versions/1/mcp", "/toolboxes/tools:invoke_mcp"):
        assert ask(api, {"method": "tools/list"}, path, authorization=bearer).status_code == status


def test_missing_is_a_404_and_malformed_a_400_in_the_services_envelope(api: Api) -> None:
    assert error_of(ask(api, {"method": "tools/list"})) == (404, "not_found")
    post(api, {"type": "web_search"})
    assert error_of(ask(api, {"method": "tools/list"}, "/toolboxes/tools/versions/9/mcp")) == (404, "not_found")
    for body in (b"{", b"[]", b'"\\ud800"', b'{"method": "\\ud800"}', b"[" * 5000):
        assert error_of(api.http.post("/toolboxes/tools/mcp", content=body)) == (400, "invalid_payload")
    unknown = ask(api, {"method": "tools/call", "params": {"name": "no.such"}}).json()
    assert "has no tool 'no.such'" in unknown["error"]["message"]


def test_ping_and_prompts_are_missing_as_documented_unless_switched_on(api: Api) -> None:
    """Service-contract 6.2.4."""
    post(api, {"type": "web_search"})
    assert ask(api, {"method": "ping"}).json()["error"]["code"] == -32601
    assert error_of(ask(api, {"method": "prompts/list"})) == (500, "server_error")
    api.azure.control.set(mcp_strict=False)
    try:
        assert ask(api, {"method": "ping"}).json()["result"] == {}
        assert ask(api, {"method": "prompts/list"}).json()["error"]["code"] == -32601
    finally:
        api.azure.control.set(mcp_strict=True)


def test_the_separator_of_tool_names_can_be_the_other_observed_one(toolbox: Api) -> None:
    toolbox.azure.control.set(mcp_separator="___")
    try:
        assert "orders___add" in names(ask(toolbox, {"method": "tools/list"}))
        assert text_of(call(toolbox, "orders___add", {"a": 4, "b": 4}))[0] == "8"
    finally:
        toolbox.azure.control.set(mcp_separator=".")


def test_the_server_has_no_stream(api: Api) -> None:
    """405 means this to clients; any other status ends their connection."""
    post(api, {"type": "web_search"})
    for path in ("/toolboxes/tools/mcp", "/toolboxes/tools/versions/1/mcp"):
        assert api.http.get(path).status_code == 405


def test_the_sdk_invokes_the_newest_version(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    post(api, {"type": "web_search"})
    for name, value in api.azure.env.items():
        monkeypatch.setenv(name, value)
    message: Any = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})  # 2.10 sends a mapping as form data
    with DefaultAzureCredential() as credential, AIProjectClient(api.project.endpoint, credential) as client:
        answer = client.toolboxes.invoke_latest_toolbox_mcp("tools", message, content_type="application/json")
    assert [tool["name"] for tool in json.loads(answer)["result"]["tools"]] == ["web_search"]


def test_the_mcp_library_is_loaded_by_the_first_call_and_not_by_the_start() -> None:
    program = "import sys, foundry_emulator.cli, foundry_emulator.server; sys.exit('mcp_types' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[3]).returncode == 0
