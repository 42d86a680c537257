"""Create or adopt, closely: what one wrong sign, one wrong order or one line too many would change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VersionFailedError
from foundry_agents.lifecycle.failure.errors import OwnershipError
from foundry_agents.lifecycle.failure.service_errors import ConflictError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.outcomes import Made, Outcome, Retired
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.versions import VersionPlan, create_or_adopt, retire
from foundry_agents.lifecycle.views import LATEST, AgentView, Route, VersionView
from foundry_agents.testing import FastClock
from tests.support.service import FaultyService, HandingBackService, lost, owned
from tests.support.settings import OWNER, plan

OTHER_OWNERS = ("acme/agents/ci", "acme/agents/prod")
"""One before and one after ours in the alphabet."""

PULL_FAILED = json.loads('["ImageError", "Failed to pull container image."]')
"""As from the wire: equal to our own texts, not the same objects."""


@dataclass
class WireService(FaultyService):
    """Whatever it answers is a copy, as over a wire."""

    def get_version(self, agent: str, version: str) -> VersionView | None:
        return (seen := super().get_version(agent, version)) and _copied(seen)

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        return map(_copied, super().list_versions(agent))


def _copied(view: VersionView) -> VersionView:
    return replace(view, metadata=json.loads(json.dumps(dict(view.metadata))))


def _run(
    service: FaultyService, wanted: VersionPlan | None = None, lines: list[str] | None = None
) -> Made[VersionView]:
    return create_or_adopt(service, wanted or plan(), FastClock(), (lines if lines is not None else list[str]()).append)


def _attempts(service: FaultyService) -> list[str]:
    return [metadata["foundry-agents.attempt"] for metadata in service.metadata]


# --- Lines ------------------------------------------------------------------------------------------------------------


def test_a_line_is_shown_when_it_says_something_new() -> None:
    lines = list[str]()
    _run(FaultyService(statuses=["creating", "creating", "creating", "active"]), lines=lines)
    assert lines == [
        "posted support:1 · creating",
        "support:1 · creating · 0 s",
        "support:1 · creating · 1 s",
        "support:1 · active · 3 s",
        "support:1 active",
    ]


def test_an_adoption_is_reported_as_one() -> None:
    service, lines = WireService(), list[str]()
    _run(service)
    made = _run(service, lines=lines)
    assert lines == ["support:1 · active · 0 s", "adopted support:1 (same definition, no POST)"]
    assert made == Made(made.view, Outcome.ADOPTED, owned=True, owner=Owner(OWNER))


# --- Ownership metadata -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", OTHER_OWNERS)
def test_another_owners_version_is_neither_adopted_nor_removed_when_it_fails_nor_retired(owner: str) -> None:
    """Case 7."""
    theirs = owned(plan().ownership.fingerprint, owner=owner)
    service = WireService()
    service.has("1", ownership=theirs)
    with pytest.raises(OwnershipError):
        _run(service)
    assert retire(service, "support", "1", owner=Owner(OWNER), force=False) is Retired.NOT_OURS
    made = _run(service, plan(take_over=True))
    assert (made.outcome, made.view.id) == (Outcome.CREATED, "support:2")


@pytest.mark.parametrize("equal", ["1", "2"])
def test_a_stack_that_takes_an_agent_back_posts_also_where_it_has_made_the_same_before(equal: str) -> None:
    """Adopting posts nothing, so the other stack would stay the owner, and its destroy would delete the agent."""
    service = FaultyService()
    fingerprint = plan().ownership.fingerprint
    service.has("1", ownership=owned(fingerprint if equal == "1" else "v1:1"))
    service.has("2", ownership=owned(fingerprint if equal == "2" else "v1:2", owner=OTHER_OWNERS[0]))
    made = _run(service, plan(take_over=True))
    assert (made.outcome is Outcome.ADOPTED, made.view.id) == (False, "support:3")
    assert _attempts(service)[-1] == "2", "else the service would hand back the version that is equal"
    assert not Owner(OTHER_OWNERS[0]).of(list(service.list_versions("support"))).owns(made.view)
    assert _run(service).view.id == "support:3", "the next run needs no take_over"


def test_a_former_owner_retires_nothing_that_it_has_not_made() -> None:
    service = FaultyService()
    service.has("1", ownership=owned("v1:1", owner=OTHER_OWNERS[0]))
    service.has("2", ownership=owned("v1:2"))
    service.has("3", ownership=owned("v1:3", owner=OTHER_OWNERS[0]))
    service.routes["support"] = (Route("3", 100),)
    former = Owner(OWNER, frozenset({OTHER_OWNERS[0]}))
    assert retire(service, "support", "1", owner=former, force=False) is Retired.NOT_OURS
    assert retire(service, "support", "2", owner=former, force=False) is Retired.DELETED


@pytest.mark.parametrize("owner", ["", *OTHER_OWNERS])
def test_a_version_that_the_service_hands_back_and_that_fails_is_left(owner: str) -> None:
    service = HandingBackService()
    service.has("1", "failed", owned("v1:0", owner=owner) if owner else None)
    with pytest.raises(VersionFailedError, match="support:1 was left: this stack did not create it"):
        _run(service, plan(take_over=True))
    assert service.count("delete_version") == 0


def test_a_failed_version_of_ours_is_removed_by_the_ownership_metadata_that_came_over_the_wire() -> None:
    service = WireService(statuses=["failed"])
    with pytest.raises(VersionFailedError, match="support:1 was removed"):
        _run(service)
    replaced = WireService(versions=_one(owned("v1:0")), routes={"support": (Route("2", 100),)})
    assert retire(replaced, "support", "1", owner=Owner(OWNER), force=False) is Retired.DELETED


def _one(ownership: OwnershipMetadata) -> dict[str, dict[str, VersionView]]:
    return {"support": {"1": VersionView("support", "1", "active", ownership.as_metadata())}}


def test_a_plan_takes_over_nothing_by_default() -> None:
    """Case 7."""
    service, wanted = FaultyService(), plan()
    service.has("1", ownership=owned("v1:0", owner=OTHER_OWNERS[0]))
    with pytest.raises(OwnershipError):
        _run(service, VersionPlan(wanted.agent, wanted.definition, wanted.ownership, PollSettings(60, 5)))


def test_what_a_lost_post_has_made_is_not_mistaken_for_another_version() -> None:
    """Case 3: of all versions only the one with the metadata of that POST."""
    service = WireService(create_faults=["lost"])
    service.has("1", ownership=owned("v1:0"))
    made = _run(service)
    assert (made.view.id, service.count("create_version")) == ("support:2", 2)


def test_what_a_lost_post_has_made_is_known_by_the_metadata_that_came_over_the_wire() -> None:
    """Case 2."""
    service = WireService(create_faults=["committed"])
    assert (_run(service).view.id, service.count("create_version")) == ("support:1", 1)


# --- Left-overs -------------------------------------------------------------------------------------------------------


def test_failed_tries_before_and_after_the_adopted_one_go_without_force() -> None:
    """Case 6: whatever the order of their numbers as text."""
    service = FaultyService()
    for number, status in (("9", "failed"), ("10", "active"), ("11", "failed")):
        service.has(number, status, plan().ownership)
    assert _run(service).view.id == "support:10"
    assert service.statuses_left() == {"10": "active"}
    assert service.forced == [False, False]


@pytest.mark.parametrize("status", ["suspended", "deleting", "active"])
def test_of_the_same_definition_only_what_has_failed_goes(status: str) -> None:
    service = FaultyService()
    service.has("1", status, plan().ownership)
    service.has("2", "active", plan().ownership)
    _run(service)
    assert service.statuses_left() == {"1": status, "2": "active"}


def test_a_left_over_that_can_not_be_removed_is_reported_in_one_line() -> None:
    refused = ConflictError("in use", operation="DELETE …", status=409)
    service, lines = FaultyService(failing={"delete_version": refused}), list[str]()
    service.has("1", "failed", plan().ownership)
    _run(service, lines=lines)
    assert lines[-2] == "support:1 could not be removed: the request conflicts with the current state, HTTP 409"
    service.statuses = ["failed"]
    with pytest.raises(
        VersionFailedError,
        match=r"support:3 could not be removed \(the request conflicts with the current state, HTTP 409\)",
    ):
        _run(service, plan(environment={"A": "b"}))


# --- Failed pulls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["CodeError", "ProvisioningError"])
def test_only_a_failed_pull_is_posted_again(code: str) -> None:
    """Case 22."""
    service = FaultyService(statuses=["failed"], error=(code, "It did not work."))
    with pytest.raises(VersionFailedError):
        _run(service, plan(pull_grace_s=600))
    assert service.count("create_version") == 1


def test_a_failed_pull_is_posted_after_20_80_230_and_560_seconds_with_one_more_attempt_each() -> None:
    """Case 22: five posts within the ten minutes that a role may take."""
    clock, times = FastClock(), list[float]()

    class Timed(WireService):
        def create_version(self, *given: object) -> VersionView:
            times.append(clock.now())
            return super().create_version(*given)  # type: ignore[arg-type]  # handed on as they came

    service = Timed(statuses=["failed"], error=tuple(PULL_FAILED))
    with pytest.raises(VersionFailedError, match="could not pull the image"):
        create_or_adopt(service, plan(pull_grace_s=600), clock, lambda _line: None)
    assert times == [0, 20.5, 81, 231.5, 562]  # half a second each confirms that it has failed
    assert _attempts(service) == ["1", "2", "3", "4", "5"]


def test_what_serves_is_reported_as_unknown_when_it_can_not_be_read() -> None:
    class Fading(FaultyService):
        def get_agent(self, agent: str) -> AgentView | None:
            if self.count("create_version"):
                raise lost()
            return super().get_agent(agent)

    with pytest.raises(VersionFailedError, match="support:1 was removed; what serves could not be read"):
        _run(Fading(statuses=["failed"]))


# --- Pin before post --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("routes", [(), (Route(LATEST, 100),), (Route(json.loads('"@latest"'), 100),)])
def test_the_default_route_is_pinned_whole(routes: tuple[Route, ...]) -> None:
    """Case 36."""
    service = FaultyService()
    service.has("1", "active", owned("v1:1"))
    service.routes["support"] = routes
    _run(service)
    assert service.routes["support"] == (Route("1", 100),)


def test_a_version_in_a_status_of_the_future_is_not_what_serves() -> None:
    """Case 36."""
    service = FaultyService()
    for number, status in (("1", "active"), ("2", "acquiring"), ("3", "suspended")):
        service.has(number, status, owned(f"v1:{number}"))
    _run(service)
    assert service.writes[0] == "set_routes support 1=100"


def test_whether_a_new_agent_may_have_its_name_is_asked_before_its_first_version_only() -> None:
    service, asked = FaultyService(), list[int]()
    for digit in ("a", "b"):
        wanted = plan(description=digit)
        _run(service, replace(wanted, before_new=lambda: asked.append(service.count("create_version"))))
    assert service.count("create_version") == 2
    assert asked == [0]


@pytest.mark.parametrize(
    ("routes", "became"),
    [
        ((), Retired.SERVES),
        ((Route(LATEST, 1), Route("1", 99)), Retired.SERVES),
        ((Route("1", 100),), Retired.DELETED),
        ((Route("1", 100), Route("2", 0)), Retired.DELETED),
    ],
)
def test_the_version_that_an_endpoint_serves_as_latest_stays(routes: tuple[Route, ...], became: Retired) -> None:
    service = FaultyService()
    for number in ("1", "2"):
        service.has(number, ownership=owned(f"v1:{number}"))
    service.routes["support"] = routes
    assert retire(service, "support", "2", owner=Owner(OWNER), force=False) is became


@pytest.mark.parametrize("serving", ["1", "2"])
def test_a_failed_try_with_traffic_stays_until_its_rollout_has_moved_it(serving: str) -> None:
    service = FaultyService()
    ownership = plan().ownership
    for number in ("1", "2"):
        service.has(number, "failed", owned(ownership.fingerprint))
    service.routes["support"] = (Route(serving, 100),)
    _run(service)
    assert service.statuses_left() == {serving: "failed", "3": "active"}


def test_the_version_that_is_adopted_is_read_no_more_than_it_takes() -> None:
    """A read of it that fails, or that is late, must not report or delete it as an older try."""
    service = FaultyService()
    service.has("12", "active", owned(plan().ownership.fingerprint))
    made = _run(service)
    assert made.outcome is Outcome.ADOPTED
    assert service.count("get_version") == 3
