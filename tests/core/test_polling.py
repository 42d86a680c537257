"""The one poll: what ends it, what it survives, and how long it pauses, whatever is waited for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import ContractError
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.polling import (
    THROTTLED_PAUSE_S,
    UNSIGNED_READS_TOLERATED,
    PollSettings,
    Until,
    poll,
    retry_throttled,
    retry_transient,
    retry_until_project_ready,
)
from foundry_agents.testing import FastClock

LOST = ResponseLostError("reset", operation="GET …", status=500, request_id="r-500")
UNREACHABLE = UnreachableError("no route", operation="GET …")
UNSIGNED = AccessDeniedError("the token has expired", operation="GET …", status=401)
FORBIDDEN = AccessDeniedError("no", operation="GET …", status=403)
CONFLICT = ConflictError("in use", operation="GET …", status=409)
MISSING_PROJECT = ProjectNotFoundError("no such host", operation="GET …", status=404)


def throttled(retry_after_s: float | None = None) -> ThrottledError:
    return ThrottledError("slow down", operation="GET …", status=429, retry_after_s=retry_after_s)


@dataclass
class Script:
    """Responses and errors in order; the last one stays. Notes when each was asked for."""

    answers: list[object]
    clock: FastClock = field(default_factory=FastClock)
    at: list[float] = field(default_factory=list)

    def read(self) -> str | None:
        answer = self.answers[min(len(self.at), len(self.answers) - 1)]
        self.at.append(self.clock.now())
        if isinstance(answer, Exception):
            raise answer
        assert answer is None or isinstance(answer, str)
        return answer

    def poll(self, timeout_s: float = 60, interval_s: float = 2, until: Until[str] | None = None) -> str:
        return poll(self.read, until or READY, self.clock, PollSettings(timeout_s, interval_s))


READY = Until[str]("the thing", "ready", done=lambda seen: seen == "ready", describe=lambda seen: f"as {seen}")


# --- What is survived ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [LOST, UNREACHABLE, UNSIGNED], ids=["lost", "unreachable", "401"])
def test_an_error_that_passes_costs_one_pause(error: ServiceError) -> None:
    script = Script(["starting", error, "ready"])
    assert script.poll() == "ready"
    assert script.at == [0, 2, 4]


@pytest.mark.parametrize("error", [FORBIDDEN, CONFLICT, MISSING_PROJECT], ids=["403", "409", "no project"])
def test_an_error_that_does_not_pass_ends_the_wait_at_once(error: ServiceError) -> None:
    script = Script(["starting", error, "ready"])
    with pytest.raises(type(error)):
        script.poll()
    assert script.at == [0, 2]


def test_401s_in_a_row_are_survived_a_few_times_and_any_response_between_starts_again() -> None:
    row: list[object] = [UNSIGNED] * UNSIGNED_READS_TOLERATED
    assert Script([*row, "starting", *row, "ready"]).poll() == "ready"
    script = Script([*row, UNSIGNED, "ready"])
    with pytest.raises(AccessDeniedError):
        script.poll()
    assert len(script.at) == UNSIGNED_READS_TOLERATED + 1


@pytest.mark.parametrize(("retry_after_s", "pause"), [(None, THROTTLED_PAUSE_S), (0.5, 2), (30, 30)])
def test_after_a_429_nothing_is_read_before_retry_after_has_passed(retry_after_s: float | None, pause: float) -> None:
    script = Script([throttled(retry_after_s), "ready"])
    script.poll()
    assert script.at == [0, pause]


def test_a_retry_after_beyond_the_deadline_still_allows_one_read_at_the_deadline() -> None:
    """A rollback that gave up at once would leave traffic on the version that failed."""
    script = Script(["starting", throttled(59), "ready"])
    assert script.poll() == "ready"
    assert script.at == [0, 2, 60]


def test_a_wait_that_ends_while_the_service_throttles_says_so_with_what_was_seen() -> None:
    script = Script(["starting", throttled(59)])
    with pytest.raises(WaitTimeoutError) as caught:
        script.poll()
    assert script.at == [0, 2, 60]
    assert isinstance(caught.value.error, ThrottledError)
    assert str(caught.value).splitlines() == [
        "the thing was not ready after 60 s (3 reads, last seen as starting)",
        "  Why: the last read failed: the service is throttling, and allows the next request after 59 s",
        "  State: it was left as it is; nothing else was changed",
        "  Do: run `pulumi up` again; or raise timeout_s",
        "  Service said: slow down",
    ]


@pytest.mark.parametrize(("retry_after_s", "pause"), [(1, 1), (9, 9), (None, THROTTLED_PAUSE_S)])
def test_a_throttled_write_is_sent_again_after_retry_after_and_no_later(
    retry_after_s: float | None, pause: float
) -> None:
    script = Script([throttled(retry_after_s), "done"])
    assert retry_throttled(script.read, PollSettings(600, 60), script.clock) == "done"
    assert script.at == [0, pause]


def test_a_throttled_write_is_not_sent_again_when_retry_after_is_beyond_the_deadline() -> None:
    script = Script([throttled(61), "done"])
    with pytest.raises(ThrottledError):
        retry_throttled(script.read, PollSettings(60, 5), script.clock)
    assert script.at == [0]


def test_a_retry_after_that_ends_at_the_deadline_still_allows_the_last_read() -> None:
    script = Script(["starting", throttled(58), "ready"])
    assert script.poll() == "ready"
    assert script.at == [0, 2, 60]


# --- What ends it ----------------------------------------------------------------------------------------------------


def test_at_the_deadline_there_is_one_last_read() -> None:
    script = Script(["starting"])
    with pytest.raises(WaitTimeoutError) as caught:
        script.poll(timeout_s=5)
    assert script.at == [0, 2, 4, 5]
    assert (caught.value.last, caught.value.polls, caught.value.waited_s) == ("starting", 4, 5)


def test_the_error_of_the_deadline_carries_the_last_response_and_not_the_last_error() -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        Script(["starting", None, LOST]).poll(timeout_s=5)
    assert caught.value.last == "starting"
    assert caught.value.error is LOST
    assert "r-500" in str(caught.value)


def test_a_response_that_no_later_one_can_change_ends_the_wait_with_its_error() -> None:
    until = replace(READY, failure=lambda seen: ContractError("broken") if seen == "broken" else None)
    script = Script(["starting", "broken", "ready"])
    with pytest.raises(ContractError):
        script.poll(until=until)
    assert script.at == [0, 2]


@pytest.mark.parametrize("missing_reads", [0, 2])
def test_what_is_missing_for_too_many_reads_in_a_row_is_gone(missing_reads: int) -> None:
    until = replace(READY, gone=lambda last: ContractError(f"gone, last seen {last}"), missing_reads=missing_reads)
    row: list[object] = [None] * missing_reads
    assert Script([*row, "starting", *row, "ready"]).poll(until=until) == "ready"
    script = Script(["starting", *row, None, "ready"])
    with pytest.raises(ContractError, match="gone, last seen starting"):
        script.poll(until=until)
    assert len(script.at) == 1 + missing_reads + 1


def test_where_nothing_is_gone_a_missing_thing_is_waited_for_until_the_deadline() -> None:
    with pytest.raises(WaitTimeoutError, match=r"\(31 reads, never seen\)"):
        Script([None]).poll()


def test_a_condition_that_is_to_be_confirmed_needs_two_like_responses_in_a_row() -> None:
    until = replace(READY, confirm=True)
    script = Script(["ready", "starting", "ready", LOST, "ready"])
    assert script.poll(until=until) == "ready"
    assert len(script.at) == 5


# --- One call --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "pause"),
    [(LOST, 2), (UNREACHABLE, 2), (throttled(), THROTTLED_PAUSE_S), (throttled(9), 9), (UNSIGNED, 2)],
)
def test_a_read_is_repeated_after_an_error_that_passes(error: ServiceError, pause: float) -> None:
    script = Script([error, None])
    assert retry_transient(script.read, PollSettings(60, 2), script.clock) is None
    assert script.at == [0, pause]


def test_a_read_that_never_succeeds_ends_with_its_own_error_at_the_deadline() -> None:
    script = Script([LOST])
    with pytest.raises(ResponseLostError) as caught:
        retry_transient(script.read, PollSettings(5, 2), script.clock)
    assert caught.value is LOST
    assert script.at == [0, 2, 4, 5]


@pytest.mark.parametrize("error", [LOST, UNREACHABLE, UNSIGNED, FORBIDDEN], ids=["lost", "unreachable", "401", "403"])
def test_a_write_is_repeated_after_a_429_alone(error: ServiceError) -> None:
    """Any other error says nothing, or nothing for certain, about what was carried out."""
    script = Script([throttled(9), error, "done"])
    with pytest.raises(type(error)):
        retry_throttled(script.read, PollSettings(60, 2), script.clock)
    assert script.at == [0, 9]


def test_a_new_project_is_called_for_100_seconds_and_each_pause_is_reported() -> None:
    script, lines = Script([MISSING_PROJECT]), list[str]()
    with pytest.raises(ProjectNotFoundError):
        retry_until_project_ready(script.read, script.clock, lines.append)
    assert script.at == [5 * number for number in range(21)]
    assert lines == ["the project does not answer yet; a new project takes a moment"] * 20
