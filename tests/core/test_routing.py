"""Routing: described, checked before it is sent, and never moved against another writer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import RolloutError, TrafficConflictError
from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.lifecycle.failure.service_errors import ServiceError
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.routing import Traffic, checked
from foundry_agents.lifecycle.views import LATEST, AgentView, Route, Routing
from foundry_agents.testing import FastClock
from tests.support.service import FaultyService, lost


def routing(*routes: Route) -> Routing:
    return Routing(routes)


# --- Text ------------------------------------------------------------------------------------------------------------


def test_routing_is_described_largest_share_first() -> None:
    assert routing(Route("8", 10), Route("7", 90)).describe() == "90 % on 7, 10 % on 8"


def test_no_rules_are_the_default_rule() -> None:
    view = AgentView("support", None)
    assert view.routing.describe() == "100 % on @latest"
    assert view.routing.shares == {LATEST: 100}
    assert view.follows_latest


def test_shares_of_one_version_add_up() -> None:
    split = routing(Route("7", 60), Route("8", 10), Route("7", 30))
    assert split.shares == {"7": 90, "8": 10}
    assert split.percent_of("7") == 90


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([Route("7", 100)], "7"),
        ([Route("7", 100), Route("8", 0)], "7"),
        ([Route(LATEST, 100)], LATEST),
        ([], LATEST),
        ([Route("7", 90), Route("8", 10)], "7: 90 %, 8: 10 %"),
        ([Route("7", 74)], "7: 74 %"),
        ([Route("7", 0)], "none"),
        ([Route("7", 100), Route("8", 100)], "7: 100 %, 8: 100 %"),
    ],
)
def test_live_traffic_is_shown_as_the_input_that_would_describe_it(routes: list[Route], expected: str) -> None:
    """Case 40."""
    assert routing(*routes).target == expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([Route("1", 100)], "1"),
        ([Route("1", 10), Route("3", 90)], "3"),
        ([Route("2", 90), Route("1", 10)], "1"),
        ([Route("2", 100), Route("1", 0)], None),
        ([Route(LATEST, 100)], None),
        ([], None),
    ],
)
def test_the_previous_version_is_the_numbered_one_with_most_traffic(routes: list[Route], expected: str | None) -> None:
    assert routing(*routes).largest(but="2") == expected


@pytest.mark.parametrize(
    ("routes", "newest", "expected"),
    [
        ([], "3", [Route("3", 100)]),
        ([Route(LATEST, 20), Route("1", 80)], "3", [Route("3", 20), Route("1", 80)]),
        ([Route("3", 80), Route(LATEST, 20)], "3", [Route("3", 100)]),
        ([Route("1", 74)], "3", [Route("1", 100)]),
        ([Route(LATEST, 20), Route("1", 80)], None, [Route(LATEST, 20), Route("1", 80)]),
    ],
)
def test_latest_is_resolved_to_the_version_that_it_serves_now(
    routes: list[Route], newest: str | None, expected: list[Route]
) -> None:
    assert routing(*routes).resolved(newest) == routing(*expected)


# --- Weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "path"),
    [
        ([Route("1", 74)], "routes"),
        ([Route("1", 60), Route("2", 41)], "routes"),
        ([Route("1", -10), Route("2", 110)], "routes[0].percent"),
        ([Route("1", -1), Route("2", 100), Route("3", 1)], "routes[0].percent"),
        ([Route("1", 101)], "routes[0].percent"),
        ([Route("1", 50), Route("1", 50)], "routes[1].version"),
    ],
)
def test_shares_that_make_no_sense_are_refused_with_a_path_and_nothing_is_sent(routes: list[Route], path: str) -> None:
    """Case 39: the service takes 74. tfgoogle#15153"""
    service = FaultyService()
    service.has("1")
    service.routes["support"] = (Route("1", 100),)
    found = service.get_agent("support")
    assert found is not None
    service.calls.clear()
    with pytest.raises(InputError) as caught:
        Traffic(service, found, PollSettings(10, 1), FastClock()).move(routing(*routes))
    assert path in {problem.path for problem in caught.value.problems}
    assert service.calls == []


def test_a_share_of_0_is_fine() -> None:
    """Case 39."""
    unequal = routing(Route("1", 0), Route("2", 100))
    assert checked(unequal) is unequal


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), (Route(LATEST, 100),)),
        ((Route("1", 0),), (Route(LATEST, 100),)),
        ((Route("1", 74),), (Route("1", 100),)),
        ((Route("1", 60), Route("2", 41)), (Route("1", 59), Route("2", 41))),
        ((Route("1", 60), Route("2", 52), Route("3", 52)), (Route("1", 100),)),
        ((Route("1", 60), Route("2", 52), Route("3", 49)), (Route("1", 100),)),
        ((Route("1", 50), Route("2", 50), Route("3", 50)), (Route("1", 0), Route("2", 50), Route("3", 50))),
        ((Route("1", 90), Route("2", 10)), (Route("1", 90), Route("2", 10))),
    ],
)
def test_what_was_found_is_brought_to_100_before_it_is_put_back(
    found: tuple[Route, ...], expected: tuple[Route, ...]
) -> None:
    """Case 39: weights always sum to 100 before they are sent."""
    assert Routing(found).whole() == Routing(expected)
    assert checked(Routing(found).whole()) == Routing(expected)


