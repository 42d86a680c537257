"""The adapter on the Azure SDK: what goes over the wire, and what the service's answers become."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from azure.ai.projects import AIProjectClient
from azure.core.pipeline.policies import SansIOHTTPPolicy

from foundry_agents.azure import FoundryAgentService
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    NetworkDeniedError,
    PreviewRequiredError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import LATEST, Route
from tests.support.settings import FULL, IMAGE, OF_CODE, values
from tests.wire.scripted_service import DROP, VERSION, Answer, AnyCredential, Asked, Script, failure, serving

AGENT: dict[str, Any] = {
    "object": "agent",
    "id": "support",
    "name": "support",
    "state": "enabled",
    "versions": {"latest": VERSION},
    "agent_endpoint": {
        "version_selector": {
            "version_selection_rules": [
                {"type": "FixedRatio", "agent_version": "21", "traffic_percentage": 90},
                {"type": "FixedRatio", "agent_version": "@latest", "traffic_percentage": 10},
            ]
        },
        "protocol_configuration": {"responses": {}},
        "protocols": ["responses"],
    },
}


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with serving() as started:
        yield started


@pytest.fixture(scope="module")
def service(script: Script) -> Iterator[FoundryAgentService]:
    # Plain HTTP in this test: the SDK refuses to send a token that way, so none is sent.
    with AIProjectClient(
        script.url, AnyCredential(), authentication_policy=SansIOHTTPPolicy(), retry_backoff_factor=0
    ) as client:
        yield FoundryAgentService(client, script.url)


# --- Requests -------------------------------------------------------------------------------------------------------


def test_a_version_is_posted_with_every_setting_under_its_name_on_the_wire(
    script: Script, service: FoundryAgentService
) -> None:
    """Case 15, one way."""
    script.says(Answer(200, VERSION))
    service.create_version("support", AgentDefinition.from_values(values(FULL)), {"team": "support", "tier": "1"})
    (asked,) = script.asked
    assert (asked.method, asked.path) == ("POST", "/api/projects/demo/agents/support/versions?api-version=v1")
    assert asked.body == {
        "definition": {
            "kind": "hosted",
            "cpu": "1",
            "memory": "2Gi",
            "container_configuration": {"image": IMAGE},
            "protocol_versions": [
                {"protocol": "invocations", "version": "2.0.0"},
                {"protocol": "responses", "version": "2.0.0"},
            ],
            "environment_variables": {"GREETING": "Hello", "TOKEN": "s3cret"},
            "session_configuration": {"idle_timeout_seconds": 900},
        },
        "description": "Answers questions.",
        "metadata": {"team": "support", "tier": "1"},
    }


def _of_code() -> AgentDefinition:
    return replace(AgentDefinition.from_values(values(OF_CODE)), archive=io.BytesIO(b"zip"))


def test_a_version_of_code_is_one_post_with_its_zip_and_its_digest(
    script: Script, service: FoundryAgentService
) -> None:
    """Through the SDK's own call; the digest is a header and not part of the definition."""
    script.says(Answer(200, VERSION))
    definition = _of_code()
    assert definition.archive is not None
    definition.archive.name = "/a/draft/code.zip"  # type: ignore[misc]  # as an open file has it
    definition.archive.read()
    service.create_version("support", definition, {"tier": "1"})
    (asked,) = script.asked
    assert (asked.method, asked.path) == ("POST", "/api/projects/demo/agents/support/versions?api-version=v1")
    assert asked.headers["x-ms-code-zip-sha256"] == "c" * 64
    parts = {part.get_param("name", header="content-disposition"): part for part in _parts(asked)}
    assert set(parts) == {"metadata", "code"}
    assert parts["code"].get_payload(decode=True) == b"zip"
    assert parts["code"].get_filename() == "code.zip"
    said = json.loads(str(parts["metadata"].get_payload()))
    assert said["definition"]["code_configuration"] == {
        "runtime": "python_3_13",
        "entry_point": ["python", "main.py"],
        "dependency_resolution": "bundled",
    }
    assert "container_configuration" not in said["definition"]
    assert said["metadata"] == {"tier": "1"}


def _parts(asked: Asked) -> list[Message]:
    head = f"content-type: {asked.content_type}\r\n\r\n".encode()
    parts = message_from_bytes(head + asked.body).get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


