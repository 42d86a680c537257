"""Which versions go: after a rollout the oldest, on destroy this stack's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import WaitTimeoutError
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.ownership import NO_OWNER, Answer, Claim, Owner
from foundry_agents.lifecycle.polling import THROTTLED_PAUSE_S, PollSettings
from foundry_agents.lifecycle.retention import Kept, Removed, prune, remove
from foundry_agents.lifecycle.views import LATEST, AgentView, Route, VersionView
from foundry_agents.testing import FastClock
from tests.support.claims import LIVES, PROVED, Judged
from tests.support.service import FaultyService, owned
from tests.support.settings import OTHER_OWNER, OWNER


def _service(*routes: Route, **more: object) -> FaultyService:
    service = FaultyService(**more)  # type: ignore[arg-type]  # tests pass fitting types
    for number in ("1", "2", "3"):
        service.has(number, ownership=owned(f"v1:{number}"))
    if routes:
        service.routes["support"] = routes
    return service


def _remove(
    service: FaultyService,
    *,
    claim: Claim = PROVED,
    force: bool = False,
    clock: FastClock | None = None,
    timeout_s: float = 30,
    interval_s: float = 1,
) -> Removed:
    patience = PollSettings(timeout_s, interval_s)
    return remove(
        service, "support", owner=Owner(OWNER), claim=claim, force=force, clock=clock or FastClock(), patience=patience
    )


# --- Taking away -----------------------------------------------------------------------------------------------------


def test_an_agent_whose_versions_are_all_ours_goes_in_one_request() -> None:
    """Case 43: no call meets an endpoint whose version is missing."""
    service = _service(Route("2", 100))
    removed = _remove(service, force=False)
    assert removed.agent
    assert service.writes == ["delete_agent support"]
    assert service.versions == {}


def test_of_a_shared_agent_only_our_versions_go_and_the_one_with_traffic_stays() -> None:
    """Cases 51 and 53."""
    service = _service(Route("2", 100))
    service.has("4", ownership=owned("v1:4", owner=OTHER_OWNER))
    service.has("5")
    removed = _remove(service, force=False)
    assert not removed.agent
    assert sorted(removed.versions) == ["1", "3"]
    assert sorted(service.statuses_left()) == ["2", "4", "5"]
    assert service.count("delete_agent") == 0


def test_nothing_of_an_agent_that_others_made_is_touched() -> None:
    """Case 51."""
    service = FaultyService()
    service.has("1", ownership=owned("v1:1", owner=OTHER_OWNER))
    removed = _remove(service, force=True)
    assert (removed.agent, removed.versions) == (False, ())
    assert service.writes == []


@pytest.mark.parametrize("claim", [LIVES, Judged("it", answer=Answer.STAYS, reason="why")])
def test_what_a_claim_does_not_prove_stays_with_every_version(claim: Judged) -> None:
    """Cases 84 and 88."""
    service = _service(Route("2", 100))
    assert _remove(service, claim=claim) == Removed(agent=False, answer=claim.answer, reason=claim.reason)
    assert service.writes == []


def test_an_agent_that_is_gone_already_is_removed() -> None:
    """Case 48."""
    service = FaultyService()
    assert _remove(service, force=False).agent
    assert service.writes == []


def test_active_sessions_refuse_the_removal_and_the_way_around_is_named() -> None:
    """Case 50."""
    error = ConflictError("Agent has active sessions", operation="DELETE …/support", status=409, request_id="r-409")
    service = _service(Route("2", 100), failing={"delete_agent": error})
    with pytest.raises(ConflictError) as caught:
        _remove(service, force=False)
    for part in ('agent "support"', "force_delete=True", "nothing was deleted", "r-409"):
        assert part in str(caught.value)
    assert sorted(service.statuses_left()) == ["1", "2", "3"]


def test_force_ends_the_sessions_of_the_agent() -> None:
    """Case 50."""
    service = _service(Route("2", 100))
    _remove(service, force=True)
    assert service.forced == [True]


def test_a_removal_that_stops_half_way_does_not_say_that_nothing_was_deleted() -> None:
    """Case 50: what the error says of the state is true."""
    error = ConflictError("Version has active sessions", operation="DELETE …/versions/1", status=409)
    service = _service(Route("2", 100), failing={"delete_version support:1": error})
    service.has("4", ownership=owned("v1:4", owner=OTHER_OWNER))
    with pytest.raises(ConflictError) as caught:
        _remove(service, force=False)
    assert sorted(service.statuses_left()) == ["1", "2", "4"]
    assert "nothing was deleted" not in str(caught.value)
    assert "support:1" in str(caught.value)


def test_a_refusal_before_anything_went_says_so() -> None:
    """Case 50."""
    error = ConflictError("Version has active sessions", operation="DELETE …/versions/3", status=409)
    service = _service(Route("2", 100), failing={"delete_version support:3": error})
    service.has("4", ownership=owned("v1:4", owner=OTHER_OWNER))
    with pytest.raises(ConflictError, match="nothing was deleted"):
        _remove(service)
    assert sorted(service.statuses_left()) == ["1", "2", "3", "4"]


def test_another_error_half_way_speaks_of_no_sessions() -> None:
    """Case 50: only a 409 is about sessions."""
    error = ResponseLostError("reset", operation="DELETE …/versions/1", status=500)
    service = _service(Route("2", 100), failing={"delete_version support:1": error})
    service.has("4", ownership=owned("v1:4", owner=OTHER_OWNER))
    with pytest.raises(ResponseLostError) as caught:
        _remove(service)
    assert "sessions" not in str(caught.value)


# --- Keeping ---------------------------------------------------------------------------------------------------------


def _long_history(*routes: Route, count: int = 10) -> FaultyService:
    service = FaultyService()
    for number in range(1, count + 1):
        service.has(str(number), ownership=owned(f"v1:{number}"))
    service.routes["support"] = routes
    return service


def _prune(
    service: FaultyService,
    keep: int | None,
    serving: str = "10",
    served: frozenset[str] = frozenset(),
    former: frozenset[str] = frozenset(),
) -> Kept:
    agent = service.get_agent("support")
    assert agent is not None
    return prune(
        service,
        agent,
        versions=list(service.list_versions("support")),
        owner=Owner(OWNER, former),
        keep=keep,
        staying=frozenset({serving}),
        served=served,
    )


def test_a_release_that_never_served_does_not_push_out_the_one_to_go_back_to() -> None:
    service = _long_history(Route("10", 100))
    _prune(service, 3, served=frozenset({"7", "8"}))
    assert sorted(service.statuses_left(), key=int) == ["7", "8", "10"]


def test_the_newest_stay_and_so_do_a_routed_one_and_one_with_a_session() -> None:
    """Case 53: keep 3 of 10, an old one routed, another with a session: 5 left, those two among them."""
    service = _long_history(Route("2", 100))
    service.sessions["support"] = {"s": "5"}
    history = _prune(service, 3)
    assert sorted(service.statuses_left(), key=int) == ["2", "5", "8", "9", "10"]
    assert history == Kept(
        kept=("10", "9", "8", "2"), skipped=(("5", "live sessions"),), removed=("7", "6", "4", "3", "1")
    )


def test_without_a_number_everything_stays_and_nothing_is_sent() -> None:
    service = _long_history(Route("10", 100))
    assert _prune(service, None).kept == tuple(map(str, range(10, 0, -1)))
    assert service.writes == []


@pytest.mark.parametrize("status", ["active", "creating", "suspended"])
def test_without_a_number_failed_versions_are_no_history(status: str) -> None:
    service = _long_history(Route("3", 100), count=3)
    service.has("1", status, ownership=owned("v1:1"))
    service.has("2", "failed", ownership=owned("v1:2"))
    assert _prune(service, None, serving="3").kept == ("3", "1")


def test_of_what_was_taken_over_the_newest_of_our_own_stays_as_long_as_others_do() -> None:
    """Case 89: the last thing that says whose the agent is now; an older one of ours says nothing more."""
    service = _long_history(Route("1", 100), count=3)
    service.has("1", ownership=owned("v1:1", owner=OTHER_OWNER))
    history = _prune(service, 1, "1", frozenset({"1"}), frozenset({OTHER_OWNER, NO_OWNER}))
    assert history == Kept(kept=("3", "1"), removed=("2",))


def test_where_all_is_our_own_none_stays_for_being_the_newest() -> None:
    service = _long_history(Route("1", 100), count=3)
    _prune(service, 1, serving="1", served=frozenset({"1"}))
    assert sorted(service.statuses_left()) == ["1"]


def test_the_version_that_serves_stays_however_old_it_is() -> None:
    """After a rollback the oldest version serves."""
    service = _long_history(Route("1", 100))
    _prune(service, 2, serving="1")
    assert sorted(service.statuses_left(), key=int) == ["1", "9", "10"]


def test_a_paused_target_without_traffic_stays() -> None:
    service = _long_history(Route("10", 100))
    _prune(service, 1, serving="4")
    assert sorted(service.statuses_left(), key=int) == ["4", "10"]


def test_failed_versions_go_and_do_not_count() -> None:
    service = _long_history(Route("10", 100))
    for number in ("9", "8"):
        service.has(number, "failed", ownership=owned("v1:x"))
    assert _prune(service, 3).kept == ("10", "7", "6")
    assert sorted(service.statuses_left(), key=int) == ["6", "7", "10"]


@pytest.mark.parametrize("status", ["creating", "deleting"])
def test_what_is_on_its_way_is_left_alone(status: str) -> None:
    service = _long_history(Route("10", 100))
    service.has("1", status, ownership=owned("v1:1"))
    _prune(service, 1)
    assert sorted(service.statuses_left(), key=int) == ["1", "10"]


def test_what_others_made_is_neither_counted_nor_touched() -> None:
    """Case 51."""
    service = _long_history(Route("10", 100))
    service.has("9", ownership=owned("v1:9", owner=OTHER_OWNER))
    service.has("1", "failed")
    assert _prune(service, 2).kept == ("10", "8")
    assert sorted(service.statuses_left(), key=int) == ["1", "8", "9", "10"]


def test_with_latest_in_force_the_newest_is_routed() -> None:
    service = _long_history()
    service.routes.pop("support")
    _prune(service, 1, serving="3")
    assert sorted(service.statuses_left(), key=int) == ["3", "10"]


def test_a_session_that_begins_meanwhile_skips_its_version() -> None:
    """Case 53: the service's 409 has the last word."""
    service = _long_history(Route("10", 100))
    service.failing = {"delete_version support:5": ConflictError("active sessions", operation="DELETE", status=409)}
    assert _prune(service, 3).skipped == (("5", "live sessions"),)
    assert "5" in service.statuses_left()


