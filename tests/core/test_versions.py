"""Create or adopt, wait, retire: what is posted, what is not, and what is left behind."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import BinaryIO, ClassVar

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VersionFailedError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import InputError, OwnershipError, Problem
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.outcomes import Made, Outcome, Retired
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.roles import ACR_PULL
from foundry_agents.lifecycle.versions import VersionPlan, create_or_adopt, retire
from foundry_agents.lifecycle.views import LATEST, Route, VersionView
from foundry_agents.testing import FastClock
from tests.support.service import FaultyService, HandingBackService, LateRoleService, owned
from tests.support.settings import CODE, IMAGE, OTHER_OWNER, OWNER, plan

_HELLO = {"GREETING": "Hello"}
_CANARY = "canary-4711"


def _run(
    service: FaultyService,
    wanted: VersionPlan | None = None,
    clock: FastClock | None = None,
    lines: list[str] | None = None,
) -> Made[VersionView]:
    return create_or_adopt(service, wanted or plan(), clock or FastClock(), (lines if lines is not None else []).append)


def _conflict(operation: str = "DELETE …") -> ConflictError:
    return ConflictError(
        "Agent has active sessions", operation=operation, status=409, code="conflict", request_id="r-409"
    )


# --- Create and adopt ------------------------------------------------------------------------------------------------


def test_a_new_agent_is_one_post_with_ownership_metadata() -> None:
    service = FaultyService()
    made = _run(service, plan(metadata={"team": "support"}))
    assert (made.outcome, made.view.id, made.view.status) == (Outcome.CREATED, "support:1", "active")
    assert service.writes == ["create_version support"]
    assert service.metadata == [{"team": "support", **plan(metadata={"team": "support"}).ownership.as_metadata()}]


def test_the_same_definition_again_is_adopted_with_no_write() -> None:
    """Case 12."""
    service = FaultyService()
    first = _run(service)
    service.calls.clear()
    again = _run(service)
    assert (again.outcome, again.view.id) == (Outcome.ADOPTED, first.view.id)
    assert service.writes == []


def test_a_version_that_is_still_creating_is_adopted_and_waited_for() -> None:
    """Case 1: a run was killed during its wait."""
    service = FaultyService(statuses=["creating"])
    with pytest.raises(WaitTimeoutError):
        _run(service, plan(patience=PollSettings(10, 5)))
    service._scripts["support:1"] = ["creating", "creating", "active"]
    clock = FastClock()
    made = _run(service, clock=clock)
    assert (made.outcome, made.view.id, made.view.status) == (Outcome.ADOPTED, "support:1", "active")
    assert service.count("create_version") == 1
    assert clock.now() > 0


def test_a_wait_that_ran_out_leaves_the_version_for_the_next_run() -> None:
    """Case 73."""
    service = FaultyService(statuses=["creating"])
    with pytest.raises(WaitTimeoutError) as caught:
        _run(service, plan(patience=PollSettings(60, 5)))
    assert caught.value.last == service.versions["support"]["1"]
    assert service.writes == ["create_version support"]


def test_another_definition_is_one_more_version() -> None:
    service = FaultyService()
    _run(service)
    made = _run(service, plan(environment=_HELLO))
    assert (made.outcome, made.view.id) == (Outcome.CREATED, "support:2")
    assert service.statuses_left() == {"1": "active", "2": "active"}


def test_a_change_that_is_taken_back_adopts_the_former_version() -> None:
    """Case 9: A, B, A again is 0 POSTs the third time."""
    service = FaultyService()
    _run(service)
    _run(service, plan(environment=_HELLO))
    service.calls.clear()
    made = _run(service)
    assert (made.outcome, made.view.id) == (Outcome.ADOPTED, "support:1")
    assert service.writes == []
    assert service.statuses_left() == {"1": "active", "2": "active"}


def test_of_two_that_fit_the_newest_is_adopted() -> None:
    service = FaultyService()
    for number in ("1", "2"):
        service.has(number, ownership=plan().ownership)
    assert _run(service).view.id == "support:2"


@pytest.mark.parametrize("status", ["failed", "deleting", "deleted"])
def test_a_version_that_no_longer_can_serve_is_not_adopted(status: str) -> None:
    service = FaultyService()
    service.has("1", status, plan().ownership)
    made = _run(service)
    assert (made.outcome, made.view.id) == (Outcome.REPOSTED, "support:2")


def test_a_match_far_back_among_1000_versions_is_adopted_from_one_list() -> None:
    """Case 8: 0 POSTs; one walk through the history, at most 2 s of CPU."""
    service = FaultyService()
    service.has("1", ownership=plan().ownership)
    for number in range(2, 1001):
        service.has(str(number), ownership=owned(f"v1:{number}"))
    before = time.process_time()
    made = _run(service)
    spent = time.process_time() - before
    assert (made.outcome, made.view.id) == (Outcome.ADOPTED, "support:1")
    assert service.writes == []
    assert service.count("list_versions") == 1
    assert spent <= 2


def test_a_list_that_calls_a_failed_version_active_is_not_believed() -> None:
    """Case 25: 0 false successes."""
    service = FaultyService(list_statuses={"1": "active"})
    service.has("1", "failed", plan().ownership)
    made = _run(service)
    assert (made.outcome, made.view.id) == (Outcome.REPOSTED, "support:2")


def test_a_failed_version_that_a_list_calls_active_goes_once_the_new_one_is_active() -> None:
    """Cases 6 and 25."""
    service = FaultyService(list_statuses={"1": "active"})
    service.has("1", "failed", plan().ownership)
    _run(service)
    assert service.statuses_left() == {"2": "active"}


def test_a_list_that_calls_an_active_version_failed_deletes_nothing() -> None:
    """Case 25, the other way round."""
    service = FaultyService(list_statuses={"1": "failed", "2": "failed"})
    for number in ("1", "2"):
        service.has(number, "active", plan().ownership)
    made = _run(service)
    assert made.view.id == "support:2"
    assert service.writes == []


def test_progress_tells_the_outcome_and_no_secret() -> None:
    """Case 54."""
    service, lines = FaultyService(statuses=["creating", "active"]), list[str]()
    wanted = plan(environment={"TOKEN": _CANARY})
    _run(service, wanted, lines=lines)
    _run(service, wanted, lines=lines)
    assert lines[0].startswith("posted support:1")
    assert any(line.startswith("adopted support:1 ") for line in lines)
    assert _CANARY not in "\n".join(lines)


# --- Failed versions -------------------------------------------------------------------------------------------------


def test_a_version_that_fails_is_removed_and_said_to_be() -> None:
    service = FaultyService(statuses=["creating", "failed"])
    with pytest.raises(VersionFailedError) as caught:
        _run(service, plan(pull_identity="7c1e-principal", environment={"TOKEN": _CANARY}))
    assert service.statuses_left() == {}
    assert service.writes == ["create_version support", "delete_version support:1"]
    error = caught.value
    assert (error.code, error.detail, error.last.status) == ("ImageError", "Failed to pull container image.", "failed")
    text = str(error)
    assert text.startswith("version support:1 failed: ImageError")
    for part in (IMAGE, "7c1e-principal", 'registry "acme.azurecr.io"', ACR_PULL, "support:1 was removed", "pulumi up"):
        assert part in text
    for label in ("Where: ", "Why: ", "State: ", "Do: ", "Service said: [ImageError] Failed to pull container image."):
        assert label in text
    assert _CANARY not in text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ImageError", ("AcrPull", "Container Registry Repository Reader", "linux/amd64", "ARM-audience")),
        ("CodeError", ("entry point",)),
        ("ProvisioningError", ("PORT", "/readiness")),
        ("SomethingNew", ("/readiness",)),
    ],
)
def test_each_code_of_a_failed_version_has_a_cause_and_a_remedy(code: str, words: tuple[str, ...]) -> None:
    """Case 23, in words."""
    service = FaultyService(statuses=["failed"], error=(code, "It did not work."))
    with pytest.raises(VersionFailedError) as caught:
        _run(service)
    assert str(caught.value).startswith(f"version support:1 failed: {code}")
    assert all(word in str(caught.value) for word in words)


def test_a_failure_names_the_version_that_goes_on_serving() -> None:
    service = FaultyService()
    _run(service)
    service.routes["support"] = (Route("1", 100),)
    service.statuses = ["failed"]
    with pytest.raises(VersionFailedError) as caught:
        _run(service, plan(environment=_HELLO))
    assert "support:2 was removed; support:1 serves 100 %" in str(caught.value)


def test_the_first_version_of_an_agent_that_fails_leaves_nothing_that_serves() -> None:
    service = FaultyService(statuses=["failed"])
    with pytest.raises(VersionFailedError) as caught:
        _run(service)
    assert "no version of the agent serves" in str(caught.value)


def test_a_failed_version_that_cannot_be_removed_is_said_to_be_left() -> None:
    service = FaultyService(statuses=["failed"], failing={"delete_version": _conflict()})
    with pytest.raises(VersionFailedError) as caught:
        _run(service)
    assert "support:1 could not be removed" in str(caught.value)
    assert caught.value.code == "ImageError"


def test_an_adopted_version_that_fails_is_an_error_too() -> None:
    service = FaultyService()
    service.has("1", "creating", plan().ownership)
    service._scripts["support:1"] = ["creating", "failed"]
    with pytest.raises(VersionFailedError):
        _run(service)
    assert service.count("create_version") == 0


def test_after_a_failure_that_left_its_version_the_next_attempt_is_posted_and_the_failed_one_goes() -> None:
    """Case 6: 1 new version, and the failed one is gone once the new one is active."""
    service = FaultyService(statuses=["failed"], failing={"delete_version": _conflict()})
    with pytest.raises(VersionFailedError):
        _run(service)
    service.statuses, service.failing = ["creating", "active"], {}
    service.calls.clear()
    made = _run(service)
    assert (made.outcome, made.view.id) == (Outcome.REPOSTED, "support:2")
    assert OwnershipMetadata.of(made.view) == owned(plan().ownership.fingerprint, attempt=2)
    assert service.writes == ["create_version support", "delete_version support:1"]
    assert service.statuses_left() == {"2": "active"}


def test_the_attempt_is_one_more_than_the_highest_of_this_definition() -> None:
    service = FaultyService()
    mine = plan().ownership.fingerprint
    service.has("1", "failed", owned(mine, attempt=4))
    service.has("2", "failed", owned(mine, attempt=2))
    service.has("3", "failed", owned("v1:other", attempt=9))
    _run(service)
    assert service.metadata[0]["foundry-agents.attempt"] == "5"
    assert service.statuses_left() == {"3": "failed", "4": "active"}


def test_failed_versions_of_another_stack_are_not_tidied_away() -> None:
    service = FaultyService()
    service.has("1", ownership=owned("v1:other"))
    service.has("2", "failed", owned(plan().ownership.fingerprint, owner=OTHER_OWNER))
    _run(service)
    assert service.statuses_left() == {"1": "active", "2": "failed", "3": "active"}


def test_a_tidying_that_fails_does_not_fail_the_version_that_is_active() -> None:
    """Else every further run fails on a left-over that does no harm."""
    service = FaultyService(failing={"delete_version": _conflict()})
    service.has("1", "failed", plan().ownership)
    assert _run(service).view.id == "support:2"


# --- Not ours --------------------------------------------------------------------------------------------------------


def test_an_agent_without_ownership_metadata_is_refused_with_no_write() -> None:
    """Case 7."""
    service = FaultyService()
    service.has("1")
    with pytest.raises(OwnershipError, match="carries no ownership metadata of this library") as caught:
        _run(service)
    assert caught.value.owner is None
    assert service.writes == []
    assert "No changes were made." in str(caught.value)


def test_an_agent_of_another_stack_is_refused_by_its_name_with_no_write() -> None:
    """Case 7."""
    service = FaultyService()
    service.has("1", ownership=owned(plan().ownership.fingerprint, owner=OTHER_OWNER))
    with pytest.raises(OwnershipError) as caught:
        _run(service)
    assert caught.value.owner == OTHER_OWNER
    assert OTHER_OWNER in str(caught.value)
    assert service.writes == []
    assert "No changes were made." in str(caught.value)


@pytest.mark.parametrize("take_over", [False, True])
def test_an_agent_of_another_kind_is_refused_with_no_write_even_for_a_take_over(*, take_over: bool) -> None:
    """Case 7: the service can't change the kind of an agent."""
    service = FaultyService()
    service.has("1", hosted=False)
    with pytest.raises(OwnershipError, match="not hosted") as caught:
        _run(service, plan(take_over=take_over))
    assert service.writes == []
    assert "No changes were made." in str(caught.value)


