"""Steps: tested before traffic, moved and read back, tested again, and rolled back when a test fails."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from foundry_agents.lifecycle.failure.service_errors import NotReadyError
from foundry_agents.lifecycle.smoke import Smoke
from foundry_agents.lifecycle.views import LATEST, AgentView, Answer, Route, VersionView
from foundry_agents.sources.user_check import load_check
from foundry_agents.testing import FastClock
from tests.support.rollouts import WRONG, moves, plan, run, service_with
from tests.support.service import FaultyService, lost


def test_a_canary_takes_its_steps_and_bakes_each() -> None:
    """Case 37, in memory."""
    service, clock = service_with(Route("1", 100)), FastClock()
    ran = run(service, plan(), clock)
    assert moves(service) == ["2=10 1=90", "2=50 1=50", "2=100"]
    assert ran.done is not None
    assert (ran.done.previous, ran.done.agent.routes) == ("1", (Route("2", 100),))
    assert clock.now() >= 240
    assert service.sessions["support"] == {}


def test_whoever_watches_sees_test_step_what_is_left_and_the_end() -> None:
    service = service_with(Route("1", 100))
    lines = run(service, plan(keep=2)).lines
    assert lines[0] == "smoke test on support:2 passed (0.0 s)"
    assert lines[1] == "10 % on 2, 90 % on 1 · baking 2 min left"
    assert lines[2] == "10 % on 2, 90 % on 1 · baking 1 m 48 s left"
    assert lines[-1] == "100 % on 2, verified · kept 3, 2 · removed 1"
    assert len([line for line in lines if "10 % on 2" in line]) == 10


def test_a_step_that_is_in_force_is_not_sent_again() -> None:
    """Only differences are written."""
    service = service_with(Route("1", 90), Route("2", 10), Route("3", 0))
    run(service, plan())
    assert moves(service) == ["2=50 1=50", "2=100"]


def test_the_rest_stays_with_the_largest_active_version_that_was_found() -> None:
    service = service_with(Route("1", 60), Route("3", 40))
    service.has("1", "failed")
    run(service, plan(steps=(20,)))
    assert moves(service) == ["2=20 3=80", "2=100"]


def test_where_no_other_version_is_active_traffic_does_not_wait_for_a_test() -> None:
    """Case 41: the rule of a version that someone else deleted."""
    service = service_with(Route("1", 100))
    service.versions["support"].pop("1")
    ran = run(service, plan())
    assert moves(service) == ["2=100"]
    assert "no other version is active: support:2 gets the traffic before it is tested" in ran.lines


def test_a_first_version_is_pinned_at_once_and_said_to_be() -> None:
    service = FaultyService()
    service.has("1")
    ran = run(service, plan("1"))
    assert moves(service) == ["1=100"]
    assert ran.lines[0] == "no other version is active: support:1 gets the traffic before it is tested"
    assert "smoke test on support:1 passed through the endpoint at 100 %" in ran.lines


def test_a_first_version_that_fails_its_test_stays_pinned() -> None:
    """There is nothing to go back to, and a pinned endpoint can't be taken over by the next version."""
    service = FaultyService()
    service.has("1")
    failure = run(service, plan("1", smoke=WRONG)).failure
    assert service.routes["support"] == (Route("1", 100),)
    assert "the serving version was not changed: 100 % on 1" in str(failure)


# --- Failing ---------------------------------------------------------------------------------------------------------


def test_a_version_that_fails_before_traffic_gets_none() -> None:
    """Case 44: 0 PATCHes."""
    service = service_with(Route("1", 100))
    failure = run(service, plan(smoke=WRONG)).failure
    assert service.deployments == []
    assert failure.restored
    assert str(failure).splitlines() == [
        "smoke test on support:2 failed",
        '  Why: asked "ping", expected to contain "pong", got "2: ping" (3 of 3 tries, last 0.0 s)',
        "  State: support:2 got no traffic; 100 % on 1",
        "  Do: fix the agent and run `pulumi up` again",
    ]


def test_a_version_that_never_gets_ready_gets_no_traffic() -> None:
    """Case 44: 424 forever."""
    service = service_with(Route("1", 100))

    def never(*_args: object, **_more: object) -> Answer:
        raise NotReadyError("starting", operation="POST", status=424, code="session_not_ready")

    service.ask = never  # type: ignore[method-assign]  # never ready
    failure = run(service, plan()).failure
    assert service.deployments == []
    assert "session_not_ready" in str(failure)


def _fails_once_it_has(service: FaultyService, percent: int) -> None:
    """Version 2 answers wrongly from this share on."""

    def answers(version: str, question: str) -> str:
        share = sum(route.percent for route in service.routes["support"] if route.version == "2")
        return "Internal error" if version == "2" and share >= percent else f"{version}: {question}"

    service.answers = answers


