"""An agent's own identity, and its variables from connections."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from foundry_emulator.arm.roles import FOUNDRY_USER
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json
from tests.emulator.runtime.agent_server import SERVER
from tests.support.mcp_server import mcp_server

SECRET = "s3cr3t-t0k3n"
# A stateless agent: its input names the tool to call, with DefaultAzureCredential and the maintained client.
AGENT = """
import asyncio, http.server, json, os
import httpx2
from azure.identity import DefaultAzureCredential
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

async def answer(tool):
    token = DefaultAzureCredential().get_token("https://ai.azure.com/.default").token
    async with httpx2.AsyncClient(headers={"authorization": "Bearer " + token}) as http:
        async with Client(streamable_http_client(os.environ["TOOLBOX_ENDPOINT"], http_client=http)) as client:
            result = await client.call_tool(tool, {"a": 20, "b": 22})
            return [tool.name for tool in (await client.list_tools()).tools], result.content[0].text

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readiness" else 404)
        self.end_headers()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        try:
            said = asyncio.run(answer(body["input"]))
        except BaseException as problem:
            while isinstance(problem, BaseExceptionGroup):
                problem = problem.exceptions[0]
            said = repr(problem)
        text = json.dumps({"said": said}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    with LocalAzure(tmp_path_factory.mktemp("azure"), runtime="process") as running:
        yield running


def running_agent(api: Api, main: str, **variables: str) -> Json:
    api.image = api.azure.push_image(api.project, files={"main.py": main})
    return api.create("support", environment_variables=variables)


def test_an_agent_calls_its_toolbox_as_its_own_identity_and_only_with_the_role(api: Api) -> None:
    """Issue 9: the instance identity needs Foundry User for toolboxes."""
    with mcp_server() as served:
        tool = {"type": "mcp", "server_label": "orders", "server_url": served.url}
        api.http.post("/toolboxes/tools/versions", json={"tools": [tool]}).raise_for_status()
        endpoint = f"{api.project.endpoint}/toolboxes/tools/versions/1/mcp?api-version=v1"
        version = running_agent(api, AGENT, TOOLBOX_ENDPOINT=endpoint)
        assert version["status"] == "active", version.get("error")
        principal = version["instance_identity"]["principal_id"]
        refused = api.ask("support", "orders.add").json()["said"]
        assert refused == "MCPError(-32603, 'Server returned an error response', None)"
        api.azure.grant(principal, FOUNDRY_USER, api.project.id)
        assert api.ask("support", "orders.add").json()["said"] == [["orders.add", "orders.fail"], "42"]
    asked = {(e.principal, e.status) for e in api.azure.journal(plane="data") if e.path.endswith("/mcp")}
    assert asked == {(principal, 403), (principal, 200)}


def test_references_to_connections_are_resolved_when_the_process_starts(api: Api) -> None:
    """Service-contract 6.4; a missing one becomes an empty string."""
    credentials = {"authType": "CustomKeys", "credentials": {"keys": {"token": SECRET}}}
    properties = {"category": "CustomKeys", "target": "https://github.example", "metadata": {"team": "shop"}}
    api.azure.put(f"{api.project.id}/connections/github", {"properties": properties | credentials})
    version = running_agent(
        api,
        SERVER,
        TOKEN="Bearer ${{connections.github.credentials.token}}",
        WHERE="${{ connections.github.target }} of ${{connections.github.metadata.team}}",
        MISSING="[${{connections.github.credentials.none}}${{connections.none.target}}${{connections.github.name}}]",
        OTHER="${{ secrets.TOKEN }} ${HOME}",
    )
    env = api.ask("support").json()["env"]
    assert env["TOKEN"] == f"Bearer {SECRET}"
    assert env["WHERE"] == "https://github.example of shop"
    assert env["MISSING"] == "[]"
    assert env["OTHER"] == "${{ secrets.TOKEN }} ${HOME}"
    assert version["definition"]["environment_variables"]["TOKEN"] == "Bearer ${{connections.github.credentials.token}}"
    page = api.azure.page
    shown = [httpx.get(f"{page}{path}").text for path in ("/", "/_control/state", "/_control/journal")]
    shown += [api.http.get(path).text for path in ("/agents/support", "/connections", "/connections/github")]
    assert [text for text in shown if SECRET in text] == []


def test_a_credential_that_an_agent_prints_before_it_dies_is_masked(api: Api) -> None:
    properties = {"category": "CustomKeys", "authType": "ApiKey", "credentials": {"key": SECRET}}
    api.azure.put(f"{api.project.id}/connections/github", {"properties": properties})
    main = "import os, sys\nsys.exit(os.environ['TOKEN'].split()[1] + ' ' + os.environ['IDENTITY_HEADER'])\n"
    version = running_agent(api, main, TOKEN="Bearer ${{connections.github.credentials.key}}")
    assert version["status"] == "failed"
    assert "Last lines of stderr: *** ***" in version["error"]["message"]
    assert SECRET not in json.dumps(version)