@pytest.mark.parametrize("owner", [None, OTHER_OWNER])
def test_a_take_over_makes_a_version_beside_the_foreign_ones(owner: str | None) -> None:
    service = FaultyService()
    service.has("1", ownership=owned(plan().ownership.fingerprint, owner=owner) if owner else None)
    service.routes["support"] = (Route("1", 100),)
    made = _run(service, plan(take_over=True))
    assert made.view.id == "support:2"
    assert service.statuses_left() == {"1": "active", "2": "active"}
    assert service.writes == ["create_version support"]


def test_an_agent_that_we_share_needs_no_second_take_over() -> None:
    service = FaultyService()
    service.has("1")
    service.has("2", ownership=owned("v1:ours"))
    assert _run(service).view.id == "support:3"


def test_a_match_of_another_stack_is_not_adopted_until_this_stack_has_a_version_of_its_own() -> None:
    """Cases 69 and 89: what was taken over can be reverted to, and the service says first whose the agent is."""
    service = FaultyService()
    service.has("1", ownership=owned(plan().ownership.fingerprint, owner=OTHER_OWNER))
    assert _run(service, plan(take_over=True)).outcome is Outcome.CREATED
    service.has("3", ownership=owned("v1:ours"))
    service.versions["support"].pop("2")
    assert _run(service).view.id == "support:1"


