"""Conversations: their responses stay in one session, and so with one version (service-contract 5.3)."""

from __future__ import annotations

import re

import pytest

from tests.emulator.api import Api, error_of

ROOT = "/agents/support/endpoint/protocols/openai/conversations"


def begin(api: Api, **body: object) -> str:
    made = api.http.post(ROOT, json=body)
    assert made.status_code == 200, made.text
    conversation: str = made.json()["id"]
    return conversation


@pytest.fixture
def split(api: Api) -> Api:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    api.route("support", {"1": 50, "2": 50})
    return api


def test_a_conversation_has_openais_shape_and_can_be_read_and_deleted(split: Api) -> None:
    made = split.http.post(ROOT, json={"metadata": {"a": "b"}}).json()
    assert re.fullmatch("conv_[0-9A-Za-z]{50}", made["id"])
    assert list(made) == ["id", "object", "created_at", "metadata"]
    assert (made["object"], made["metadata"]) == ("conversation", {"a": "b"})
    path = f"{ROOT}/{made['id']}"
    assert split.http.get(path).json() == made
    assert split.http.delete(path).json() == {"id": made["id"], "object": "conversation.deleted", "deleted": True}
    assert error_of(split.http.get(path)) == error_of(split.http.delete(path)) == (404, "not_found")


@pytest.mark.parametrize("as_object", [False, True])
def test_responses_of_a_conversation_stay_in_its_session(split: Api, *, as_object: bool) -> None:
    name = begin(split)
    conversation: object = {"id": name} if as_object else name
    answers = [split.ask("support", conversation=conversation).json() for _ in range(10)]
    assert len({answer["agent_session_id"] for answer in answers}) == 1
    assert len({answer["agent_reference"]["version"] for answer in answers}) == 1
    assert answers[0]["conversation"] == {"id": name}


def test_conversations_are_split_by_the_rules(split: Api) -> None:
    served = {split.served_by("support", conversation=begin(split)) for _ in range(30)}
    assert served == {"1", "2"}


def test_a_conversation_gets_a_new_session_when_its_session_is_deleted(split: Api) -> None:
    name = begin(split)
    first = split.ask("support", conversation=name).json()["agent_session_id"]
    split.http.delete(f"/agents/support/endpoint/sessions/{first}")
    assert split.ask("support", conversation=name).json()["agent_session_id"] != first


def test_a_requested_session_overrides_the_conversations(split: Api) -> None:
    name = begin(split)
    split.ask("support", conversation=name)
    session = split.http.post("/agents/support/endpoint/sessions", json={}).json()["agent_session_id"]
    assert split.ask("support", conversation=name, agent_session_id=session).json()["agent_session_id"] == session


def test_an_unknown_conversation_is_a_404_and_makes_no_session(split: Api) -> None:
    assert error_of(split.ask("support", conversation="conv_none")) == (404, "not_found")
    assert split.http.get("/agents/support/endpoint/sessions").json() == {"data": [], "has_more": False}


@pytest.mark.parametrize("conversation", [1, "", {"id": 1}, []])
def test_an_invalid_conversation_is_a_400(split: Api, conversation: object) -> None:
    assert error_of(split.ask("support", conversation=conversation)) == (400, "invalid_payload")


def test_a_conversation_starts_empty_and_is_deleted_with_its_agent(split: Api) -> None:
    assert error_of(split.http.post(ROOT, json={"items": [{"type": "message"}]})) == (400, "invalid_payload")
    name = begin(split)
    split.http.delete("/agents/support", params={"force": "true"})
    split.create("support")
    assert error_of(split.http.get(f"{ROOT}/{name}")) == (404, "not_found")
