"""The unmodified SDK, sync and async, with the environment that `foundry-emulator env` prints."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import (
    AgentEndpointConfig,
    CodeConfiguration,
    ContainerConfiguration,
    FixedRatioVersionSelectionRule,
    HostedAgentDefinition,
    MCPToolboxTool,
    ProtocolVersionRecord,
    VersionRefIndicator,
    VersionSelector,
)
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from openai import NotFoundError, OpenAI

from tests.emulator.api import Api
from tests.support.machine import program


@pytest.fixture
def client(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[AIProjectClient]:
    for name, value in api.azure.env.items():
        monkeypatch.setenv(name, value)
    with DefaultAzureCredential() as credential, AIProjectClient(api.project.endpoint, credential) as client:
        yield client


def hosted(api: Api, cpu: str = "0.5", memory: str = "1Gi") -> HostedAgentDefinition:
    return HostedAgentDefinition(
        cpu=cpu,
        memory=memory,
        container_configuration=ContainerConfiguration(image=api.image),
        protocol_versions=[ProtocolVersionRecord(protocol="responses", version="2.0.0")],
    )


def active(api: Api, client: AIProjectClient, version: str) -> None:
    api.azure.wait_until(lambda: client.agents.get_version("support", version).status == "active")


def test_the_samples_flow_create_wait_route_invoke_delete(api: Api, client: AIProjectClient) -> None:
    made = client.agents.create_version("support", definition=hosted(api), metadata={"enableVnextExperience": "true"})
    assert (made.version, made.status) == ("1", "creating")
    active(api, client, "1")
    rule = FixedRatioVersionSelectionRule(agent_version="1", traffic_percentage=100)
    routed = client.agents.update_details(
        "support", agent_endpoint=AgentEndpointConfig(version_selector=VersionSelector(version_selection_rules=[rule]))
    )
    shown = routed["agent_endpoint"]["version_selector"]["version_selection_rules"]
    assert [rule["agent_version"] for rule in shown] == ["1"]
    with client.get_openai_client(agent_name="support") as openai:
        assert openai.responses.create(input="Good morning!").output_text == "Echo: Good morning!"
        streamed = openai.responses.create(input="again", stream=True)
        assert [e.delta for e in streamed if e.type == "response.output_text.delta"] == ["Echo: again"]
    client.agents.delete_version("support", "1", force=True)
    assert client.agents.delete("support").deleted
    assert list(client.agents.list()) == []


def test_lists_over_several_pages_end_and_are_complete(api: Api, client: AIProjectClient) -> None:
    for n in range(25):
        api.post("support", api.definition(environment_variables={"N": str(n)}))
    listed = [version.version for version in client.agents.list_versions("support", limit=10)]
    assert listed == [str(n) for n in range(25, 0, -1)]
    assert [agent.name for agent in client.agents.list()] == ["support"]
    assert list(client.agents.list_sessions("support")) == []


def test_sessions_through_the_sdk(api: Api, client: AIProjectClient) -> None:
    client.agents.create_version("support", definition=hosted(api))
    active(api, client, "1")
    session = client.agents.create_session("support", version_indicator=VersionRefIndicator(agent_version="1"))
    with client.get_openai_client(agent_name="support") as openai:
        answer = openai.responses.create(input="x", extra_body={"agent_session_id": session.agent_session_id})
    assert answer.to_dict()["agent_session_id"] == session.agent_session_id
    with pytest.raises(ResourceExistsError):
        client.agents.delete_version("support", "1")
    client.agents.stop_session("support", session.agent_session_id)
    client.agents.delete_session("support", session.agent_session_id)
    with pytest.raises(ResourceNotFoundError):
        client.agents.get_session("support", session.agent_session_id)
    client.agents.disable("support")
    client.agents.enable("support")
    client.agents.delete_version("support", "1")


def code_of(problem: HttpResponseError) -> str | None:
    assert problem.error is not None
    return problem.error.code


def test_errors_reach_the_sdk_with_code_and_model(api: Api, client: AIProjectClient) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        client.agents.get("missing")
    assert code_of(missing.value) == "not_found"
    with pytest.raises(HttpResponseError) as refused:
        client.agents.create_version("support", definition=hosted(api, cpu="3"))
    assert refused.value.status_code == 400
    assert code_of(refused.value) == "bad_request"
    with pytest.raises(HttpResponseError) as unbuilt:
        list(client.agents.list_optimization_jobs())
    assert unbuilt.value.status_code == 501


def test_a_failed_version_carries_its_error(api: Api, client: AIProjectClient) -> None:
    client.agents.create_version(
        "support",
        definition=HostedAgentDefinition(
            cpu="0.5",
            memory="1Gi",
            container_configuration=ContainerConfiguration(image=api.image.split("@")[0] + ":absent"),
            protocol_versions=[ProtocolVersionRecord(protocol="responses", version="2.0.0")],
        ),
    )
    api.azure.wait_until(lambda: client.agents.get_version("support", "1").status == "failed")
    assert client.agents.get_version("support", "1")["error"]["code"] == "ImageError"


ASYNC_FLOW = """
import asyncio, sys
from azure.ai.projects.aio import AIProjectClient
from azure.ai.projects.models import (
    AgentEndpointConfig, FixedRatioVersionSelectionRule, VersionRefIndicator, VersionSelector,
)
from azure.identity.aio import DefaultAzureCredential

