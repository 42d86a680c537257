"""HostedAgentVersion through the real plugin process while the service refuses, breaks, or is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from foundry_agents.lifecycle.roles import ACR_PULL
from foundry_emulator.journal import Entry
from tests.support.bench import Agent, Bench, plain
from tests.support.plugin import Plugin, ProviderError, State, running

FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
NOWHERE = "https://localhost:1/api/projects/reliability"
STRANGER = "11111111-2222-3333-4444-555555555555"
GATE = "This operation requires the following opt-in preview feature(s): HostedAgents=V2Preview."


def _error(code: str, text: str) -> dict[str, object]:
    return {"error": {"code": code, "message": text, "type": "error", "details": []}}


# --- Refresh without an answer ----------------------------------------------------------------------------------------

FAULTS: Mapping[str, Mapping[str, object]] = {
    "401": {"status": 401, "body": _error("AuthenticationFailed", "no")},
    "403": {"status": 403, "body": _error("PermissionDenied", "no")},
    "429": {"status": 429, "body": _error("too_many", "no")},
    "500": {"status": 500},
    "503 without JSON": {"status": 503, "body": "<html>"},
    "dropped connection": {"action": "reset_before_commit"},
    "half an answer": {"action": "cut_json"},
    "404 of the host name": {"status": 404, "body": _error("404", "Subdomain does not map to a resource.")},
    "404 of the project": {"status": 404, "body": _error("not_found", "The project does not exist")},
}


@dataclass(frozen=True)
class Read:
    """A read without an answer: state before and after it, and its warnings."""

    before: State
    after: State
    warnings: list[str]


@dataclass(frozen=True)
class Outage:
    """The results of all calls without an answer: the reads by trouble, and one create."""

    reads: Mapping[str, Read]
    created: BaseException | None
    agent: str


@pytest.fixture(scope="module")
def outage(on_azure: Bench) -> Iterator[Outage]:
    """All at once: the SDK asks four times before it gives up on a 500 or a closed port, which takes seconds."""
    agents = {trouble: on_azure.agent() for trouble in [*FAULTS, "unreachable"]}
    states = {trouble: agent.create(environment={"GREETING": "Hello"}) for trouble, agent in agents.items()}
    for trouble, rule in FAULTS.items():
        on_azure.azure.control.fault(path=f"/agents/{agents[trouble].name}/versions/1$", **rule)
    before = states["unreachable"]
    states["unreachable"] = State(before.id, {**before.outs, "project_endpoint": NOWHERE})
    newcomer = on_azure.agent()
    with ThreadPoolExecutor(max_workers=len(agents) + 1) as pool:
        created = pool.submit(newcomer.create, project_endpoint=NOWHERE)
        reads: dict[str, Future[State]] = {
            trouble: pool.submit(agent.read, states[trouble]) for trouble, agent in agents.items()
        }
        found = {name: Read(states[name], read.result(), agents[name].warnings()) for name, read in reads.items()}
        yield Outage(found, created.exception(), newcomer.name)
    on_azure.azure.control.clear_faults()


@pytest.mark.parametrize("trouble", [*FAULTS, "unreachable"])
def test_what_cannot_be_read_stays_as_it_is_in_state_with_one_warning(outage: Outage, trouble: str) -> None:
    """Cases 29 and 42. pulumi-docker-build#929, pulumi-docker-build#424"""
    seen = outage.reads[trouble]
    assert seen.after.id == seen.before.id
    assert plain(seen.after.outs) == plain(seen.before.outs)
    assert type(seen.after.outs["fingerprint"]).__name__ == "Secret"
    (warning,) = seen.warnings
    assert "its state is kept" in warning
    assert "\n" not in warning


# --- Answers to a POST that are lost ----------------------------------------------------------------------------------


def _post_fault(one: Agent, **rule: object) -> None:
    one.bench.azure.control.fault(method="POST", path=f"/agents/{one.name}/versions$", **rule)


def _is_one_active_version(one: Agent, state: State, *, posts: int) -> None:
    assert plain(state.outs)["version"] == "1"
    assert one.versions() == {"1": "active"}
    assert one.posts() == posts


@pytest.mark.parametrize("action", ["commit_then_reset", "cut_json"])
def test_a_post_whose_answer_is_lost_is_adopted(one: Agent, action: str) -> None:
    """Cases 2 and 3: exactly 1 version, 1 POST. pulumi-azure-native#1123, pulumi-azure-native#4761"""
    _post_fault(one, action=action, times=1)
    _is_one_active_version(one, one.create(), posts=1)


@pytest.mark.parametrize("rule", [{"action": "reset_before_commit"}, {"status": 500}, {"status": 503}])
def test_a_post_that_was_not_carried_out_is_sent_once_more(one: Agent, rule: Mapping[str, object]) -> None:
    """Case 3: 1 version, 2 POSTs. azure-sdk-for-python#46656"""
    _post_fault(one, times=1, **rule)
    _is_one_active_version(one, one.create(), posts=2)


def test_a_500_that_never_stops_is_an_error_with_the_last_request_id_and_no_version(one: Agent) -> None:
    """Case 4: the error comes at once, after 2 POSTs."""
    _post_fault(one, status=500)
    with pytest.raises(ProviderError) as caught:
        one.create()
    assert one.requests("POST", "/versions")[-1].request_id in str(caught.value)
    assert str(caught.value).startswith("ResponseLostError: ")
    assert one.posts() == 2
    assert one.versions() == {}


