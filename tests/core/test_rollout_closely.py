"""A rollout decides by shares, versions and statuses, not by how they are spelled or sorted."""

from __future__ import annotations

import pytest

from foundry_agents.lifecycle.failure.errors import OwnershipError
from foundry_agents.lifecycle.views import AgentView, Answer, Route
from foundry_agents.testing import FastClock
from tests.support.rollouts import WRONG, moves, plan, run, service_with
from tests.support.service import FaultyService, WilfulService, owned
from tests.support.settings import OTHER_OWNER, parsed

# --- Which version keeps the rest ------------------------------------------------------------------------------------


def test_the_largest_active_version_keeps_the_rest_whatever_the_order_of_the_rules() -> None:
    service = service_with(Route("1", 30), Route("3", 70))
    run(service, plan(steps=(10,)))
    assert moves(service) == ["2=10 3=90", "2=100"]


@pytest.mark.parametrize("status", ["failed", "deleting", "creating"])
def test_a_version_that_is_not_active_keeps_nothing(status: str) -> None:
    service = service_with(Route("1", 30), Route("3", 70))
    service.has("3", status)
    run(service, plan(steps=(10,)))
    assert moves(service) == ["2=10 1=90", "2=100"]


@pytest.mark.parametrize("before", ["1", "3"])
def test_everything_goes_back_to_what_served_before_whether_it_is_older_or_newer(before: str) -> None:
    service = service_with(Route("2", 100))
    failure = run(service, plan(smoke=WRONG, before=before)).failure
    assert service.routes["support"] == (Route(before, 100),)
    assert failure.restored


@pytest.mark.parametrize("before", [None, parsed("12")])
def test_without_another_version_that_served_before_a_failed_test_changes_nothing(before: str | None) -> None:
    service = service_with(Route("12", 100))
    service.has("12")
    failure = run(service, plan("12", smoke=WRONG, before=before)).failure
    assert "the serving version was not changed: 100 % on 12" in str(failure)
    assert service.deployments == []


def test_nothing_goes_back_to_a_version_that_is_not_active_any_more() -> None:
    service = service_with(Route("2", 100))
    service.has("1", "failed")
    failure = run(service, plan(smoke=WRONG, before="1")).failure
    assert "the serving version was not changed: 100 % on 2" in str(failure)
    assert service.deployments == []


def test_a_share_is_given_back_to_a_version_that_is_not_to_blame() -> None:
    """Only a failed test takes away the share that an interrupted rollout left the version with."""
    service = service_with(Route("1", 90), Route("2", 10), kind=WilfulService, takes=["nothing"])
    failure = run(service, plan()).failure
    assert failure.restored
    assert service.routes["support"] == (Route("1", 90), Route("2", 10))
    assert "the routing is as it was found: 90 % on 1, 10 % on 2" in str(failure)


# --- What the progress says ------------------------------------------------------------------------------------------


def test_a_move_in_one_step_says_so_and_a_move_in_several_does_not() -> None:
    assert "moving traffic: 100 % on 2" in run(service_with(Route("1", 100)), plan(steps=())).lines
    assert "moving traffic: 100 % on 2" not in run(service_with(Route("1", 100)), plan()).lines


@pytest.mark.parametrize(("routes", "version"), [((Route("1", 100),), "2"), ((Route("2", 100),), "2"), ((), "1")])
def test_only_a_version_that_latest_serves_can_not_be_tested_before_traffic(
    routes: tuple[Route, ...], version: str
) -> None:
    lines = run(service_with(*routes), plan(version, steps=(), paused=True)).lines
    assert [line for line in lines if "cannot test" in line] == []


def test_a_bake_reports_ten_times_also_when_that_is_no_whole_number_of_seconds() -> None:
    lines = run(service_with(Route("1", 100)), plan(steps=(10,), bake_s=125)).lines
    assert [line.partition("baking ")[2] for line in lines if "baking" in line][:3] == [
        "2 m 5 s left",
        "1 m 52 s left",
        "1 m 40 s left",
    ]


def test_a_bake_that_a_slow_read_made_longer_never_reports_less_than_nothing() -> None:
    service, clock = service_with(Route("1", 100)), FastClock()
    read = service.get_agent

    def slow(agent: str) -> AgentView | None:
        clock.sleep(7)
        return read(agent)

    service.get_agent = slow  # type: ignore[method-assign]
    lines = run(service, plan(steps=(10,), bake_s=20), clock).lines
    left = [line for line in lines if "baking" in line]
    assert left
    assert [line for line in left if "-" in line or " 0 s left" in line] == []


def test_a_paused_rollout_gives_the_agent_as_it_is_now() -> None:
    """State would otherwise show the routing that was found."""
    ran = run(service_with(), plan("2", steps=(), paused=True))
    assert ran.done is not None
    assert ran.done.agent.routes == (Route("3", 100),)


@pytest.mark.parametrize("shown", [(Route("1", 60), Route("2", 14)), (Route("2", 74),)])
def test_a_routing_that_never_takes_is_shown_with_the_reads_and_the_time(shown: tuple[Route, ...]) -> None:
    service = service_with(*shown, kind=WilfulService, takes=["nothing"] * 9)
    failure = run(service, plan(steps=(), smoke=None)).failure
    described = ", ".join(f"{route.percent} % on {route.version}" for route in shown)
    assert f"Why: the endpoint still shows {described} after 30 s (31 reads)" in str(failure)


# --- Who moves the traffic -------------------------------------------------------------------------------------------


def test_a_stack_whose_agent_was_taken_over_moves_and_prunes_nothing() -> None:
    service = service_with(Route("3", 100))
    service.has("3", ownership=owned("v1:3", owner=OTHER_OWNER))
    ran = run(service, plan("2", keep=1))
    assert isinstance(ran.error, OwnershipError)
    assert f'the stack "{OTHER_OWNER}" has taken it over' in str(ran.error)
    assert service.writes == []


def test_a_takeover_that_a_list_does_not_show_yet_stops_the_rollout() -> None:
    service = service_with(Route("3", 100))
    service.has("3", ownership=owned("v1:3", owner=OTHER_OWNER))
    listed = service.list_versions
    stale = iter([True, True])
    service.list_versions = lambda agent: (  # type: ignore[method-assign]
        view for view in listed(agent) if view.version != "3" or not next(stale, False)
    )
    assert isinstance(run(service, plan("2", keep=1)).error, OwnershipError)
    assert service.writes == []


def test_a_stack_that_has_made_no_version_may_move_the_traffic() -> None:
    """A rollout on its own, of an agent that another program creates. What failed has made nothing."""
    service = FaultyService()
    service.has("1", "failed", owned("v1:1"))
    for number in ("2", "3"):
        service.has(number, ownership=owned(f"v1:{number}", owner=OTHER_OWNER))
    assert run(service, plan("2", steps=(), smoke=None)).done


def test_a_version_whose_share_answers_wrongly_and_is_not_chosen_again_is_tested_in_a_pinned_session() -> None:
    """Otherwise one wrong answer and no other would count as passed."""
    service = service_with(Route("1", 100))
    asked = iter(["2", *["1"] * 99])

    def ask(*_args: object, session: str | None = None, **_more: object) -> Answer:
        version = "2" if session else next(asked)
        return Answer(version, "wrong" if version == "2" and not session else "ping", {}, "s")

    service.ask = ask  # type: ignore[method-assign]
    ran = run(service, plan(steps=(10,), bake_s=0))
    assert "no sampled session got a correct answer from version 2 at 10 %; testing it in a pinned session" in ran.lines