def test_an_agent_that_another_stack_has_taken_over_is_refused_to_its_former_owner() -> None:
    """Case 89: else the two would take turns, and the destroy of one would take the other's versions along."""
    service = FaultyService()
    service.has("1", ownership=owned(plan().ownership.fingerprint))
    service.has("2", ownership=owned("v1:theirs", owner=OTHER_OWNER))
    with pytest.raises(OwnershipError, match=f'the stack "{OTHER_OWNER}" has taken it over'):
        _run(service)
    assert service.writes == []
    assert _run(service, plan(take_over=True)).owner.former == {OTHER_OWNER}


# --- Lost answers ----------------------------------------------------------------------------------------------------


def test_a_post_that_was_carried_out_although_its_answer_was_lost_is_one_version_of_one_post() -> None:
    """Cases 2 and 3."""
    service = FaultyService(create_faults=["committed"])
    made = _run(service)
    assert made.view.id == "support:1"
    assert service.count("create_version") == 1
    assert service.statuses_left() == {"1": "active"}


def test_a_post_that_was_not_carried_out_is_one_version_of_two_posts() -> None:
    """Case 3."""
    service = FaultyService(create_faults=["lost"])
    made = _run(service)
    assert made.view.id == "support:1"
    assert service.count("create_version") == 2
    assert service.statuses_left() == {"1": "active"}
    assert service.metadata[0] == service.metadata[1]