def test_a_delete_that_fails_is_reported_and_stops_nothing() -> None:
    service = _long_history(Route("10", 100))
    service.failing = {"delete_version support:5": ResponseLostError("reset", operation="DELETE", status=500)}
    history = _prune(service, 3)
    assert history.skipped == (("5", "the response was lost or is not usable, HTTP 500"),)
    assert history.removed == ("7", "6", "4", "3", "2", "1")


class SlowService(FaultyService):
    """Deletes take as many reads as ``reads_until_gone`` says; None is forever."""

    reads_until_gone: int | None = 60
    errors: Sequence[ServiceError] = ()
    _pause: Callable[[], None] = staticmethod(lambda: None)

    def reading_takes(self, seconds: float, clock: FastClock) -> None:
        """Time passes in each read."""
        self._pause = lambda: clock.sleep(seconds)

    def get_agent(self, agent: str) -> AgentView | None:
        if self.count("delete_agent"):
            self._pause()
            if self.errors:
                error, *self.errors = self.errors
                raise error
        if self.count("delete_agent") and self.reads_until_gone:
            self.reads_until_gone -= 1
        if self.count("delete_agent") and self.reads_until_gone == 0:
            return None
        self.calls.append(f"get_agent {agent}")
        return AgentView(agent, None, (Route(LATEST, 100),))