@pytest.mark.parametrize("status", [400, 409, 429, 500, 503])
def test_a_post_of_code_is_on_the_wire_once(script: Script, service: FoundryAgentService, status: int) -> None:
    """Case 5."""
    script.says(failure(status, "later", "no", **{"retry-after": "0"}))
    definition = _of_code()
    definition.archive.name = "code.zip"  # type: ignore[misc, union-attr]  # as an open file has it
    with pytest.raises(ServiceError):
        service.create_version("support", definition, {})
    assert script.methods() == ["POST"]


def test_a_protocol_and_a_size_of_the_future_go_over_the_wire_as_they_are(
    script: Script, service: FoundryAgentService
) -> None:
    """Case 61: no release of ours is needed for a new word of the service's."""
    script.says(Answer(200, VERSION))
    newer = values(cpu="8", memory="16Gi", accept_new_tier=True, protocols={"grpc": "1"}, accept_new=["grpc"])
    service.create_version("support", AgentDefinition.from_values(newer), {})
    definition = script.asked[0].body["definition"]
    assert (definition["cpu"], definition["memory"]) == ("8", "16Gi")
    assert definition["protocol_versions"] == [{"protocol": "grpc", "version": "1"}]


def test_a_setting_that_is_not_set_stays_off_the_wire(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, VERSION))
    service.create_version("support", AgentDefinition.from_values(values()), {})
    (asked,) = script.asked
    assert set(asked.body) <= {"definition", "metadata"}
    assert set(asked.body["definition"]) == {"kind", "cpu", "memory", "container_configuration", "protocol_versions"}


def test_routes_are_a_merge_patch_of_the_rules_and_nothing_else(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, AGENT))
    service.set_routes("support", [Route("21", 90), Route("31", 10)])
    (asked,) = script.asked
    assert (asked.method, asked.path) == ("PATCH", "/api/projects/demo/agents/support?api-version=v1")
    assert asked.content_type == "application/merge-patch+json"
    assert asked.body == {
        "agent_endpoint": {
            "version_selector": {
                "version_selection_rules": [
                    {"type": "FixedRatio", "agent_version": "21", "traffic_percentage": 90},
                    {"type": "FixedRatio", "agent_version": "31", "traffic_percentage": 10},
                ]
            }
        }
    }


def test_protocols_are_switched_on_beside_the_rules(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, AGENT))
    service.set_routes("support", [Route("21", 100)], enable_protocols=frozenset({"responses", "a2a"}))
    assert script.asked[0].body["agent_endpoint"]["protocol_configuration"] == {"a2a": {}, "responses": {}}


@pytest.mark.parametrize("force", [False, True])
def test_a_delete_is_forced_only_when_asked_for(script: Script, service: FoundryAgentService, *, force: bool) -> None:
    """Case 50."""
    script.says(Answer(200, {"object": "agent.version.deleted", "name": "support", "version": "31", "deleted": True}))
    assert service.delete_version("support", "31", force=force)
    assert ("force=true" in script.asked[0].path.lower()) is force


def test_a_list_walks_every_page_newest_first(script: Script, service: FoundryAgentService) -> None:
    """Case 8: 100 per page."""
    pages = [
        {"data": [{**VERSION, "id": "support:31"}], "last_id": "support:31", "has_more": True, "object": "list"},
        {"data": [{**VERSION, "version": "30", "id": "support:30"}], "last_id": "support:30", "has_more": False},
        {"data": [], "has_more": False},
    ]
    script.says(*(Answer(200, page) for page in pages))
    assert [view.id for view in service.list_versions("support")] == ["support:31", "support:30"]
    assert "order=desc" in script.asked[0].path
    assert "limit=100" in script.asked[0].path
    assert "after=support" in script.asked[1].path


# --- Answers --------------------------------------------------------------------------------------------------------


def test_a_version_is_read_as_recorded(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, VERSION))
    view = service.get_version("support", "31")
    assert view is not None
    assert (view.id, view.status, view.metadata, view.created_at, view.principal_id, view.client_id, view.hosted) == (
        "support:31",
        "creating",
        {"team": "support"},
        1782939705,
        "G1",
        "G2",
        True,
    )


def test_a_failed_version_has_its_code_and_words(script: Script, service: FoundryAgentService) -> None:
    """The SDK's model has no field for them [sdk]."""
    script.says(Answer(200, {**VERSION, "status": "failed", "error": {"code": "ImageError", "message": "No pull."}}))
    view = service.get_version("support", "31")
    assert view is not None
    assert (view.status, view.error_code, view.error_message) == ("failed", "ImageError", "No pull.")