def test_a_post_is_repeated_once_and_not_endlessly() -> None:
    """Case 4: the last request id is in the error, and 0 versions are there."""
    service = FaultyService(create_faults=["lost"] * 9)
    with pytest.raises(ResponseLostError, match="r-lost"):
        _run(service)
    assert service.count("create_version") == 2
    assert service.statuses_left() == {}


def test_what_the_second_post_made_is_adopted_by_the_next_run() -> None:
    """Case 2."""
    service = FaultyService(create_faults=["lost", "committed"])
    with pytest.raises(ResponseLostError):
        _run(service)
    service.calls.clear()
    assert _run(service).outcome is Outcome.ADOPTED
    assert service.writes == []


# --- Fingerprints with a key, and code ------------------------------------------------------------------------------

_KEY = "correct horse battery"


def _keyed(environment: Mapping[str, str] | None = None) -> VersionPlan:
    """As HostedAgentVersion plans with a key."""
    wanted = plan(fingerprint_key=_KEY, environment=environment)
    return replace(wanted, also_known_as=frozenset({plan(environment=environment).ownership.fingerprint}))


def test_a_key_that_is_added_adopts_what_was_posted_without_one() -> None:
    """Case 55: adding a key orphans nothing."""
    service = FaultyService()
    _run(service)
    service.calls.clear()
    made = _run(service, _keyed())
    assert (made.outcome, made.view.id) == (Outcome.ADOPTED, "support:1")
    assert service.writes == []


