from __future__ import annotations

import json
import re

from tests.emulator.api import Api


def test_the_answer_has_the_recorded_shape(api: Api) -> None:
    api.create("support")
    answer = api.ask("support", "Good morning!")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert "x-platform-server" in answer.headers
    body = answer.json()
    assert answer.headers["x-agent-session-id"] == body["agent_session_id"]
    assert re.fullmatch("[0-9a-f]{63}", body["agent_session_id"])
    reference = {"type": "agent_reference", "name": "support", "version": "1"}
    now = body["created_at"]
    assert isinstance(now, int)
    assert body == {
        "id": body["id"],
        "object": "response",
        "output": [
            {
                "type": "message",
                "id": body["output"][0]["id"],
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Echo: Good morning!", "annotations": [], "logprobs": []}],
                "status": "completed",
                "response_id": body["id"],
                "agent_reference": reference,
            }
        ],
        "created_at": now,
        "agent_reference": reference,
        "status": "completed",
        "completed_at": now,
        "response_id": body["id"],
        "model": "",
        "agent_session_id": body["agent_session_id"],
        "background": False,
    }
    assert re.fullmatch("caresp_[A-Za-z0-9]{50}", body["id"])
    assert re.fullmatch("msg_[A-Za-z0-9]{50}", body["output"][0]["id"])


def test_the_last_text_of_a_list_of_items_is_echoed(api: Api) -> None:
    api.create("support")
    items = [{"role": "user", "content": [{"type": "input_text", "text": "how far?"}]}]
    answer = api.http.post("/agents/support/endpoint/protocols/openai/responses", json={"input": items})
    assert answer.json()["output"][0]["content"][0]["text"] == "Echo: how far?"


def test_a_streamed_answer_is_a_numbered_event_stream_that_ends_completed(api: Api) -> None:
    api.create("support")
    answer = api.ask("support", stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(answer.headers["x-agent-session-id"]) == 63
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data")]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["agent_session_id"] == answer.headers["x-agent-session-id"]


def test_calling_a_version_that_is_still_creating_is_agent_version_not_ready(api: Api) -> None:
    api.azure.control.set(scripts=[{"agent": "slow", "steps": [{"status": "creating", "for_s": 600}]}])
    api.post("slow")
    answer = api.ask("slow")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "agent_version_not_ready")


def test_calling_a_failed_version_repeats_its_error(api: Api) -> None:
    api.create("support", container_configuration={"image": api.image.split("@")[0] + ":absent"})
    answer = api.ask("support")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "agent_version_failed")
    assert "[ImageError] Failed to pull container image." in answer.json()["error"]["message"]


def test_a_refused_call_creates_no_session(api: Api) -> None:
    api.create("support", container_configuration={"image": api.image.split("@")[0] + ":absent"})
    api.ask("support")
    assert api.http.get("/agents/support/endpoint/sessions").json()["data"] == []


def test_an_unknown_protocol_version_fails_at_the_first_call(api: Api) -> None:
    api.create("support", protocol_versions=[{"protocol": "responses", "version": "v1"}])
    answer = api.ask("support")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert "Unsupported responses protocol version" in answer.json()["error"]["message"]


def test_an_unknown_session_is_a_404(api: Api) -> None:
    api.create("support")
    assert api.ask("support", agent_session_id="missing").status_code == 404


def test_a_deleted_routed_version_answers_404(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    api.route("support", {"2": 100})
    api.http.delete("/agents/support/versions/2")
    assert api.ask("support").status_code == 404


def test_prompt_agents_are_stored_but_not_called(api: Api) -> None:
    made = api.post("prompted", {"kind": "prompt", "model": "gpt"})
    assert made.json()["status"] == "active"
    assert api.ask("prompted").status_code == 501
