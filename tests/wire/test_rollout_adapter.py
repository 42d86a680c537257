"""The part of the adapter that talks to agents: sessions, questions, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from azure.ai.projects import AIProjectClient
from azure.core.pipeline.policies import SansIOHTTPPolicy

from foundry_agents.azure import FoundryAgentService
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    NotReadyError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
)
from foundry_agents.lifecycle.views import Answer as Said
from foundry_agents.lifecycle.views import SessionView
from tests.wire.scripted_service import DROP, Answer, AnyCredential, Script, failure, serving

ROOT = "/api/projects/demo/agents/support"
RESPONSES = f"{ROOT}/endpoint/protocols/openai/responses?api-version=v1"
SESSION = {
    "agent_session_id": "s-1",
    "version_indicator": {"type": "version_ref", "agent_version": "31"},
    "status": "active",
    "created_at": 1782939705,
    "last_accessed_at": 1782939705,
    "expires_at": 1785531705,
}
RESPONSE = {
    "id": "caresp_1",
    "object": "response",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "po", "annotations": []},
                {"type": "output_text", "text": "ng", "annotations": []},
            ],
            "agent_reference": {"type": "agent_reference", "name": "support", "version": "31"},
        }
    ],
    "created_at": 1782939705,
    "status": "completed",
    "model": "",
    "agent_session_id": "s-9",
    "agent_reference": {"type": "agent_reference", "name": "support", "version": "31"},
}
"""As recorded, cut."""


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with serving() as started:
        yield started


@pytest.fixture(scope="module")
def service(script: Script) -> Iterator[FoundryAgentService]:
    with (
        AIProjectClient(
            script.url, AnyCredential(), authentication_policy=SansIOHTTPPolicy(), retry_backoff_factor=0
        ) as client,
        closing(FoundryAgentService(client, script.url)) as started,
    ):
        yield started


# --- Sessions --------------------------------------------------------------------------------------------------------


def test_a_session_is_pinned_to_its_version(script: Script, service: FoundryAgentService) -> None:
    """Case 44: whatever the split."""
    script.says(Answer(201, SESSION))
    assert service.create_session("support", "31") == "s-1"
    (asked,) = script.asked
    assert (asked.method, asked.path) == ("POST", f"{ROOT}/endpoint/sessions?api-version=v1")
    assert asked.body == {"version_indicator": {"type": "version_ref", "agent_version": "31"}}


def test_a_session_that_is_not_ready_has_an_error_of_its_own(script: Script, service: FoundryAgentService) -> None:
    """Case 44. fs#515"""
    script.says(failure(424, "session_creation_failed", "readiness failed"))
    with pytest.raises(NotReadyError) as caught:
        service.create_session("support", "31")
    assert (caught.value.code, caught.value.request_id) == ("session_creation_failed", "r-42")
    assert script.methods() == ["POST"]


def test_a_session_is_deleted_whether_it_is_there_or_not(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(204, ""), failure(404, "not_found", "Session s-1 doesn't exist"))
    service.delete_session("support", "s-1")
    service.delete_session("support", "s-1")
    assert {(one.method, one.path) for one in script.asked} == {
        ("DELETE", f"{ROOT}/endpoint/sessions/s-1?api-version=v1")
    }


def test_sessions_are_listed_with_version_and_status(script: Script, service: FoundryAgentService) -> None:
    idle = {**SESSION, "agent_session_id": "s-2", "status": "idle"}
    script.says(
        Answer(200, {"data": [SESSION, idle], "first_id": "s-1", "last_id": "s-2", "has_more": False}),
        Answer(200, {"data": [], "has_more": False}),
    )
    sessions = list(service.list_sessions("support"))
    assert sessions == [SessionView("s-1", "31", "active"), SessionView("s-2", "31", "idle")]
    assert [session.live for session in sessions] == [True, False]


def test_an_agent_is_switched_on_with_one_post(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(204, ""))
    service.enable("support")
    assert [(one.method, one.path) for one in script.asked] == [("POST", f"{ROOT}:enable?api-version=v1")]


# --- Responses -------------------------------------------------------------------------------------------------------


