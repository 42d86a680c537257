"""Rules of the service contract and of the recordings' README that no other test of the data plane checks.

The recordings kept here are single answers; these are the rules behind them, on inputs that they do not have.
"""

from __future__ import annotations

import re

import httpx
import pytest

from foundry_emulator.dataplane.regions import region_name
from tests.emulator.api import Api, Json, error_of

TOOL = {"type": "mcp", "server_label": "s", "server_url": "https://mcp.example", "authorization": "in clear"}
DATA_PLANE = "1.0,2025-05-15-preview,2025-11-15-preview"


def message(answer: httpx.Response) -> str:
    text: str = answer.json()["error"]["message"]
    return text


def test_a_404_has_the_services_text(api: Api) -> None:
    api.create("support")
    assert message(api.http.get("/agents/missing")) == "Agent missing doesn't exist"
    assert message(api.http.delete("/agents/missing")) == "Agent not found"
    assert message(api.http.get("/agents/support/versions/7")) == "Agent support with version 7 not found"
    assert message(api.http.get("/agents/missing/versions/7")) == "Agent missing with version 7 not found"


def test_an_error_has_the_envelope_and_the_request_id_of_the_headers(api: Api) -> None:
    answer = api.http.get("/agents/missing")
    error: Json = answer.json()["error"]
    assert list(error) == ["code", "message", "type", "details", "additionalInfo"]
    assert (error["code"], error["type"], error["details"]) == ("not_found", "error", [])
    assert re.fullmatch("[0-9a-f]{32}", error["additionalInfo"]["request_id"])
    assert answer.headers["x-request-id"] == answer.headers["apim-request-id"] == error["additionalInfo"]["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "versions"),
    [
        ("GET", "/agents", DATA_PLANE),
        ("GET", "/agents/missing", DATA_PLANE),
        ("POST", "/agents/support:disable", DATA_PLANE),
        ("DELETE", "/agents/support/endpoint/sessions/none", DATA_PLANE),
        ("GET", "/toolboxes", "1.0"),
        ("GET", "/toolboxes/none", "1.0"),
    ],
)
def test_every_response_has_region_and_api_versions_and_a_204_has_no_body(
    api: Api, method: str, path: str, versions: str
) -> None:
    api.create("support")
    answer = api.http.request(method, path)
    assert answer.headers["api-supported-versions"] == versions
    assert answer.headers["x-ms-region"] == "Sweden Central"
    if answer.status_code == 204:
        assert (answer.content, answer.headers.get("content-type")) == (b"", None)
    else:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("westcentralus", "West Central US"),
        ("eastus2", "East US 2"),
        ("southeastasia", "Southeast Asia"),
        ("southafricanorth", "South Africa North"),
        ("germanywestcentral", "Germany West Central"),
        ("uaenorth", "UAE North"),
        ("uksouth", "UK South"),
        ("moonbase1", "moonbase1"),
    ],
)
def test_regions_have_the_names_that_responses_show(location: str, name: str) -> None:
    assert region_name(location) == name


@pytest.mark.parametrize(
    "definition",
    [
        {"kind": "prompt", "model": "m", "instructions": "i", "tools": [TOOL], "temperature": 0.5, "x": [None, {}]},
        {"kind": "workflow", "workflow": "kind: workflow\n"},
        {"kind": "external", "otel_agent_id": "o"},
    ],
)
def test_other_kinds_are_echoed_as_sent_and_active_at_once(api: Api, definition: Json) -> None:
    made = api.post("other", definition, description="d").json()
    assert (made["definition"], made["status"], made["description"]) == (definition, "active", "d")
    assert next(iter(made["definition"])) == "kind"
    assert api.http.get("/agents/other/versions/1").json() == made
    assert "state" not in api.http.get("/agents/other").json()
    kind = definition["kind"]
    assert [a["name"] for a in api.http.get("/agents", params={"kind": kind}).json()["data"]] == ["other"]
    assert api.ask("other").status_code == 501