@pytest.mark.parametrize("percent", [10, 50, 100])
def test_a_version_that_fails_at_a_step_never_gets_more_and_the_former_routing_is_back(percent: int) -> None:
    """Case 38. azd#5354"""
    service = service_with(Route("1", 60), Route("3", 40))
    _fails_once_it_has(service, percent)
    failure = run(service, plan()).failure
    reached = [int(move.split()[0].removeprefix("2=")) for move in moves(service) if move.startswith("2=")]
    assert max(reached) == percent
    assert service.routes["support"] == (Route("1", 60), Route("3", 40))
    assert failure.restored
    for part in (f"at {percent} % failed", "Internal error", "the routing is as it was found: 60 % on 1, 40 % on 3"):
        assert part in str(failure)

    service.answers = lambda version, question: f"{version}: {question}"
    assert run(service, plan()).done, "the next `up` works"


def test_a_version_that_stops_being_active_at_a_step_is_taken_back() -> None:
    """Case 43."""
    service, clock = service_with(Route("1", 100)), FastClock()
    sleep = clock.sleep

    def then_it_breaks(seconds: float) -> None:
        sleep(seconds)
        if clock.now() > 60:
            service.has("2", "failed")

    clock.sleep = then_it_breaks  # type: ignore[method-assign]  # breaks while it bakes
    failure = run(service, plan(), clock).failure
    assert moves(service) == ["2=10 1=90", "1=100"]
    assert 'it was active and is now "failed"' in str(failure)


def test_a_function_that_cannot_be_imported_and_a_missing_target_are_one_error_before_anything_is_sent() -> None:
    """All at once, before the first PATCH."""
    service = service_with(Route("1", 100))
    failure = run(service, plan("9", smoke=Smoke("ping", "check", "no_such_module:f"), load_check=load_check)).failure
    assert str(failure).splitlines() == [
        "version support:9 does not exist, so it can't serve",
        ("smoke.check: importing no_such_module:f failed Why: ModuleNotFoundError: No module named 'no_such_module'"),
        "  State: no traffic was moved; 100 % on 1",
        "  Do: set an active version, or run `pulumi refresh` and `pulumi up` to create it again",
    ]
    assert service.writes == []


# --- Going on --------------------------------------------------------------------------------------------------------


def test_a_rollout_that_was_killed_goes_on_from_what_the_endpoint_says_and_never_back() -> None:
    service = service_with(Route("2", 50), Route("1", 50))
    run(service, plan())
    assert moves(service) == ["2=100"]


def test_a_share_between_two_steps_goes_on_to_the_next() -> None:
    service = service_with(Route("2", 30), Route("1", 70))
    run(service, plan())
    assert moves(service) == ["2=50 1=50", "2=100"]


def test_an_interrupted_rollout_of_a_broken_version_ends_with_no_traffic_on_it() -> None:
    """Case 38, killed while rolling back: the share it was left with is not given back to it."""
    service = service_with(Route("2", 50), Route("1", 50))
    failure = run(service, plan(smoke=WRONG)).failure
    assert service.routes["support"] == (Route("1", 100),)
    assert "support:2 gets no traffic any more; 100 % on 1" in str(failure)
    assert failure.restored


def test_an_interrupted_rollout_that_left_everything_on_a_broken_version_goes_back_to_what_served_before() -> None:
    """Case 38: killed between the last PATCH and its proof."""
    service = service_with(Route("2", 100))
    failure = run(service, plan(smoke=WRONG, before="1")).failure
    assert service.routes["support"] == (Route("1", 100),)
    assert failure.restored


def test_a_version_that_has_served_before_takes_over_in_one_write_without_a_question() -> None:
    """Case 9: 0 POSTs, 1 PATCH."""
    service = service_with(Route("3", 100))
    ran = run(service, plan("2", served=frozenset({"2", "3"})))
    assert service.writes == ["set_routes support 2=100"]
    assert ran.lines[-1] == "100 % on 2, verified"


# --- Blue-green and paused -------------------------------------------------------------------------------------------


def test_blue_green_is_tested_before_traffic_before_and_after_its_bake_and_then_gets_all() -> None:
    service, clock = service_with(Route("1", 100)), FastClock()
    ran = run(service, plan(steps=(0,)), clock)
    assert moves(service) == ["2=100"]
    assert sum("smoke test on support:2 passed (" in line for line in ran.lines) == 2
    assert "0 % on 2, 100 % on 1 · baking 2 min left" in ran.lines
    assert clock.now() == 120


def test_a_paused_rollout_tests_and_moves_nothing() -> None:
    service = service_with(Route("1", 90), Route("3", 10))
    ran = run(service, plan(steps=(), paused=True))
    assert service.deployments == []
    assert ran.lines == [
        "smoke test on support:2 passed (0.0 s)",
        "paused: support:2 is ready; 90 % on 1, 10 % on 3",
    ]


def test_a_paused_rollout_fails_with_its_test_and_moves_nothing() -> None:
    service = service_with(Route("1", 100))
    assert run(service, plan(steps=(), paused=True, smoke=WRONG)).failure.restored
    assert service.deployments == []


