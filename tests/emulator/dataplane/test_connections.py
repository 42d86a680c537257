"""Connections on the data plane; ARM creates them."""

from __future__ import annotations

from typing import Any

import pytest
from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import ApiKeyCredentials, CustomCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential

from foundry_emulator.arm.roles import FOUNDRY_AGENT_CONSUMER
from tests.emulator.api import Api, error_of

READER = "22222222-2222-2222-2222-222222222222"


def connect(api: Api, name: str, **properties: object) -> None:
    api.azure.put(f"{api.project.id}/connections/{name}", {"properties": properties})


@pytest.fixture
def connected(api: Api) -> Api:
    connect(api, "key", category="ApiKey", authType="ApiKey", target="https://a", credentials={"key": "k-1"})
    keys = {"keys": {"x-key": "k-2"}}
    connect(api, "own", category="CustomKeys", authType="CustomKeys", credentials=keys, metadata={"m": "1"})
    connect(api, "search", category="CognitiveSearch", authType="AAD", target="https://s", isSharedToAll=True)
    return api


def test_the_sdk_lists_filters_and_reads_them(connected: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in connected.azure.env.items():
        monkeypatch.setenv(name, value)
    endpoint = connected.project.endpoint
    with DefaultAzureCredential() as credential, AIProjectClient(endpoint, credential) as client:
        assert [(c.name, c.type, c.is_default) for c in client.connections.list()] == [
            ("key", "ApiKey", False),
            ("own", "CustomKeys", False),
            ("search", "CognitiveSearch", True),
        ]
        assert [c.name for c in client.connections.list(connection_type="CustomKeys")] == ["own"]
        assert client.connections.get_default("CognitiveSearch").target == "https://s"
        assert client.connections.get("own").metadata == {"m": "1"}
        key: Any = client.connections.get("key", include_credentials=True).credentials
        own: Any = client.connections.get("own", include_credentials=True).credentials
        with pytest.raises(ResourceNotFoundError):
            client.connections.get("none")
    assert isinstance(key, ApiKeyCredentials)
    assert key.api_key == "k-1"
    assert isinstance(own, CustomCredential)
    assert dict(own) == {"type": "CustomKeys", "x-key": "k-2"}


def test_only_one_operation_returns_credentials_and_the_right_to_invoke_is_not_enough(connected: Api) -> None:
    for path in ("/connections", "/connections/key", "/connections/own"):
        assert "k-" not in connected.http.get(path).text
    connected.azure.grant(READER, FOUNDRY_AGENT_CONSUMER, connected.project.id)
    with connected.azure.client(connected.project.name, principal_id=READER) as http:
        assert http.get("/connections/key").status_code == 200
        assert http.post("/connections/key/getConnectionWithCredentials").status_code == 403


def test_connections_of_another_project_are_not_found(connected: Api) -> None:
    other = connected.azure.seed_project(f"{connected.project.name}-other")
    with connected.azure.client(other.name) as http:
        assert http.get("/connections").json() == {"value": []}
        assert error_of(http.get("/connections/key")) == (404, "not_found")
    wrong = connected.http.get("/connections", params={"defaultConnection": "perhaps"})
    assert error_of(wrong) == (400, "invalid_payload")