def test_what_is_posted_under_a_key_carries_no_plain_fingerprint() -> None:
    """Case 55: a reader of the metadata can't check guesses."""
    service = FaultyService()
    _run(service, _keyed(environment={"PIN": "4711"}))
    (sent,) = service.metadata
    assert plan(environment={"PIN": "4711"}).ownership.fingerprint not in sent.values()
    assert [value for value in sent.values() if value.startswith("v1k:")] == [
        _keyed(environment={"PIN": "4711"}).ownership.fingerprint
    ]
    assert _run(service, _keyed(environment={"PIN": "4711"})).outcome is Outcome.ADOPTED


def test_a_failed_try_from_before_the_key_counts_as_an_attempt() -> None:
    """Case 6: the service's own de-duplication can't hand the failed one back."""
    service = FaultyService()
    service.has("1", "failed", replace(plan().ownership, attempt=2))
    made = _run(service, _keyed())
    assert made.outcome is Outcome.REPOSTED
    assert service.metadata[0]["foundry-agents.attempt"] == "3"
    assert service.statuses_left() == {"2": "active"}


@dataclass
class _Packer:
    """Opens an archive, and says what was asked of the service until then and whether it was closed."""

    service: FaultyService
    problem: Exception | None = None
    before: list[list[str]] = field(default_factory=list)
    closed: int = 0

    @contextmanager
    def __call__(self) -> Iterator[BinaryIO]:
        self.before.append(list(self.service.writes))
        if self.problem:
            raise self.problem
        with io.BytesIO(b"zip") as archive:
            yield archive
        self.closed += 1


def _of_code(packer: _Packer) -> VersionPlan:
    return replace(plan(image=None, code=CODE), pack=packer)


class _Receiving(FaultyService):
    """Keeps what comes with each POST."""

    archives: ClassVar[list[bytes]] = []

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        assert definition.archive is not None
        self.archives.append(definition.archive.read())
        return super().create_version(agent, definition, metadata)


def test_a_code_agent_is_packed_once_for_its_post_and_not_at_all_for_its_adoption() -> None:
    service = _Receiving()
    packer = _Packer(service)
    assert _run(service, _of_code(packer)).outcome is Outcome.CREATED
    assert _run(service, _of_code(packer)).outcome is Outcome.ADOPTED
    assert service.archives == [b"zip"]
    assert (len(packer.before), packer.closed) == (1, 1)


def test_a_folder_that_can_not_be_packed_stops_the_run_before_anything_is_changed() -> None:
    """Not even the endpoint is pinned, although it follows @latest."""
    service = FaultyService()
    _run(service)
    service.calls.clear()
    refused = InputError("the agent's code", [Problem("code", "has changed")])
    with pytest.raises(InputError):
        _run(service, _of_code(_Packer(service, refused)))
    assert service.writes == []


