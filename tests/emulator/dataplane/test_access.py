from __future__ import annotations

import uuid

import httpx
import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, error_of

FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
PROJECT_MANAGER = "eadc314b-1a2d-4efa-be10-5d325db5065e"
COGNITIVE_SERVICES_USER = "a97b65f3-24c7-4388-baec-2e87135dc908"
CONSUMER = "eed3b665-ab3a-47b6-8f48-c9382fb1dad6"
AZURE_AI_DEVELOPER = "64702f94-c441-49e6-a78b-ef80e0188fee"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"


def test_a_call_without_api_version_is_a_400(api: Api, azure: LocalAzure) -> None:
    answer = httpx.get(f"{api.project.endpoint}/agents", verify=azure.trust(), trust_env=False)
    assert error_of(answer) == (400, "bad_request")


def test_a_preview_api_version_is_a_404(api: Api) -> None:
    assert api.http.get("/agents", params={"api-version": "2025-11-15-preview"}).status_code == 404


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc"])
def test_a_call_without_a_valid_token_is_a_401(api: Api, header: str | None) -> None:
    api.http.headers.pop("authorization")
    answer = api.http.get("/agents", headers={"authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json()["error"]["additionalInfo"]["request_id"] == answer.headers["x-request-id"]


def test_a_token_for_another_audience_is_a_401(api: Api, azure: LocalAzure) -> None:
    token = azure.token(audience="https://management.azure.com")
    assert api.http.get("/agents", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_a_project_closed_to_the_public_network_without_a_private_endpoint_is_a_403(
    api: Api, azure: LocalAzure
) -> None:
    account = api.project.id.partition("/projects/")[0]
    body = azure.request_of(account)
    body["properties"]["publicNetworkAccess"] = "Disabled"
    azure.put(account, body)
    answer = api.http.get("/agents")
    assert error_of(answer) == (403, "PublicAccessDisabled")
    assert answer.json()["error"]["message"] == "Public access is disabled. Please configure private endpoint."


def test_an_unknown_project_is_a_404_with_the_services_text(azure: LocalAzure) -> None:
    with azure.client("nowhere") as http:
        answer = http.get("/agents")
    assert error_of(answer) == (404, "not_found")
    assert answer.json()["error"]["message"] == "The project does not exist"


@pytest.mark.parametrize("role", [FOUNDRY_USER, PROJECT_MANAGER, COGNITIVE_SERVICES_USER])
def test_roles_with_agents_write_may_create(api: Api, azure: LocalAzure, role: str) -> None:
    principal = str(uuid.uuid4())
    azure.grant(principal, role, api.project.id)
    with azure.client(api.project.name, principal_id=principal) as http:
        body = {"definition": api.definition()}
        assert http.post("/agents/support/versions", json=body).status_code == 200


@pytest.mark.parametrize("role", [AZURE_AI_DEVELOPER, CONTRIBUTOR, None])
def test_without_a_data_role_a_403_names_principal_action_and_scope(
    api: Api, azure: LocalAzure, role: str | None
) -> None:
    principal = str(uuid.uuid4())
    if role:
        azure.grant(principal, role, api.project.id)
    with azure.client(api.project.name, principal_id=principal) as http:
        answer = http.post("/agents/support/versions", json={"definition": api.definition()})
    assert answer.status_code == 403
    message = answer.json()["error"]["message"]
    assert principal in message
    assert "Microsoft.CognitiveServices/accounts/AIServices/agents/write" in message
    assert api.project.id in message
    assert api.http.get("/agents/support").status_code == 404


def test_an_agent_consumer_may_read_and_call_but_not_write(api: Api, azure: LocalAzure) -> None:
    api.create("support")
    principal = str(uuid.uuid4())
    azure.grant(principal, CONSUMER, api.project.id)
    with azure.client(api.project.name, principal_id=principal) as http:
        assert http.get("/agents/support").status_code == 200
        response = http.post("/agents/support/endpoint/protocols/openai/responses", json={"input": "x"})
        assert response.status_code == 200
        assert http.delete("/agents/support").status_code == 403
        assert http.patch("/agents/support", json={}).status_code == 403


def test_a_removed_role_is_not_in_effect(api: Api, azure: LocalAzure) -> None:
    principal = str(uuid.uuid4())
    assignment = azure.grant(principal, FOUNDRY_USER, api.project.id)
    with azure.client(api.project.name, principal_id=principal) as http:
        assert http.get("/agents").status_code == 200
        azure.delete(assignment)
        assert http.get("/agents").status_code == 403