def test_a_question_goes_to_the_endpoint_without_a_model_and_the_answer_says_who_gave_it(
    script: Script, service: FoundryAgentService
) -> None:
    """Case 35: the answering version is in the answer [recorded]."""
    script.says(Answer(200, RESPONSE))
    said = service.ask("support", "ping", protocol="responses")
    assert said == Said("31", "pong", RESPONSE, "s-9")
    (asked,) = script.asked
    assert (asked.method, asked.path) == ("POST", RESPONSES)
    assert asked.body == {"input": "ping"}


def test_a_question_in_a_session_names_it_in_the_body(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, RESPONSE))
    service.ask("support", "ping", protocol="responses", session="s-9")
    assert script.asked[0].body == {"input": "ping", "agent_session_id": "s-9"}


def test_a_session_that_only_a_header_names_is_known(script: Script, service: FoundryAgentService) -> None:
    bare = {key: value for key, value in RESPONSE.items() if key not in {"agent_session_id", "agent_reference"}}
    script.says(Answer(200, bare, {"x-agent-session-id": "s-7"}))
    said = service.ask("support", "ping", protocol="responses")
    assert (said.session, said.version) == ("s-7", "")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failure(424, "session_not_ready", "starting"), NotReadyError),
        (failure(400, "agent_version_not_ready", "creating"), NotReadyError),
        (failure(403, "forbidden", "no"), AccessDeniedError),
        (failure(409, "conflict", "busy"), ConflictError),
        (failure(429, "too_many", "slow"), ThrottledError),
        (failure(500, "server_error", "oh"), ResponseLostError),
        (failure(400, "bad_request", "no"), ServiceError),
        (Answer(502, "<html>"), ResponseLostError),
        (Answer(DROP), ResponseLostError),
    ],
)
def test_a_failed_question_is_an_error_of_ours_after_one_request(
    script: Script, service: FoundryAgentService, answer: Answer, kind: type[ServiceError]
) -> None:
    """Case 5: the client's own retries would ask twice and hide a 424."""
    script.says(answer)
    with pytest.raises(ServiceError) as caught:
        service.ask("support", "ping", protocol="responses")
    assert type(caught.value) is kind
    assert script.methods() == ["POST"]
    if answer.headers:
        assert caught.value.request_id == "r-42"
        assert caught.value.code


# --- Invocations -----------------------------------------------------------------------------------------------------


INVOCATIONS = f"{ROOT}/endpoint/protocols/invocations?api-version=v1"


@pytest.mark.parametrize(
    ("question", "body"),
    [("ping", {"message": "ping"}), ('{"city": "Bern"}', {"city": "Bern"}), ("[1]", {"message": "[1]"})],
)
def test_an_invocation_takes_any_object_and_its_session_says_who_answered(
    script: Script, service: FoundryAgentService, question: str, body: object
) -> None:
    script.says(Answer(200, {"state": "ok"}, {"x-agent-session-id": "s-1"}), Answer(200, SESSION))
    said = service.ask("support", question, protocol="invocations")
    assert (said.version, said.body, said.session) == ("31", {"state": "ok"}, "s-1")
    assert (script.asked[0].path, script.asked[0].body) == (INVOCATIONS, body)


def test_an_invocation_in_a_session_names_it_in_the_query(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, "plain words", {"content-type": "text/plain"}), Answer(200, SESSION))
    said = service.ask("support", "ping", protocol="invocations", session="s-1")
    assert (said.text, said.body, said.version) == ("plain words", {}, "31")
    assert script.asked[0].path == f"{INVOCATIONS}&agent_session_id=s-1"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failure(424, "session_not_ready", "starting"), NotReadyError),
        (failure(500, "server_error", "oh"), ResponseLostError),
        (Answer(202, {}, {"x-agent-invocation-id": "i-1"}), ServiceError),
    ],
)
def test_an_invocation_without_an_answer_is_an_error(
    script: Script, service: FoundryAgentService, answer: Answer, kind: type[ServiceError]
) -> None:
    script.says(answer)
    with pytest.raises(ServiceError) as caught:
        service.ask("support", "ping", protocol="invocations")
    assert type(caught.value) is kind
    assert script.methods() == ["POST"]