def test_a_paused_rollout_pins_what_an_endpoint_that_follows_latest_serves() -> None:
    """Case 36: no version may take over by accident."""
    service = service_with()
    ran = run(service, plan("3", steps=(), paused=True))
    assert moves(service) == ["3=100"]
    assert "cannot test support:3 before it takes traffic: the endpoint followed @latest; pinning it" in ran.lines


def test_a_candidate_gets_nothing_while_an_older_latest_serves() -> None:
    """Case 36: 0 requests reach the candidate before its step. azd#8066"""
    service = service_with()
    run(service, plan("1", steps=(10,)))
    assert moves(service) == ["1=10 3=90", "1=100"]
    assert LATEST not in str(service.routes)


def test_a_pin_does_not_let_the_version_be_pruned_that_the_settings_describe() -> None:
    """It stands in state, and waits without traffic."""
    service = service_with(Route("1", 100))
    run(service, plan("1", keep=1, described="2", served=frozenset({"1"})))
    assert sorted(service.statuses_left()) == ["1", "2"]


def test_a_share_that_latest_gives_counts_as_the_newest_versions() -> None:
    """Case 36: rules that name `@latest` beside a number."""
    service = service_with(Route(LATEST, 20), Route("1", 80))
    run(service, plan("3"))
    assert moves(service) == ["3=50 1=50", "3=100"]


def test_a_share_that_latest_gives_to_a_broken_version_is_taken_from_it() -> None:
    """Case 38."""
    service = service_with(Route(LATEST, 20), Route("1", 80))
    assert run(service, plan("3", smoke=WRONG)).failure.restored
    assert service.routes["support"] == (Route("1", 100),)


def test_a_paused_rollout_pins_only_the_share_of_latest() -> None:
    service = service_with(Route(LATEST, 20), Route("1", 80))
    run(service, plan("2", steps=(), paused=True))
    assert service.routes["support"] == (Route("3", 20), Route("1", 80))


# --- The switch ------------------------------------------------------------------------------------------------------


def test_an_agent_that_was_switched_off_is_switched_on_in_one_write() -> None:
    """Case 40."""
    service = service_with(Route("2", 100))
    service.disabled.add("support")
    ran = run(service, plan(served=frozenset({"2"})))
    assert service.writes == ["enable support"]
    assert ran.done is not None
    assert ran.done.changed


def test_a_long_bake_reads_the_routing_once_a_minute() -> None:
    service, clock, at = service_with(Route("1", 100)), FastClock(), list[float]()
    read = service.get_agent

    def timed(agent: str) -> AgentView | None:
        at.append(clock.now())
        return read(agent)

    service.get_agent = timed  # type: ignore[method-assign]  # notes when
    assert run(service, plan(steps=(10,), bake_s=3600), clock).done
    assert clock.now() == 3600
    assert max(later - earlier for earlier, later in itertools.pairwise(at)) == 60


def test_another_writer_is_noticed_while_a_step_bakes_and_not_only_after_it() -> None:
    """Case 10."""
    service, clock = service_with(Route("1", 100)), FastClock()
    sleep = clock.sleep

    def then_someone_moves_it(seconds: float) -> None:
        sleep(seconds)
        service.routes["support"] = (Route("3", 100),)

    clock.sleep = then_someone_moves_it  # type: ignore[method-assign]  # while it bakes
    failure = run(service, plan(bake_s=600), clock).failure
    assert clock.now() < 120
    assert service.routes["support"] == (Route("3", 100),)
    assert moves(service) == ["2=10 1=90"]
    assert "nothing more was changed: 100 % on 3" in str(failure)


# --- Transient errors ------------------------------------------------------------------------------------------------


def test_a_list_that_is_stale_does_not_choose_the_stable_side() -> None:
    """Case 25."""
    service = service_with(list_statuses={"3": "active"})
    service.has("3", "failed")
    run(service, plan("1", steps=(10,)))
    assert moves(service)[0] == "1=10 2=90"


def test_other_parts_of_the_endpoint_are_never_sent() -> None:
    """Protocols, authorization schemes and the agent card that others set stay."""
    service = service_with(Route("1", 100))
    service.protocols["support"] = frozenset({"responses", "a2a"})
    enabled: list[frozenset[str]] = []
    send = service.set_routes

    def listening(agent: str, routes: object, *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        enabled.append(enable_protocols)
        return send(agent, routes, enable_protocols=enable_protocols)  # type: ignore[arg-type]  # passed through

    service.set_routes = listening  # type: ignore[method-assign]  # listens in
    run(service, plan())
    assert enabled == [frozenset()] * 3


def test_a_read_that_is_lost_at_the_end_of_a_step_does_not_turn_traffic_around() -> None:
    """Case 30."""
    service = service_with(Route("1", 100))
    read, calls = service.get_version, [0]

    def noisy(agent: str, version: str) -> VersionView | None:
        calls[0] += 1
        if calls[0] == 3:
            raise lost()
        return read(agent, version)

    service.get_version = noisy  # type: ignore[method-assign]  # one read is lost
    assert run(service, replace(plan(), steps=(10,))).done
    assert moves(service) == ["2=10 1=90", "2=100"]