def test_code_that_fails_names_the_digest_the_runtime_and_the_entry_point() -> None:
    service = FaultyService(statuses=["failed"], error=("CodeError", "exited with code 1"))
    with pytest.raises(VersionFailedError) as caught:
        _run(service, _of_code(_Packer(service)))
    text = str(caught.value)
    assert "Where: code cccccccccccc…, python_3_13, entry point `python main.py`" in text
    assert "its entry point ended before it was ready" in text
    assert "support:1 was removed" in text


def test_a_lost_answer_is_not_taken_for_an_earlier_attempt() -> None:
    """Cases 3 and 6: the failed first attempt has the same fingerprint."""
    service = FaultyService(create_faults=["lost"])
    service.has("1", "failed", plan().ownership)
    made = _run(service)
    assert (made.view.id, made.outcome) == ("support:2", Outcome.REPOSTED)
    assert service.count("create_version") == 2


@pytest.mark.parametrize("kind", [AccessDeniedError, UnreachableError, ServiceError])
def test_a_refused_post_is_not_repeated(kind: type[ServiceError]) -> None:
    """Cases 5, 32 and 33."""
    posts: list[str] = []

    class Refusing(FaultyService):
        def create_version(self, agent: str, definition: object, metadata: object) -> VersionView:
            del definition, metadata
            posts.append(agent)
            raise kind("no", operation="POST …")

    with pytest.raises(kind):
        _run(Refusing())
    assert posts == ["support"]


def test_reads_that_are_lost_during_the_wait_are_survived_on_one_post() -> None:
    """Case 30."""

    class Noisy(FaultyService):
        errors: Iterator[ServiceError] = iter(
            [
                ResponseLostError("cut JSON", operation="GET"),
                UnreachableError("reset", operation="GET"),
                ResponseLostError("500", operation=""),
            ]
        )

        def get_version(self, agent: str, version: str) -> VersionView | None:
            view = super().get_version(agent, version)
            if (error := next(self.errors, None)) is not None:
                raise error
            return view

    service = Noisy(statuses=["creating"] * 5 + ["active"])
    assert _run(service).view.status == "active"
    assert service.count("create_version") == 1


# --- Pin before post -------------------------------------------------------------------------------------------------


def test_an_endpoint_that_follows_latest_is_pinned_to_what_serves_before_the_post() -> None:
    """Case 36: 0 requests reach the candidate before its step."""
    service, lines = FaultyService(), list[str]()
    _run(service)
    _run(service, plan(environment=_HELLO), lines=lines)
    assert service.writes == ["create_version support", "set_routes support 1=100", "create_version support"]
    assert service.routes["support"] == (Route("1", 100),)
    assert any("pinned the endpoint to support:1" in line for line in lines)


def test_a_pinned_endpoint_is_left_as_it_is() -> None:
    service = FaultyService()
    _run(service)
    service.routes["support"] = (Route("1", 100),)
    _run(service, plan(environment=_HELLO))
    assert service.count("set_routes") == 0


def test_what_serves_is_the_newest_active_version_and_not_a_failed_one() -> None:
    """Case 36."""
    service = FaultyService()
    service.has("1", "active", owned("v1:1"))
    service.has("2", "active", owned("v1:2"))
    service.has("3", "failed", owned("v1:3"))
    _run(service)
    assert service.writes[0] == "set_routes support 2=100"


def test_shares_of_pinned_versions_survive_the_pinning_of_the_rest() -> None:
    """Case 36: a canary that someone routed by hand is no reason to cut over."""
    service = FaultyService()
    service.has("1", "active", owned("v1:1"))
    service.has("2", "active", owned("v1:2"))
    service.routes["support"] = (Route("1", 90), Route(LATEST, 10))
    _run(service)
    assert service.routes["support"] == (Route("1", 90), Route("2", 10))


def test_shares_that_meet_on_one_version_are_added_up() -> None:
    """Case 36."""
    service = FaultyService()
    service.has("1", "active", owned("v1:1"))
    service.routes["support"] = (Route("1", 50), Route(LATEST, 50))
    _run(service)
    assert service.routes["support"] == (Route("1", 100),)


