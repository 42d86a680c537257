"""Moving traffic: all of it, proved by reading back, put back when it can't be proved; and taking an agent away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import RolloutError
from foundry_agents.lifecycle.failure.service_errors import AccessDeniedError, ResponseLostError
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.rollout import (
    RolledOut,
    RolloutPlan,
    roll_out,
)
from foundry_agents.lifecycle.views import LATEST, AgentView, Route
from foundry_agents.testing import FastClock
from tests.support.rollouts import service_with
from tests.support.service import FaultyService, WilfulService


def _plan(version: str = "2", protocols: Sequence[str] = ("responses",), timeout_s: float = 30) -> RolloutPlan:
    return RolloutPlan("support", version, frozenset(protocols), PollSettings(timeout_s, 1))


def _run(service: FaultyService, plan: RolloutPlan | None = None, clock: FastClock | None = None) -> RolledOut:
    return roll_out(service, plan or _plan(), clock or FastClock(), lambda _line: None)


def _wilful(*routes: Route, **more: object) -> FaultyService:
    return service_with(*routes, kind=WilfulService, **more)


SOMETHING_ELSE = (Route("2", 74),)
"""The service takes sums other than 100 [recorded]."""


# --- Moving traffic --------------------------------------------------------------------------------------------------


def test_all_traffic_moves_in_one_write_and_the_former_version_is_named() -> None:
    service = service_with(Route("1", 100))
    done = _run(service)
    assert service.writes == ["set_routes support 2=100"]
    assert (done.agent.routes, done.target.id, done.previous, done.changed) == (
        (Route("2", 100),),
        "support:2",
        "1",
        True,
    )


def test_traffic_that_is_where_it_should_be_costs_no_write() -> None:
    """Case 12."""
    service = service_with(Route("2", 100))
    done = _run(service)
    assert service.writes == []
    assert (done.changed, done.previous) == (False, None)


def test_an_endpoint_that_follows_latest_is_pinned_also_when_latest_is_the_target() -> None:
    """A later version made by anybody would take traffic at once."""
    service = service_with()
    assert _run(service, _plan("3")).agent.routes == (Route("3", 100),)
    assert service.writes == ["set_routes support 3=100"]


def test_an_older_version_can_take_over_again() -> None:
    """Case 9: a rollback is one write."""
    service = service_with(Route("3", 100))
    assert _run(service, _plan("1")).previous == "3"
    assert service.writes == ["set_routes support 1=100"]


def test_a_protocol_that_is_off_is_switched_on_and_one_that_is_on_stays() -> None:
    service = service_with(Route("2", 100))
    enabled: list[frozenset[str]] = []
    original = service.set_routes

    def listening(agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        enabled.append(enable_protocols)
        return original(agent, routes, enable_protocols=enable_protocols)

    service.set_routes = listening  # type: ignore[method-assign]  # listens in
    _run(service, _plan(protocols=("responses", "invocations")))
    assert enabled == [frozenset({"invocations"})]


def test_a_protocol_that_was_switched_on_needs_no_second_write() -> None:
    """Case 12, on the in-memory service that users test with."""
    service = service_with(Route("2", 100))
    wanted = _plan(protocols=("responses", "invocations"))
    _run(service, wanted)
    service.calls.clear()
    _run(service, wanted)
    assert service.writes == []


def test_the_read_back_may_lag() -> None:
    """Case 35: success only when the service says so."""
    service, clock = service_with(Route("1", 100)), FastClock()
    lagging = [(Route("1", 100),)] * 4
    original = service.get_agent

    def late(agent: str) -> AgentView | None:
        view = original(agent)
        if view and service.count("set_routes") and lagging:
            return AgentView(view.name, view.latest, lagging.pop(), view.protocols)
        return view

    service.get_agent = late  # type: ignore[method-assign]  # answers late
    assert _run(service, clock=clock).changed
    assert service.writes == ["set_routes support 2=100"]
    assert clock.now() == 4


# --- Refusing to move ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["creating", "failed", "deleting", "deleted"])
def test_a_target_that_is_not_active_gets_no_traffic(status: str) -> None:
    """Case 35."""
    service = service_with(Route("1", 100))
    service.has("2", status)
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert service.writes == []
    assert caught.value.restored
    assert f'version support:2 is "{status}", so it can\'t serve' in str(caught.value)
    assert "no traffic was moved; 100 % on 1" in str(caught.value)


def test_a_target_that_a_list_calls_active_and_a_read_calls_failed_gets_no_traffic() -> None:
    """Case 25."""
    service = service_with(Route("1", 100), list_statuses={"2": "active"})
    service.has("2", "failed")
    with pytest.raises(RolloutError):
        _run(service)
    assert service.writes == []


def test_a_target_that_is_not_there_gets_no_traffic() -> None:
    service = service_with(Route("1", 100))
    with pytest.raises(RolloutError, match="support:9 does not exist"):
        _run(service, _plan("9"))
    assert service.writes == []


def test_an_agent_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(RolloutError, match="the agent does not exist"):
        _run(FaultyService())


# --- Putting back ----------------------------------------------------------------------------------------------------


def test_routes_that_are_refused_leave_the_former_ones_and_the_error_says_so() -> None:
    """Case 38."""
    error = AccessDeniedError("no", operation="PATCH …/support", status=403, request_id="r-403")
    service = service_with(Route("1", 90), Route("3", 10), failing={"set_routes": error})
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert caught.value.restored
    assert service.routes["support"] == (Route("1", 90), Route("3", 10))
    for part in ("was not moved to version 2", "r-403", "the routing is as it was found: 90 % on 1, 10 % on 3"):
        assert part in str(caught.value)


def _blind(*routes: Route, reads: int = 40) -> FaultyService:
    """A service whose reads are lost after the first write: more than the deadline has room for."""
    service = _wilful(*routes)
    original, left = service.get_agent, [reads]

    def lost_after_the_write(agent: str) -> AgentView | None:
        view = original(agent)
        if service.count("set_routes") and left[0]:
            left[0] -= 1
            raise ResponseLostError("reset", operation="GET …/support", request_id="r-lost")
        return view

    service.get_agent = lost_after_the_write  # type: ignore[method-assign]  # loses answers
    return service


def test_a_move_that_cannot_be_proved_puts_the_former_routes_back() -> None:
    """Case 38: former weights back, and the error says so."""
    service = _blind(Route("1", 60), Route("3", 40))
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert service.writes == ["set_routes support 2=100", "set_routes support 1=60 3=40"]
    assert service.routes["support"] == (Route("1", 60), Route("3", 40))
    assert caught.value.restored
    for part in ("was not moved to version 2", "r-lost", "the routing is as it was found: 60 % on 1, 40 % on 3"):
        assert part in str(caught.value)


def test_routes_that_another_writer_set_meanwhile_are_not_changed_and_are_reported() -> None:
    """Case 10: 0 flips of traffic back and forth."""
    service, clock = _wilful(Route("1", 60), Route("3", 40), takes=[SOMETHING_ELSE]), FastClock()
    with pytest.raises(RolloutError) as caught:
        _run(service, clock=clock)
    assert service.routes["support"] == SOMETHING_ELSE
    assert service.count("set_routes") == 1
    assert not caught.value.restored
    assert "74 % on 2" in str(caught.value)
    assert "nothing more was changed" in str(caught.value)
    assert clock.now() <= 31


def test_routes_that_never_took_are_not_written_again() -> None:
    """Case 38."""
    service = _wilful(Route("1", 100), takes=["nothing"])
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert service.writes == ["set_routes support 2=100"]
    assert caught.value.restored


def test_an_endpoint_that_followed_latest_follows_it_again() -> None:
    service = _blind()
    with pytest.raises(RolloutError):
        _run(service)
    assert service.routes["support"] == (Route(LATEST, 100),)


def test_routes_that_cannot_be_put_back_are_said_not_to_be() -> None:
    """Case 38, killed while rolling back."""
    service = _blind(Route("1", 100), reads=10_000)
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert not caught.value.restored
    assert "could NOT be restored to 100 % on 1" in str(caught.value)
    assert ResponseLostError.what in str(caught.value), "why, in one line"


@pytest.mark.parametrize(
    ("error", "line"), [(TimeoutError(), "TimeoutError"), (ConnectionError("reset\n  by peer"), "reset")]
)
def test_an_unforeseen_error_of_putting_back_gives_its_headline_and_hides_nothing(error: Exception, line: str) -> None:
    """An error without text must not replace the rollout's own error."""
    service = service_with(Route("1", 100))
    read = service.get_agent

    def get_agent(agent: str) -> AgentView | None:
        if service.writes:
            raise error
        return read(agent)

    service.get_agent = get_agent  # type: ignore[method-assign]
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert not caught.value.restored
    assert f"could NOT be restored to 100 % on 1: {line}\n" in str(caught.value)
    assert f"Why: {line}\n" in str(caught.value)