class SlowVersions(FaultyService):
    """Each version has a status four more times after its delete, then another one; None is a 404."""

    def __init__(self, meanwhile: str, end: str | None) -> None:
        super().__init__()
        self._meanwhile = meanwhile
        self._end = end
        self._reads: Counter[str] = Counter()

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        view = self.versions[agent][version]
        super().delete_version(agent, version, force=force)
        self.versions[agent][version] = replace(view, status=self._meanwhile)
        return True

    def get_version(self, agent: str, version: str) -> VersionView | None:
        view = super().get_version(agent, version)
        self._reads[version] += 1
        if view is None or self._reads[version] <= 4:
            return view
        return replace(view, status=self._end) if self._end else None


def _slow(reads: int | None) -> SlowService:
    service = SlowService()
    service.has("1", ownership=owned("v1:1"))
    service.reads_until_gone = reads
    return service


def test_a_slow_delete_is_waited_for() -> None:
    """Case 49: `deleting` for 60 s, then 404, is success."""
    clock = FastClock()
    assert _remove(_slow(60), clock=clock, timeout_s=120).agent
    assert clock.now() == 59


def test_the_clock_does_not_begin_at_zero_and_the_last_pause_ends_at_the_deadline() -> None:
    """Case 49."""
    clock = FastClock(1000)
    with pytest.raises(WaitTimeoutError) as caught:
        _remove(_slow(None), clock=clock, timeout_s=5, interval_s=2)
    assert (caught.value.waited_s, caught.value.polls) == (5, 4)
    assert clock.now() == 1005


