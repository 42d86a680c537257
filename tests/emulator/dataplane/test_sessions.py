from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Clock, is_active

SESSIONS = "/agents/support/endpoint/sessions"


def pin(api: Api, version: str) -> httpx.Response:
    return api.http.post(SESSIONS, json={"version_indicator": {"type": "version_ref", "agent_version": version}})


def test_a_session_has_the_recorded_shape_and_lives_30_days(api: Api) -> None:
    api.create("support")
    made = pin(api, "1")
    assert made.status_code == 201
    body = made.json()
    assert list(body) == [
        "agent_session_id",
        "version_indicator",
        "status",
        "created_at",
        "last_accessed_at",
        "expires_at",
    ]
    assert len(body["agent_session_id"]) == 50
    assert body["status"] == "active"
    assert body["expires_at"] - body["created_at"] == 2_592_000
    assert api.http.get(f"{SESSIONS}/{body['agent_session_id']}").json() == body


def test_sessions_are_listed_oldest_first_without_object(api: Api) -> None:
    api.create("support")
    ids = [pin(api, "1").json()["agent_session_id"] for _ in range(3)]
    page = api.http.get(SESSIONS).json()
    assert [session["agent_session_id"] for session in page["data"]] == ids
    assert list(page) == ["data", "first_id", "last_id", "has_more"]
    assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
    second = api.http.get(SESSIONS, params={"limit": "1", "after": ids[0]}).json()
    assert [session["agent_session_id"] for session in second["data"]] == [ids[1]]


def test_a_deleted_session_is_gone_and_deleting_it_again_is_204(api: Api) -> None:
    api.create("support")
    session = pin(api, "1").json()["agent_session_id"]
    assert api.http.delete(f"{SESSIONS}/{session}").status_code == 204
    assert api.http.delete(f"{SESSIONS}/{session}").status_code == 204
    assert api.http.get(f"{SESSIONS}/{session}").status_code == 404
    assert api.http.get(SESSIONS).json() == {"data": [], "has_more": False}


def test_a_session_pins_its_version_whatever_the_split(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    api.route("support", {"2": 100})
    session = pin(api, "1").json()["agent_session_id"]
    assert api.served_by("support", agent_session_id=session) == "1"
    assert api.served_by("support", session_id=session) == "1"
    assert api.served_by("support") == "2"


def test_a_session_created_by_a_call_keeps_its_version_after_a_new_route(api: Api) -> None:
    api.create("support")
    session = api.ask("support").json()["agent_session_id"]
    assert len(session) == 63
    api.create("support", cpu="1", memory="2Gi")
    assert api.served_by("support") == "2"
    assert api.served_by("support", agent_session_id=session) == "1"


def test_a_stopped_session_is_idle_and_routed_again_at_its_next_call(api: Api) -> None:
    api.create("support")
    session = pin(api, "1").json()["agent_session_id"]
    assert api.http.post(f"{SESSIONS}/{session}:stop").status_code == 204
    again = api.http.post(f"{SESSIONS}/{session}:stop")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "session_already_stopped")
    stopped = api.http.get(f"{SESSIONS}/{session}").json()
    assert stopped["status"] == "idle"
    assert stopped["stopped_at"] >= stopped["created_at"]
    api.create("support", cpu="1", memory="2Gi")
    assert api.served_by("support", agent_session_id=session) == "2"
    assert api.http.get(f"{SESSIONS}/{session}").json()["status"] == "active"


def test_a_chosen_id_is_kept_and_cannot_be_used_twice(api: Api) -> None:
    api.create("support")
    body = {"version_indicator": {"type": "version_ref", "agent_version": "1"}, "agent_session_id": "mine"}
    assert api.http.post(SESSIONS, json=body).json()["agent_session_id"] == "mine"
    taken = api.http.post(SESSIONS, json=body)
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "indicator",
    [
        {"type": "latest", "agent_version": "1"},
        {"type": "version_ref"},
        {"type": "version_ref", "agent_version": 1},
        "1",
    ],
)
def test_a_malformed_indicator_is_a_400(api: Api, indicator: object) -> None:
    api.create("support")
    assert api.http.post(SESSIONS, json={"version_indicator": indicator}).status_code == 400


def test_a_session_of_a_missing_version_is_a_404(api: Api) -> None:
    api.create("support")
    assert pin(api, "9").status_code == 404


def test_active_sessions_keep_a_version_and_its_agent_from_being_deleted_unless_forced(api: Api) -> None:
    api.create("support")
    session = pin(api, "1").json()["agent_session_id"]
    for path in ("/agents/support/versions/1", "/agents/support"):
        refused = api.http.delete(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    assert api.http.delete("/agents/support/versions/1", params={"force": "true"}).status_code == 200
    assert api.http.get(f"{SESSIONS}/{session}").status_code == 404
    assert api.http.delete("/agents/support").status_code == 200


def test_an_idle_session_does_not_block_the_deletion_of_its_version(data_dir: Path) -> None:
    clock = Clock()
    with LocalAzure(data_dir, clock=clock) as azure:
        project = azure.seed_project("shop")
        definition = {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": azure.push_image(project)},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
            "session_configuration": {"idle_timeout_seconds": 300},
        }
        with azure.client("shop") as http:
            http.post("/agents/support/versions", json={"definition": definition})
            azure.wait_until(is_active(http, "support", "1"))
            response = http.post("/agents/support/endpoint/protocols/openai/responses", json={"input": ""})
            session = response.json()["agent_session_id"]
            assert http.delete("/agents/support/versions/1").status_code == 409
            clock.time += 299
            assert http.get(f"{SESSIONS}/{session}").json()["status"] == "active"
            clock.time += 1
            assert http.get(f"{SESSIONS}/{session}").json()["status"] == "idle"
            assert http.delete("/agents/support/versions/1").status_code == 200


def test_a_setting_makes_every_session_idle_at_once(data_dir: Path) -> None:
    with LocalAzure(data_dir, settings=Settings(provisioning_s=0, session_idle_s=0)) as azure:
        project = azure.seed_project("shop")
        definition = {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": azure.push_image(project)},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        }
        with azure.client("shop") as http:
            http.post("/agents/support/versions", json={"definition": definition})
            azure.wait_until(is_active(http, "support", "1"))
            http.post("/agents/support/endpoint/protocols/openai/responses", json={"input": ""})
            assert http.delete("/agents/support/versions/1").status_code == 200


def test_an_expired_session_starts_again_on_the_version_that_is_routed_now(data_dir: Path) -> None:
    clock = Clock()
    with LocalAzure(data_dir, clock=clock) as azure:
        project = azure.seed_project("shop")
        image = azure.push_image(project)
        with azure.client("shop") as http:
            for tier in (("0.5", "1Gi"), ("1", "2Gi")):
                definition = {
                    "kind": "hosted",
                    "cpu": tier[0],
                    "memory": tier[1],
                    "container_configuration": {"image": image},
                    "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
                }
                version = http.post("/agents/support/versions", json={"definition": definition}).json()["version"]
                azure.wait_until(is_active(http, "support", version))
            indicator = {"version_indicator": {"type": "version_ref", "agent_version": "1"}}
            session = http.post(SESSIONS, json=indicator).json()["agent_session_id"]
            clock.time += 2_592_000
            # the clients' tokens have expired too
            http.headers["authorization"] = f"Bearer {azure.token()}"
            assert http.get(f"{SESSIONS}/{session}").json()["status"] == "expired"
            response = http.post(
                "/agents/support/endpoint/protocols/openai/responses",
                json={"input": "", "agent_session_id": session},
            )
            assert response.json()["agent_reference"]["version"] == "2"