async def flow(endpoint, definition):
    async with DefaultAzureCredential() as credential, AIProjectClient(endpoint, credential) as client:
        agents = client.agents
        made = await agents.create_version("support", {"definition": definition})
        for _ in range(1000):
            if (await agents.get_version("support", made.version)).status == "active":
                break
        rule = FixedRatioVersionSelectionRule(agent_version=made.version, traffic_percentage=100)
        selector = VersionSelector(version_selection_rules=[rule])
        routed = await agents.update_details("support", agent_endpoint=AgentEndpointConfig(version_selector=selector))
        print(routed["agent_endpoint"]["version_selector"]["version_selection_rules"][0]["agent_version"])
        session = await agents.create_session("support", version_indicator=VersionRefIndicator(agent_version="1"))
        async with client.get_openai_client(agent_name="support") as openai:
            answer = await openai.responses.create(
                input="async", extra_body={"agent_session_id": session.agent_session_id}
            )
            print(answer.output_text)
            conversation = await openai.conversations.create()
            print((await openai.responses.create(input="again", conversation=conversation.id)).output_text)
        print([version.version async for version in agents.list_versions("support")])
        print((await agents.delete_version("support", made.version, force=True)).deleted)
        print((await agents.delete("support", force=True)).deleted)
        print([agent.name async for agent in agents.list()])

import io
import json
asyncio.run(flow(sys.argv[1], json.loads(sys.argv[2])))
"""


def test_the_async_client_runs_the_same_flow(api: Api) -> None:
    """In a separate process: aiohttp reads SSL_CERT_FILE when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", ASYNC_FLOW, api.project.endpoint, json.dumps(api.definition())],
        env=os.environ | api.azure.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["1", "Echo: async", "Echo: again", "['1']", "True", "True", "[]"], done.stderr


def test_the_plain_openai_client_needs_the_agents_url_and_a_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", api.azure.env["SSL_CERT_FILE"])
    api.create("support")
    url = f"{api.project.endpoint}/agents/support/endpoint/protocols/openai"
    with OpenAI(base_url=url, api_key=api.azure.token(), default_query={"api-version": "v1"}) as client:
        conversation = client.conversations.create(metadata={"a": "b"})
        first = client.responses.create(input="one", conversation=conversation.id)
        second = client.responses.create(input="two", conversation=conversation.id)
        assert (first.output_text, second.output_text) == ("Echo: one", "Echo: two")
        assert first.to_dict()["agent_session_id"] == second.to_dict()["agent_session_id"]
        assert client.responses.retrieve(second.id).id == second.id
        assert client.conversations.delete(conversation.id).deleted
        with pytest.raises(NotFoundError):
            client.responses.create(input="three", conversation=conversation.id)


