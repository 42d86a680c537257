"""Retrieval of responses, and invocations."""

from __future__ import annotations

import pytest

from tests.emulator.api import Api, error_of

PROTOCOLS = "/agents/support/endpoint/protocols"
RESPONSES = f"{PROTOCOLS}/openai/responses"
INVOCATIONS = f"{PROTOCOLS}/invocations"
BOTH = [{"protocol": "responses", "version": "2.0.0"}, {"protocol": "invocations", "version": "2.0.0"}]


def test_a_response_can_be_retrieved_also_one_that_was_streamed(api: Api) -> None:
    api.create("support")
    made = api.ask("support").json()
    streamed = api.ask("support", stream=True).text
    for made_id in (made["id"], "caresp_" + streamed.split('"caresp_')[1].split('"')[0]):
        again = api.http.get(f"{RESPONSES}/{made_id}")
        assert (again.status_code, again.json()["id"]) == (200, made_id)
    assert api.http.get(f"{RESPONSES}/{made['id']}").json()["output"] == made["output"]


@pytest.mark.parametrize(("method", "rest"), [("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")])
def test_an_operation_that_the_agent_lacks_is_the_agents_own_404(api: Api, method: str, rest: str) -> None:
    api.create("support")
    made = api.ask("support").json()["id"]
    answer = api.http.request(method, f"{RESPONSES}/{made}{rest}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_a_response_is_found_on_the_version_that_created_it(api: Api) -> None:
    api.create("support")
    made = api.ask("support").json()["id"]
    api.create("support", cpu="1", memory="2Gi")
    assert api.http.get(f"{RESPONSES}/{made}").status_code == 200
    api.http.delete("/agents/support/versions/1", params={"force": "true"})
    assert error_of(api.http.get(f"{RESPONSES}/{made}")) == (404, "not_found")
    assert error_of(api.http.get(f"{RESPONSES}/caresp_x")) == (404, "not_found")


def test_an_invocation_sends_and_returns_any_body(api: Api) -> None:
    api.create("support", protocol_versions=BOTH)
    body = b"\x00\xff not json"
    answer = api.http.post(INVOCATIONS, content=body, headers={"content-type": "application/x-own"})
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/x-own"
    assert len(answer.headers["x-agent-session-id"]) == 63
    taken = answer.headers["x-agent-invocation-id"]
    assert api.http.get(f"{INVOCATIONS}/{taken}").json() == {"id": taken, "status": "completed"}
    assert error_of(api.http.get(f"{INVOCATIONS}/other")) == (404, "not_found")


def test_an_invocation_stays_in_the_session_that_it_names(api: Api) -> None:
    api.create("support", protocol_versions=BOTH)
    session = api.http.post(INVOCATIONS).headers["x-agent-session-id"]
    again = api.http.post(INVOCATIONS, params={"agent_session_id": session})
    assert again.headers["x-agent-session-id"] == session
    assert len(api.http.get("/agents/support/endpoint/sessions").json()["data"]) == 1


def test_a_protocol_that_a_version_does_not_declare_is_a_400(api: Api) -> None:
    api.create("support")
    assert error_of(api.http.post(INVOCATIONS)) == (400, "bad_request")
    assert error_of(api.http.get(f"{INVOCATIONS}/docs/openapi.json")) == (400, "bad_request")