def test_a_putting_back_that_did_not_take_is_not_called_restored() -> None:
    """Case 38: "restored" is what reading back says, not what was asked for."""
    service = _wilful(Route("1", 100), takes=[SOMETHING_ELSE, "nothing"])
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert service.routes["support"] == SOMETHING_ELSE
    assert not caught.value.restored


def test_a_write_whose_answer_is_lost_ends_with_traffic_on_one_side_and_the_truth_about_it() -> None:
    """Case 1: cut after PATCH, before its reply."""
    service = _wilful(Route("1", 100), then_loses=frozenset({1}))
    try:
        done = _run(service)
    except RolloutError as error:
        reported, ended = error.restored, (Route("1", 100),)
    else:
        reported, ended = done.changed, (Route("2", 100),)
    assert reported
    assert service.routes["support"] == ended


def test_an_agent_that_vanishes_under_the_rollout_is_not_called_restored() -> None:
    service = service_with(Route("1", 100))
    original = service.set_routes

    def gone(agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        view = original(agent, routes, enable_protocols=enable_protocols)
        service.versions.pop(agent)
        return view

    service.set_routes = gone  # type: ignore[method-assign]  # someone else deletes the agent
    with pytest.raises(RolloutError) as caught:
        _run(service)
    assert not caught.value.restored
    assert "as it was found" not in str(caught.value)


def test_one_lost_answer_while_reading_back_does_not_turn_traffic_around() -> None:
    """Case 30: transient errors are survived until the deadline."""
    service = service_with(Route("1", 100))
    original, errors = service.get_agent, [ResponseLostError("reset", operation="GET")]

    def noisy(agent: str) -> AgentView | None:
        view = original(agent)
        if service.count("set_routes") and errors:
            raise errors.pop()
        return view

    service.get_agent = noisy  # type: ignore[method-assign]  # one read is lost
    assert _run(service).changed
    assert service.writes == ["set_routes support 2=100"]


def test_the_next_run_after_a_failed_one_works() -> None:
    """Case 38: next `up` works."""
    service = service_with(Route("1", 100), failing={"set_routes": ResponseLostError("reset", operation="PATCH")})
    with pytest.raises(RolloutError):
        _run(service)
    service.failing = {}
    assert _run(service).agent.routes == (Route("2", 100),)