def test_reads_that_take_long_do_not_hide_the_deadline() -> None:
    """Case 49."""
    clock = FastClock()
    service = _slow(None)
    service.reading_takes(4, clock)
    with pytest.raises(WaitTimeoutError) as caught:
        _remove(service, clock=clock, timeout_s=11, interval_s=2)
    assert (caught.value.waited_s, caught.value.polls) == (15, 3)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ResponseLostError("reset", operation="GET", status=500), 3),
        (UnreachableError("no route", operation="GET"), 3),
        (ThrottledError("slow down", operation="GET", status=429), 2 + THROTTLED_PAUSE_S),
        (ThrottledError("slow down", operation="GET", status=429, retry_after_s=20), 2 + 20),
        (AccessDeniedError("the token has expired", operation="GET", status=401), 3),
    ],
    ids=["lost", "unreachable", "throttled", "Retry-After", "401"],
)
def test_a_read_that_fails_while_a_delete_is_waited_for_is_made_again(error: ServiceError, seconds: float) -> None:
    """Case 49; not before Retry-After has passed."""
    service = _slow(3)
    service.errors = [error]
    clock = FastClock()
    assert _remove(service, clock=clock).agent
    assert clock.now() == seconds


@pytest.mark.parametrize("meanwhile", ["active", "deleting"])
@pytest.mark.parametrize("end", ["deleted", None])
def test_of_a_shared_agent_each_version_is_waited_for_until_it_is_gone(meanwhile: str, end: str | None) -> None:
    """Case 49: a version reads as it was or as `deleting` for a while, then as `deleted` or not at all."""
    service, clock = SlowVersions(meanwhile, end), FastClock()
    for number in ("1", "2"):
        service.has(number, ownership=owned(f"v1:{number}"))
    service.has("3", ownership=owned("v1:3", owner=OTHER_OWNER))
    service.routes["support"] = (Route("3", 100),)
    assert sorted(_remove(service, clock=clock).versions) == ["1", "2"]
    assert clock.now() == 2 * 4


def test_a_delete_that_is_stuck_ends_at_the_deadline() -> None:
    """Case 49."""
    clock = FastClock()
    with pytest.raises(WaitTimeoutError) as caught:
        _remove(_slow(None), clock=clock, timeout_s=120)
    assert clock.now() == 120
    assert str(caught.value).splitlines() == [
        'agent "support" was not gone after 120 s (121 reads, last seen existing)',
        "  State: the service accepted the deletion and still shows it",
        "  Do: run the same command again later",
    ]


def test_a_second_removal_is_quiet() -> None:
    """Case 48."""
    service = _service(Route("2", 100))
    _remove(service)
    service.calls.clear()
    assert _remove(service).agent
    assert service.writes == []


@pytest.mark.parametrize("status", ["failed", "deleting"])
def test_a_version_with_traffic_stays_although_it_is_not_active_any_more(status: str) -> None:
    service = _service(Route("1", 100))
    service.has("1", status, ownership=owned("v1:1"))
    assert _prune(service, 1, "3") == Kept(("3",), (("1", "traffic"),), ("2",))


@pytest.mark.parametrize("status", ["failed", "deleting"])
def test_the_version_that_proves_the_takeover_is_one_that_counts(status: str) -> None:
    """A failed one says nothing, so the older one that is active stays."""
    service = FaultyService()
    service.has("1", ownership=owned("v1:1", owner=OTHER_OWNER))
    service.has("2", ownership=owned("v1:2"))
    service.has("3", status, owned("v1:3"))
    service.routes["support"] = (Route("1", 100),)
    _prune(service, 1, "1", frozenset({"1"}), frozenset({OTHER_OWNER}))
    assert {"1", "2"} <= set(service.statuses_left())


def test_an_agent_with_a_long_history_goes_in_one_request_and_its_failed_versions_are_pruned() -> None:
    """More versions than Python has objects of small integers."""
    service = FaultyService()
    for number in range(1, 301):
        service.has(str(number), "failed" if number == 300 else "active", ownership=owned(f"v1:{number}"))
    service.routes["support"] = (Route("299", 100),)
    assert _prune(service, 299, "299").removed == ("300",)
    assert _remove(service).agent
    assert service.writes[-1] == "delete_agent support"