def test_nothing_is_pinned_when_no_version_serves() -> None:
    service = FaultyService()
    service.has("1", "failed", owned("v1:1"))
    _run(service)
    assert service.count("set_routes") == 0


def test_an_adoption_pins_nothing() -> None:
    """Case 9: 0 writes besides the rollout's own."""
    service = FaultyService()
    service.has("1", ownership=plan().ownership)
    service.has("2", ownership=owned("v1:2"))
    _run(service)
    assert service.writes == []


# --- Retire ----------------------------------------------------------------------------------------------------------


def test_a_version_without_traffic_is_deleted() -> None:
    service = FaultyService()
    service.has("1", ownership=plan().ownership)
    service.has("2")
    service.routes["support"] = (Route("2", 100), Route("1", 0))
    assert retire(service, "support", "1", owner=Owner(OWNER), force=False) is Retired.DELETED
    assert service.statuses_left() == {"2": "active"}


@pytest.mark.parametrize("percent", [1, 100])
def test_a_version_with_traffic_is_kept(percent: int) -> None:
    """Case 43."""
    service = FaultyService()
    service.has("1", ownership=plan().ownership)
    service.has("2")
    service.routes["support"] = (Route("1", percent), Route("2", 100 - percent))
    assert retire(service, "support", "1", owner=Owner(OWNER), force=True) is Retired.SERVES
    assert service.writes == []


def test_a_version_that_is_gone_already_is_no_error() -> None:
    """Case 48."""
    service = FaultyService()
    service.has("2")
    assert retire(service, "support", "1", owner=Owner(OWNER), force=False) is Retired.GONE


def test_a_version_of_an_agent_that_is_gone_already_is_no_error() -> None:
    """Case 48."""
    service = FaultyService()
    assert retire(service, "support", "1", owner=Owner(OWNER), force=False) is Retired.GONE
    assert service.writes == []


def test_active_sessions_refuse_a_delete_and_the_way_around_is_named() -> None:
    """Case 50: 0 deleted and the option named."""
    service = FaultyService(failing={"delete_version": _conflict("DELETE …/versions/1")})
    service.has("1", ownership=plan().ownership)
    service.routes["support"] = (Route("2", 100),)
    with pytest.raises(ConflictError) as caught:
        retire(service, "support", "1", owner=Owner(OWNER), force=False)
    text = str(caught.value)
    for part in ("version support:1", "force_delete=True", "nothing was deleted", "r-409", "HTTP 409", "…/versions/1"):
        assert part in text
    assert service.statuses_left() == {"1": "active"}


def test_force_ends_the_sessions() -> None:
    """Case 50: then 1 pass."""
    service = FaultyService(failing={"delete_version": _conflict()})
    service.has("1", ownership=plan().ownership)
    service.routes["support"] = (Route("2", 100),)
    assert retire(service, "support", "1", owner=Owner(OWNER), force=True) is Retired.DELETED
    assert service.forced == [True]


def test_any_other_refusal_of_a_delete_comes_through_as_it_is() -> None:
    error = AccessDeniedError("no", operation="DELETE …", status=403)
    service = FaultyService(failing={"delete_version": error})
    service.has("1", ownership=plan().ownership)
    service.routes["support"] = (Route("2", 100),)
    with pytest.raises(AccessDeniedError) as caught:
        retire(service, "support", "1", owner=Owner(OWNER), force=False)
    assert caught.value is error


def test_a_version_that_this_stack_does_not_own_is_kept() -> None:
    """What the service's own de-duplication handed back, or another stack made, is not ours to delete."""
    for ownership in (None, owned("v1:1", owner=OTHER_OWNER)):
        service = FaultyService()
        service.has("1", ownership=ownership)
        service.routes["support"] = (Route("2", 100),)
        assert retire(service, "support", "1", owner=Owner(OWNER), force=True) is Retired.NOT_OURS
        assert service.writes == []


# --- A role that is late, a service that is busy, a project that is new ----------------------------------------------