def test_order_and_shares_of_0_mean_nothing() -> None:
    assert routing(Route("1", 90), Route("2", 10)).same_as(routing(Route("2", 10), Route("1", 90), Route("3", 0)))
    assert routing().same_as(routing(Route(LATEST, 100)))
    assert not routing(Route("1", 100)).same_as(routing(Route(LATEST, 100)))


def test_the_share_of_a_blamed_version_goes_to_the_stable_one() -> None:
    assert routing(Route("1", 50), Route("2", 50)).without("2", rest="1") == routing(Route("1", 100))
    assert routing(Route("2", 100)).without("2", rest="1") == routing(Route("1", 100))
    assert routing(Route("1", 100)).without("2", rest="1") == routing(Route("1", 100))


def test_a_step_gives_the_rest_to_the_stable_version() -> None:
    assert Routing.to("8", 10, rest="7") == routing(Route("8", 10), Route("7", 90))
    assert Routing.to("8", 100, rest="7") == routing(Route("8", 100))
    assert Routing.to("8", 10) == routing(Route("8", 100))


# --- Another writer ---------------------------------------------------------------------------------------------------


def _traffic() -> tuple[FaultyService, Traffic, FastClock]:
    service, clock = FaultyService(), FastClock()
    for number in ("1", "2", "3"):
        service.has(number)
    service.routes["support"] = (Route("1", 100),)
    found = service.get_agent("support")
    assert found is not None
    return service, Traffic(service, found, PollSettings(10, 1), clock), clock


def test_a_routing_that_is_neither_found_nor_ours_stops_before_anything_is_sent() -> None:
    """Case 10."""
    service, mover, _ = _traffic()
    service.routes["support"] = (Route("3", 100),)
    with pytest.raises(TrafficConflictError) as caught:
        mover.move(routing(Route("2", 100)))
    assert "100 % on 3" in str(caught.value)
    assert service.writes == []


def test_one_stale_read_is_not_another_writer() -> None:
    service, mover, _ = _traffic()
    stale = [AgentView("support", None, (Route("9", 100),))]
    read = service.get_agent
    service.get_agent = lambda agent: stale.pop() if stale else read(agent)  # type: ignore[method-assign]  # one old answer
    mover.move(routing(Route("2", 100)))
    assert service.writes == ["set_routes support 2=100"]


def test_a_stale_read_has_one_interval_to_pass_before_it_is_a_conflict() -> None:
    service, mover, clock = _traffic()
    service.routes["support"] = (Route("3", 100),)
    sleep = clock.sleep

    def then_it_is_fresh(seconds: float) -> None:
        sleep(seconds)
        service.routes["support"] = (Route("1", 100),)

    clock.sleep = then_it_is_fresh  # type: ignore[method-assign]  # the next read is fresh
    assert mover.look().routes == (Route("1", 100),)
    assert clock.now() == 1


def test_what_was_set_before_is_still_ours_when_it_is_read_late() -> None:
    service, mover, _ = _traffic()
    mover.move(routing(Route("2", 10), Route("1", 90)))
    mover.move(routing(Route("2", 50), Route("1", 50)))
    service.routes["support"] = (Route("2", 10), Route("1", 90))
    assert mover.look().routes == (Route("2", 10), Route("1", 90))


@pytest.mark.parametrize("committed", [True, False])
def test_a_write_whose_answer_is_lost_is_looked_at_and_sent_again_only_if_it_was_not_carried_out(
    *, committed: bool
) -> None:
    """Case 1: a merge patch of the same rules may be repeated."""
    service, mover, _ = _traffic()
    send, losses = service.set_routes, [lost()]

    def loses_one(agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        if not losses:
            return send(agent, routes, enable_protocols=enable_protocols)
        if committed:
            send(agent, routes, enable_protocols=enable_protocols)
        raise losses.pop()

    service.set_routes = loses_one  # type: ignore[method-assign]  # loses one answer
    assert mover.move(routing(Route("2", 100))).routes == (Route("2", 100),)
    assert service.writes == ["set_routes support 2=100"]


# --- Putting back -----------------------------------------------------------------------------------------------------


def test_putting_back_is_tried_at_once_and_again_after_a_pause() -> None:
    service, mover, clock = _traffic()
    mover.move(routing(Route("2", 100)))
    service.failing_times["set_routes"] = [ServiceError("no", operation="PATCH", status=400)] * 2
    at: list[float] = []
    sent = service.set_routes

    def timed(*args: object, **more: object) -> AgentView:
        at.append(clock.now())
        return sent(*args, **more)  # type: ignore[arg-type]

    service.set_routes = timed  # type: ignore[method-assign]
    began = clock.now()
    assert mover.put_back(routing(Route("1", 100))) is None
    assert [moment - began for moment in at] == [0, 1, 2]


def test_a_routing_that_does_not_show_in_time_was_not_restored() -> None:
    service, mover, clock = _traffic()
    found = service.get_agent("support")
    service.get_agent = lambda agent: found  # type: ignore[method-assign]  # noqa: ARG005 (never shows the change)
    with pytest.raises(RolloutError, match="the endpoint still shows 100 % on 1 after 10 s") as caught:
        mover.move(routing(Route("2", 100)))
    assert not caught.value.restored
    assert clock.now() == 10


def test_an_agent_that_is_gone_was_not_restored() -> None:
    service, mover, _ = _traffic()
    service.get_agent = lambda agent: None  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(RolloutError, match="the agent does not exist any more") as caught:
        mover.look()
    assert not caught.value.restored