def test_unset_and_null_fields_stay_absent_and_the_old_protocol_list_is_added_empty(api: Api) -> None:
    sent = api.definition() | {"environment_variables": None, "telemetry_config": None}
    made = api.post("support", sent, metadata=None, description=None).json()
    assert made["definition"] == {"container_protocol_versions": [], **api.definition()}
    assert (made["metadata"], made["description"]) == ({}, "")
    assert "draft" not in made


def test_ids_have_the_services_form_and_are_equal_in_all_versions(api: Api) -> None:
    first, second = api.create("support"), api.create("support", cpu="1", memory="2Gi")
    assert first["id"] == "support:1"
    identity, blueprint, reference = (first[k] for k in ("instance_identity", "blueprint", "blueprint_reference"))
    assert identity["principal_id"] == identity["client_id"]
    assert blueprint["principal_id"] != blueprint["client_id"]
    assert reference["type"] == "ManagedAgentIdentityBlueprint"
    assert reference["blueprint_id"] == f"support-{first['agent_guid'][:5]}"
    for key in ("instance_identity", "blueprint", "blueprint_reference", "agent_guid"):
        assert first[key] == second[key]


def test_after_deleting_the_newest_version_the_one_before_is_latest_and_the_number_is_not_reused(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    gone = api.http.delete("/agents/support/versions/2")
    assert gone.json() == {"object": "agent.version.deleted", "name": "support", "version": "2", "deleted": True}
    assert api.http.get("/agents/support").json()["versions"]["latest"]["version"] == "1"
    assert api.create("support", cpu="2", memory="4Gi")["version"] == "3"


def test_a_patch_in_the_older_form_names_protocols_and_bare_schemes(api: Api) -> None:
    api.create("support")
    patch = {
        "protocols": ["responses", "invocations"],
        "authorization_schemes": [{"type": "Entra"}, {"type": "BotService"}],
    }
    endpoint = api.http.patch("/agents/support", json={"agent_endpoint": patch}).json()["agent_endpoint"]
    assert endpoint["protocols"] == ["responses", "invocations"]
    assert "protocol_configuration" not in endpoint
    assert endpoint["authorization_schemes"] == [
        {"type": "Entra", "isolation_key_source": {"kind": "Entra"}},
        {"type": "BotService"},
    ]
    configured: Json = {"agent_endpoint": {"protocol_configuration": {"a2a": {}, "responses": {}}}}
    assert api.http.patch("/agents/support", json=configured).json()["agent_endpoint"]["protocols"] == [
        "a2a",
        "responses",
    ]


@pytest.mark.parametrize("field", ["protocols", "authorization_schemes"])
def test_a_patch_of_another_type_is_refused(api: Api, field: str) -> None:
    api.create("support")
    assert error_of(api.http.patch("/agents/support", json={"agent_endpoint": {field: {}}})) == (400, "invalid_payload")


def test_an_agents_card_is_echoed_with_its_skills(api: Api) -> None:
    api.create("support")
    card = {"version": "1.0", "description": "d", "skills": [{"id": "s", "name": "n", "examples": ["e"]}]}
    assert api.http.patch("/agents/support", json={"agent_card": card}).json()["agent_card"] == card
    assert api.http.get("/agents/support").json()["agent_card"] == card


def test_empty_lists_differ_in_their_envelopes(api: Api) -> None:
    """Sessions: `data` and `has_more`; a toolbox's page past the end: ids that are ""."""
    api.create("support")
    assert api.http.get("/agents/support/endpoint/sessions").json() == {"data": [], "has_more": False}
    empty = {"data": [], "first_id": "", "last_id": "", "has_more": False, "object": "list"}
    assert api.http.get("/toolboxes").json() == empty
    last = api.http.post("/toolboxes/t/versions", json={"tools": []}).json()["id"]
    assert api.http.get("/toolboxes/t/versions", params={"after": last}).json() == empty


def test_a_sessions_id_may_be_given_and_sessions_page_by_either_cursor(api: Api) -> None:
    api.create("support")
    for name in ("a", "b", "c"):
        made = api.http.post("/agents/support/endpoint/sessions", json={"agent_session_id": name})
        assert (made.status_code, made.json()["agent_session_id"]) == (201, name)
    for cursor in ("after", "pagination_token"):
        page = api.http.get("/agents/support/endpoint/sessions", params={cursor: "a", "limit": "1"}).json()
        assert [s["agent_session_id"] for s in page["data"]] == ["b"]
        assert (page["first_id"], page["last_id"], page["has_more"]) == ("b", "b", True)


def test_session_ids_have_the_recorded_lengths(api: Api) -> None:
    api.create("support")
    made = api.http.post("/agents/support/endpoint/sessions", json={}).json()
    assert re.fullmatch("[0-9a-f]{16}00[0-9A-Za-z]{32}", made["agent_session_id"])
    assert made["expires_at"] - made["created_at"] == 2_592_000
    assert re.fullmatch("[0-9a-f]{63}", api.ask("support").headers["x-agent-session-id"])


def test_a_response_and_its_message_have_ids_in_the_same_partition(api: Api) -> None:
    api.create("support")
    first, second = (api.ask("support").json() for _ in range(2))
    ids = [answer["id"].removeprefix("caresp_") for answer in (first, second)]
    message = first["output"][0]["id"].removeprefix("msg_")
    assert all(re.fullmatch("[0-9a-f]{16}00[0-9A-Za-z]{32}", made) for made in (*ids, message))
    assert ids[0][:18] == message[:18] != ids[1][:18]
    assert ids[0] != message


def test_a_toolbox_returns_tools_skills_and_policies_unmasked_and_adds_empty_skills(api: Api) -> None:
    body: Json = {"tools": [TOOL], "policies": {"rai_config": {"rai_policy_name": "p"}}, "metadata": {"a": "b"}}
    made = api.http.post("/toolboxes/t/versions", json=body).json()
    assert (made["tools"], made["policies"], made["skills"], made["description"]) == ([TOOL], body["policies"], [], "")
    assert re.fullmatch("toolbox_[0-9a-f]{40}:1", made["id"])
    skills = [{"type": "skill_reference", "name": "n"}]
    assert api.http.post("/toolboxes/t/versions", json={"tools": [], "skills": skills}).json()["skills"] == skills
    assert api.http.get("/toolboxes/t/versions/1").json() == made


def test_an_agent_can_be_created_and_updated_without_naming_versions(api: Api) -> None:
    """POST /agents and POST /agents/{a}, as azd sends them."""
    made = api.http.post("/agents", json={"name": "support", "definition": api.definition()})
    assert (made.status_code, made.json()["versions"]["latest"]["version"]) == (200, "1")
    assert error_of(api.http.post("/agents", json={"name": "support", "definition": api.definition()})) == (
        409,
        "conflict",
    )
    assert error_of(api.http.post("/agents", json={"definition": api.definition()})) == (400, "invalid_payload")
    for cpu, memory, version in (("0.5", "1Gi", "1"), ("1", "2Gi", "2")):
        body = {"definition": api.definition(cpu=cpu, memory=memory)}
        assert api.http.post("/agents/support", json=body).json()["versions"]["latest"]["version"] == version
    assert error_of(api.http.post("/agents/missing", json={"definition": api.definition()})) == (404, "not_found")


def test_a_call_without_or_with_another_api_version_is_refused(api: Api) -> None:
    url = f"{api.project.endpoint}/agents"
    headers = {"authorization": f"Bearer {api.azure.token()}"}
    with httpx.Client(verify=api.azure.trust(), trust_env=False, headers=headers) as bare:
        assert error_of(bare.get(url)) == (400, "bad_request")
        assert error_of(bare.get(url, params={"api-version": "2025-11-15-preview"})) == (404, "not_found")