def test_the_request_id_of_the_answer_that_showed_a_failure_is_kept(
    script: Script, service: FoundryAgentService
) -> None:
    """What Azure support asks for; it is in a header of the read, not in the version."""
    script.says(Answer(200, {**VERSION, "status": "failed"}, {"x-request-id": "r-42"}))
    view = service.get_version("support", "31")
    assert view is not None
    assert view.request_id == "r-42"
    assert view == replace(view, request_id=None), "two reads of the same are equal"


def test_a_version_of_another_kind_is_recognised(script: Script, service: FoundryAgentService) -> None:
    """Case 7."""
    script.says(Answer(200, {**VERSION, "definition": {"kind": "prompt", "model": "m"}}))
    view = service.get_version("support", "31")
    assert view is not None
    assert not view.hosted


def test_an_agent_is_read_with_its_routes_and_protocols(script: Script, service: FoundryAgentService) -> None:
    script.says(Answer(200, AGENT))
    view = service.get_agent("support")
    assert view is not None
    assert view.latest is not None
    assert (view.name, view.latest.id, view.enabled) == ("support", "support:31", True)
    assert view.routes == (Route("21", 90), Route(LATEST, 10))
    assert view.protocols == {"responses"}


def test_a_disabled_agent_is_read_as_such(script: Script, service: FoundryAgentService) -> None:
    """Case 40."""
    script.says(Answer(200, {**AGENT, "state": "disabled"}))
    view = service.get_agent("support")
    assert view is not None
    assert not view.enabled


# --- Not there ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["support", "project-helper", "my-projects", "subdomain-finder"])
def test_an_agent_that_is_not_there_is_none_whatever_its_name(
    script: Script, service: FoundryAgentService, agent: str
) -> None:
    """Its name is in the service's words, and says nothing about the project."""
    script.says(failure(404, "not_found", f"Agent {agent} doesn't exist"))
    assert service.get_agent(agent) is None
    assert service.get_version(agent, "1") is None
    assert list(service.list_versions(agent)) == []
    assert service.delete_version(agent, "1", force=False) is False
    assert service.delete_agent(agent, force=False) is False


@pytest.mark.parametrize(
    "answer",
    [
        failure(404, "404", "Subdomain does not map to a resource."),
        failure(404, "not_found", "The project does not exist."),
        failure(404, "404", "Resource not found"),
        Answer(404, {"statusCode": 404, "message": "Resource not found"}),
        Answer(404, "<html>not here</html>", {"content-type": "text/html"}),
    ],
    ids=["subdomain", "project", "route", "gateway", "no JSON"],
)
def test_a_project_that_is_not_there_says_nothing_about_the_agent(
    script: Script, service: FoundryAgentService, answer: Answer
) -> None:
    """Cases 29 and 42: state is kept."""
    script.says(answer)
    for call in (
        lambda: service.get_agent("support"),
        lambda: service.get_version("support", "1"),
        lambda: list(service.list_versions("support")),
        lambda: service.delete_version("support", "1", force=False),
        lambda: service.delete_agent("support", force=False),
    ):
        with pytest.raises(ProjectNotFoundError):
            call()


# --- Refused and lost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failure(400, "invalid_payload", "no"), ServiceError),
        (failure(401, "unauthorized", "no"), AccessDeniedError),
        (failure(403, "forbidden", "no"), AccessDeniedError),
        (
            failure(403, "Forbidden", "Public access is disabled. Please configure private endpoint."),
            NetworkDeniedError,
        ),
        (failure(403, "preview_feature_required", "no"), PreviewRequiredError),
        (failure(409, "conflict", "no"), ConflictError),
        (failure(429, "QuotaExceeded", "no"), ThrottledError),
        (failure(500, "server_error", "no"), ResponseLostError),
        (failure(503, "unavailable", "no"), ResponseLostError),
        (Answer(500, "<html>oops</html>", {"x-request-id": "r-42"}), ResponseLostError),
        (Answer(200, '{"cut": ', {"x-request-id": "r-42"}), ResponseLostError),
        (Answer(DROP), ResponseLostError),
    ],
    ids=[
        "400",
        "401",
        "403",
        "403 network",
        "403 preview",
        "409",
        "429",
        "500",
        "503",
        "500 no JSON",
        "cut JSON",
        "dropped",
    ],
)
def test_a_post_is_on_the_wire_once_and_its_failure_has_a_kind(
    script: Script, service: FoundryAgentService, answer: Answer, kind: type[ServiceError]
) -> None:
    """Cases 3, 5 and 32: the SDK repeats a POST after 500, 503 and 504 unless its retries are off."""
    script.says(answer)
    with pytest.raises(ServiceError) as caught:
        service.create_version("support", AgentDefinition.from_values(values()), {})
    assert type(caught.value) is kind
    assert script.methods() == ["POST"]
    if answer.status != DROP:
        assert caught.value.request_id == "r-42"
        assert "r-42" in str(caught.value)
    assert caught.value.operation == f"POST {script.url}/agents/support/versions"