CURL_FLOW = r"""
set -eu
ask() { curl --silent --show-error --fail-with-body --cacert "$SSL_CERT_FILE" -H "authorization: Bearer $token" "$@"; }
token=$(curl --silent --fail -H "X-IDENTITY-HEADER: $IDENTITY_HEADER" \
    "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=https://ai.azure.com" |
    sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
ask -H "content-type: application/json" -d "$BODY" "$ENDPOINT/agents/support/versions?api-version=v1" >/dev/null
until ask "$ENDPOINT/agents/support/versions/1?api-version=v1" | grep -q '"status":"active"'; do :; done
ask -H "content-type: application/json" -d '{"input":"curl"}' \
    "$ENDPOINT/agents/support/endpoint/protocols/openai/responses?api-version=v1" | grep -o 'Echo: curl'
ask -X DELETE "$ENDPOINT/agents/support?api-version=v1&force=true" | grep -o '"deleted":true'
"""


def test_curl_and_the_printed_variables_are_enough(api: Api) -> None:
    program("curl", "curl")
    variables = {"BODY": json.dumps({"definition": api.definition()}), "ENDPOINT": api.project.endpoint}
    done = subprocess.run(
        ["sh", "-c", CURL_FLOW],
        env=os.environ | api.azure.env | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["Echo: curl", '"deleted":true'], done.stderr


def test_code_and_toolboxes_through_the_sdk(api: Api, client: AIProjectClient, tmp_path: Path) -> None:
    path = tmp_path / "code.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.py", "")
    code = CodeConfiguration(runtime="python_3_14", entry_point=["python", "main.py"], dependency_resolution="bundled")
    with path.open("rb") as file:
        made = client.agents.create_version_from_code(
            "support",
            definition=HostedAgentDefinition(
                cpu="0.5",
                memory="1Gi",
                code_configuration=code,
                protocol_versions=[ProtocolVersionRecord(protocol="responses", version="2.0.0")],
            ),
            code=file,
        )
    active(api, client, made.version)
    assert b"".join(client.agents.download_code("support")) == path.read_bytes()
    tool = MCPToolboxTool(server_label="api", server_url="https://mcp.example")
    for _ in range(2):
        client.toolboxes.create_version("tools", tools=[tool])
    client.toolboxes.update("tools", default_version="2")
    assert client.toolboxes.get("tools").default_version == "2"
    assert [version.version for version in client.toolboxes.list_versions("tools")] == ["2", "1"]
    client.toolboxes.delete_version("tools", "1")
    client.toolboxes.delete("tools")
    assert list(client.toolboxes.list()) == []


def test_session_files_and_log_stream_through_the_sdk(api: Api, client: AIProjectClient) -> None:
    client.agents.create_version("support", definition=hosted(api))
    active(api, client, "1")
    session = client.agents.create_session("support", version_indicator=VersionRefIndicator(agent_version="1"))
    of = ("support", session.agent_session_id)
    written = client.agents.upload_session_file(*of, io.BytesIO(b"hi"), path="a/b.txt")
    assert (written.path, written.bytes_written) == ("a/b.txt", 2)
    assert b"".join(client.agents.download_session_file(*of, path="a/b.txt")) == b"hi"
    assert [(entry.name, entry.is_directory) for entry in client.agents.list_session_files(*of)] == [("a", True)]
    client.agents.delete_session_file(*of, path="a", recursive=True)
    assert list(client.agents.list_session_files(*of)) == []
    api.azure.control.set(log_idle_s=0)
    events = client.agents.get_session_log_stream("support", "1", session.agent_session_id)
    stream = b"".join(events)  # type: ignore[arg-type]  # annotated as one event, gives bytes
    assert stream.startswith(b'event: log\ndata: {"timestamp"')