@pytest.mark.parametrize(("status", "posts"), [(400, 1), (409, 1), (403, 1), (500, 2), (503, 2), (504, 2)])
def test_a_post_is_on_the_wire_once_for_each_attempt_of_ours_whatever_retry_after_says(
    one: Agent, status: int, posts: int
) -> None:
    """Case 5: with its own retries the SDK sends it four times."""
    _post_fault(one, status=status, retry_after="0")
    with pytest.raises(ProviderError):
        one.create()
    assert one.posts() == posts


# --- Throttled --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_throttled_post_is_sent_again_when_the_service_says(one: Agent, form: str) -> None:
    """Case 28: Retry-After is kept to a second, in both of its forms."""
    when = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(seconds=3)
    _post_fault(one, status=429, times=1, retry_after="1" if form == "seconds" else format_datetime(when, usegmt=True))
    state = one.create()
    first, second = one.requests("POST", "/versions")
    due = first.time + 1 if form == "seconds" else when.timestamp()
    assert due - 0.1 <= second.time <= due + 1
    _is_one_active_version(one, state, posts=2)


# --- Refused ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stranger(on_azure: Bench) -> Iterator[Plugin]:
    """A plugin process that is signed in as a principal without any role."""
    with running({**on_azure.azure.env, "AZURE_CLIENT_ID": STRANGER}) as started:
        yield started


def test_a_deployer_without_a_role_learns_which_principal_needs_which_role_where(one: Agent, stranger: Plugin) -> None:
    """Case 32: principal, role GUID, scope, URL, request id; 0 POSTs. azd#9205, azure-sdk-for-python#44842"""
    with pytest.raises(ProviderError) as caught:
        one.create(stranger)
    text = str(caught.value)
    (asked,) = one.requests()
    assert text.startswith("AccessDeniedError: the signed-in principal may not do this, HTTP 403")
    for part in (
        STRANGER,
        FOUNDRY_USER,
        one.bench.project.id,
        f"Where: GET {one.bench.project.endpoint}/agents/{one.name}",
        f"(request {asked.request_id})",
    ):
        assert part in text
    assert one.posts() == 0
    assert ACR_PULL not in text, "that is another principal's role"


def test_a_preview_gate_is_named_and_not_tried_again(one: Agent) -> None:
    """Case 33: names the flag; 0 retries. azd#8442"""
    _post_fault(one, status=403, body=_error("preview_feature_required", GATE))
    with pytest.raises(ProviderError) as caught:
        one.create()
    assert "preview_feature_required" in str(caught.value)
    assert "HostedAgents=V2Preview" in str(caught.value)
    assert one.posts() == 1


def test_a_preview_gate_is_not_taken_for_a_missing_role(one: Agent) -> None:
    """Case 33: no role opens it."""
    _post_fault(one, status=403, body=_error("preview_feature_required", GATE))
    with pytest.raises(ProviderError) as caught:
        one.create()
    assert FOUNDRY_USER not in str(caught.value)


def test_the_error_without_a_sign_in_says_how_to_sign_in_and_nothing_reaches_the_service(one: Agent) -> None:
    state = one.create()
    before = len(one.requests())
    with running({**one.bench.azure.env, "IDENTITY_HEADER": "another"}) as plugin:
        with pytest.raises(ProviderError, match=r"(?s)^SignInError: no access token.*Do: sign in: `az login`"):
            one.create(plugin, environment={"GREETING": "Hello"})
        assert plain(one.read(state, plugin).outs) == plain(state.outs)
        assert [line.stays for line in plugin.lines] == [True]
    assert len(one.requests()) == before


def test_the_error_for_an_unreachable_service_has_its_address(outage: Outage) -> None:
    assert isinstance(outage.created, ProviderError)
    text = str(outage.created)
    assert text.startswith("UnreachableError: the endpoint could not be reached")
    assert f"Where: GET {NOWHERE}/agents/{outage.agent}" in text
    assert "Do: check project_endpoint" in text


# --- Transient errors while polling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [{"status": 401, "times": 2}, {"action": "cut_json", "times": 1}, {"action": "reset_before_commit", "times": 1}],
    ids=["expired token", "cut JSON", "reset"],
)
def test_transient_errors_while_waiting_need_no_second_post(one: Agent, rule: Mapping[str, object]) -> None:
    """Case 30."""
    one.bench.azure.control.fault(method="GET", path=f"/agents/{one.name}/versions/1$", **rule)
    _is_one_active_version(one, one.create(), posts=1)


def test_a_version_that_is_active_at_once_is_one_post_and_two_reads(one: Agent) -> None:
    """Case 27."""
    one.bench.azure.control.set(scripts=[{"agent": one.name, "steps": [{"status": "active"}]}])
    one.create()
    reads: list[Entry] = one.requests("GET", "/versions/1")
    assert one.posts() == 1
    assert len(reads) <= 2


def test_a_wait_that_runs_out_says_what_was_seen_last_and_the_next_run_goes_on(one: Agent) -> None:
    """Case 73: the error comes by the timeout and one poll."""
    one.bench.azure.control.set(provisioning_s=3)
    with pytest.raises(ProviderError) as caught:
        one.create(timeout_s=1)
    text = str(caught.value)
    waited = re.search(r"was not active after (\d+) s", text)
    assert waited is not None
    assert int(waited[1]) <= 1.2
    assert 'last seen "creating"' in text
    _is_one_active_version(one, one.create(), posts=1)