@pytest.mark.parametrize(("role_after_s", "posts"), [(0, 1), (30, 3), (120, 4), (300, 5)])
def test_a_pull_role_that_is_late_is_waited_for_with_at_most_five_posts(role_after_s: float, posts: int) -> None:
    """Case 22: active inside the budget in one run, one version left. azd#7515"""
    clock = FastClock()
    service = LateRoleService(clock, role_after_s)
    made = _run(service, replace(plan(), pull_grace_s=600), clock)
    assert made.view.status == "active"
    assert clock.now() <= 600
    assert service.count("create_version") == posts <= 5
    assert service.statuses_left() == {made.view.version: "active"}


def test_a_pull_role_that_never_comes_is_an_error_with_principal_role_and_registry() -> None:
    """Case 22, the end of it."""
    clock = FastClock()
    service = LateRoleService(clock, float("inf"))
    with pytest.raises(VersionFailedError) as caught:
        _run(service, replace(plan(pull_identity="7c1e-principal"), pull_grace_s=600), clock)
    for part in ("7c1e-principal", ACR_PULL, "acme.azurecr.io"):
        assert part in str(caught.value)
    assert service.count("create_version") == 5
    assert service.statuses_left() == {}


def test_without_a_new_grant_a_failed_pull_is_final_at_once() -> None:
    service = LateRoleService(FastClock(), float("inf"))
    with pytest.raises(VersionFailedError):
        _run(service)
    assert service.count("create_version") == 1


def test_a_failure_that_no_role_explains_is_final_even_while_a_grant_is_new() -> None:
    service = FaultyService(statuses=["failed"], error=("CodeError", "exit code 1"))
    with pytest.raises(VersionFailedError, match="CodeError"):
        _run(service, replace(plan(), pull_grace_s=600))
    assert service.count("create_version") == 1


def test_a_throttled_post_is_sent_again_when_the_service_says() -> None:
    """Case 28: Retry-After is kept to the second."""
    clock = FastClock()
    busy = ThrottledError("slow down", operation="POST …", status=429, retry_after_s=17)
    service = FaultyService(failing_times={"create_version": [busy, busy]})
    _run(service, clock=clock)
    assert 34 <= clock.now() <= 36
    assert service.statuses_left() == {"1": "active"}


def test_throttling_beyond_the_deadline_is_an_error_inside_it() -> None:
    """Case 28: total at most the deadline and a poll."""
    clock = FastClock()
    busy = ThrottledError("slow down", operation="POST …", status=429, request_id="r-429")
    service = FaultyService(failing={"create_version": busy})
    with pytest.raises(ThrottledError, match="r-429"):
        _run(service, clock=clock)
    assert clock.now() <= plan().patience.timeout_s + plan().patience.interval_s


def test_a_project_that_is_too_new_is_asked_for_100_seconds_five_seconds_apart() -> None:
    """Case 29."""
    clock = FastClock()
    missing = ProjectNotFoundError("Subdomain does not map to a resource", operation="GET …", status=404)
    service = FaultyService(failing={"get_agent": missing})
    with pytest.raises(ProjectNotFoundError, match="Subdomain"):
        _run(service, clock=clock)
    assert service.count("get_agent") == 21
    assert clock.now() == 100
    assert service.writes == []


def test_a_project_that_answers_meanwhile_is_no_error() -> None:
    """Case 29."""
    missing = ProjectNotFoundError("The project does not exist", operation="GET …", status=404)
    service = FaultyService(failing_times={"get_agent": [missing] * 10})
    assert _run(service).view.status == "active"


def test_an_existing_version_that_the_service_returns_is_used_and_reported_as_not_ours() -> None:
    """The service's own de-duplication found an equal version that this stack does not own."""
    lines: list[str] = []
    service = HandingBackService()
    made = _run(service, plan(take_over=True), lines=lines)
    assert (made.view.id, made.owned) == ("support:1", False)
    assert any("support:1" in line and "which this stack does not own" in line for line in lines)


def test_the_views_of_a_version_are_values() -> None:
    service = FaultyService()
    made = _run(service).view
    assert replace(made) == made
    assert OWNER in made.metadata.values()