@pytest.mark.parametrize("status", [400, 409, 429, 503])
def test_the_sdk_does_not_repeat_a_post_after_retry_after(
    script: Script, service: FoundryAgentService, status: int
) -> None:
    """Case 5: the SDK repeats any status with Retry-After unless its retries are off."""
    script.says(failure(status, "later", "no", **{"retry-after": "0"}))
    with pytest.raises(ServiceError):
        service.create_version("support", AgentDefinition.from_values(values()), {})
    assert script.methods() == ["POST"]


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y"])
def test_a_retry_after_date_with_and_without_a_zone_is_in_utc(
    script: Script, service: FoundryAgentService, form: str
) -> None:
    """HTTP has three forms of a date, and the oldest names no zone."""
    when = datetime.now(tz=UTC) + timedelta(minutes=10)
    script.says(failure(429, "later", "no", **{"retry-after": when.strftime(form)}))
    with pytest.raises(ThrottledError) as caught:
        service.create_version("support", AgentDefinition.from_values(values()), {})
    assert caught.value.retry_after_s == pytest.approx(600, abs=30)


def test_a_retry_after_that_no_calendar_has_counts_as_none(script: Script, service: FoundryAgentService) -> None:
    script.says(failure(429, "later", "no", **{"retry-after": "Mon, 99999999999999999999 Jan 2020 00:00:00 GMT"}))
    with pytest.raises(ThrottledError) as caught:
        service.create_version("support", AgentDefinition.from_values(values()), {})
    assert caught.value.retry_after_s is None


def test_a_patch_is_on_the_wire_once(script: Script, service: FoundryAgentService) -> None:
    """Case 5."""
    script.says(failure(503, "unavailable", "no"))
    with pytest.raises(ResponseLostError):
        service.set_routes("support", [Route("1", 100)])
    assert script.methods() == ["PATCH"]


def test_a_read_is_repeated_by_the_sdk(script: Script, service: FoundryAgentService) -> None:
    """Case 30: reading again does no harm."""
    script.says(failure(503, "unavailable", "no"), Answer(200, VERSION))
    assert service.get_version("support", "31") is not None
    assert script.methods() == ["GET", "GET"]


def test_the_error_quotes_what_a_sandbox_adds_in_its_own_header(script: Script, service: FoundryAgentService) -> None:
    """A quota of sessions is named there [docs]."""
    script.says(failure(429, "too_many_requests", "no", **{"x-adc-response-details": "RegionalQuotaExceeded"}))
    with pytest.raises(ThrottledError) as caught:
        service.create_version("support", AgentDefinition.from_values(values()), {})
    assert "[too_many_requests] no (RegionalQuotaExceeded) (request r-42)" in str(caught.value)
    assert "the region has no capacity" in str(caught.value)


def test_the_services_code_and_words_are_kept(script: Script, service: FoundryAgentService) -> None:
    script.says(failure(400, "bad_request", "CPU and Memory must be specified as a valid resource tier"))
    with pytest.raises(ServiceError) as caught:
        service.create_version("support", AgentDefinition.from_values(values()), {})
    assert (caught.value.status, caught.value.code) == (400, "bad_request")
    assert "[bad_request] CPU and Memory must be specified" in str(caught.value)


def test_no_error_shows_the_environment(script: Script, service: FoundryAgentService) -> None:
    """Case 54."""
    script.says(failure(400, "bad_request", "no"))
    definition = AgentDefinition.from_values(values(environment={"TOKEN": "canary-4711"}))
    with pytest.raises(ServiceError) as caught:
        service.create_version("support", definition, {})
    assert "canary-4711" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_service_that_does_not_run_is_unreachable_also_for_a_post() -> None:
    """Nothing was sent, so nothing needs to be looked for."""
    endpoint = "http://127.0.0.1:9/api/projects/demo"
    client = AIProjectClient(
        endpoint, AnyCredential(), authentication_policy=SansIOHTTPPolicy(), retry_backoff_factor=0
    )
    nowhere = FoundryAgentService(client, endpoint)
    with pytest.raises(UnreachableError):
        nowhere.create_version("support", AgentDefinition.from_values(values()), {})
    with pytest.raises(UnreachableError):
        nowhere.get_agent("support")
