"""Waiting as scenarios: what the service answered, in order, and how the wait ends."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VersionGoneError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ResponseLostError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.polling import (
    FIRST_INTERVAL_S,
    MISSING_READS_TOLERATED,
    PollSettings,
    SystemClock,
    post_once,
    retry_throttled,
    wait_for_final,
)
from foundry_agents.lifecycle.views import VersionView
from foundry_agents.testing import FastClock
from tests.support.settings import seen

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.json"))
_TROUBLES = {"lost": ResponseLostError, "unreachable": UnreachableError, "refused": AccessDeniedError}


@dataclass
class Stream:
    """A service that reads from a script; the last answer stays."""

    answers: Sequence[str | None]
    clock: FastClock = field(default_factory=FastClock)
    at: list[float] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)

    def read(self) -> VersionView | None:
        answer = self.answers[min(len(self.at), len(self.answers) - 1)]
        self.at.append(self.clock.now())
        if answer in _TROUBLES:
            raise _TROUBLES[answer]("no luck", operation="GET …/versions/1", request_id="r-1")
        return seen(answer) if answer else None

    def show(self, view: VersionView | None, waited_s: float) -> None:
        assert waited_s == self.clock.now()
        self.shown.append(view.status if view else None)

    def wait(self, timeout_s: float = 600, interval_s: float = 5) -> VersionView:
        return wait_for_final(
            self.read,
            subject="version support:1",
            patience=PollSettings(timeout_s, interval_s),
            clock=self.clock,
            on_read=self.show,
        )

    @property
    def pauses(self) -> list[float]:
        return [round(after - before, 6) for before, after in itertools.pairwise(self.at)]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_the_scenario_ends_as_described(path: Path) -> None:
    """Cases 24, 26, 27 and 30."""
    scenario = json.loads(path.read_text(encoding="utf-8"))
    stream = Stream(scenario["answers"])
    ends = scenario["ends"]
    if "status" in ends:
        assert stream.wait(scenario["timeout_s"], scenario["interval_s"]).status == ends["status"], scenario["claim"]
    else:
        with pytest.raises(FoundryAgentsError) as caught:
            stream.wait(scenario["timeout_s"], scenario["interval_s"])
        assert type(caught.value).__name__ == ends["error"], scenario["claim"]
        if isinstance(caught.value, (WaitTimeoutError, VersionGoneError)):
            last = caught.value.last
            assert (last.status if isinstance(last, VersionView) else None) == ends["last"], scenario["claim"]
    if "reads" in ends:
        assert len(stream.at) == ends["reads"], scenario["claim"]


def test_a_version_that_is_active_already_costs_two_reads() -> None:
    """Case 27."""
    stream = Stream(["active"])
    stream.wait()
    assert len(stream.at) <= 2


def test_the_scenarios_have_one_more_missing_read_than_is_tolerated() -> None:
    """Case 26."""
    assert MISSING_READS_TOLERATED == 5


@pytest.mark.parametrize("answers", [["creating"], ["lost"], ["creating", "lost"], ["active", "creating"]])
@pytest.mark.parametrize("interval_s", [0.1, 1, 5, 60])
def test_the_wait_ends_within_one_poll_of_its_deadline(answers: list[str], interval_s: float) -> None:
    """Case 73."""
    stream = Stream(answers * 500)
    with pytest.raises(WaitTimeoutError) as caught:
        stream.wait(timeout_s=60, interval_s=interval_s)
    assert 60 <= stream.clock.now() <= 60 + interval_s
    assert caught.value.waited_s == stream.clock.now()
    assert caught.value.polls == len(stream.at)


def test_the_deadlines_error_says_how_long_how_often_and_what_was_seen_last() -> None:
    """Case 73."""
    with pytest.raises(WaitTimeoutError) as caught:
        Stream(["creating"]).wait(timeout_s=60)
    text = str(caught.value)
    assert text.startswith(
        f'version support:1 was not active after 60 s ({caught.value.polls} reads, last seen "creating"'
    )
    assert "State: " in text
    assert "run `pulumi up` again" in text


def test_a_deadline_reached_on_lost_answers_says_so_with_the_request_id() -> None:
    """Case 4: the last request id is in it."""
    with pytest.raises(WaitTimeoutError) as caught:
        Stream(["creating", "lost"]).wait(timeout_s=60)
    assert "r-1" in str(caught.value)


def test_a_version_that_vanished_is_not_said_to_have_run_out_of_time() -> None:
    """Case 26: raising the timeout does not bring it back."""
    with pytest.raises(FoundryAgentsError) as caught:
        Stream(["creating", *[None] * 9]).wait(timeout_s=600)
    assert "timeout_s" not in str(caught.value)


def test_pauses_grow_from_the_first_one_to_the_one_that_was_set_and_stay() -> None:
    stream = Stream(["creating"] * 20 + ["active"])
    stream.wait(timeout_s=600, interval_s=5)
    waiting = stream.pauses[:19]
    assert waiting[0] == FIRST_INTERVAL_S < 1
    assert waiting == sorted(waiting)
    assert waiting[-10:] == [5] * 10
    assert all(later <= 2 * earlier for earlier, later in itertools.pairwise(waiting))


def test_a_short_interval_is_kept_from_the_first_pause_on() -> None:
    stream = Stream(["creating"] * 9 + ["active"])
    stream.wait(interval_s=0.1)
    assert set(stream.pauses) == {0.1}


def test_an_active_that_is_to_be_confirmed_is_looked_at_again_soon() -> None:
    stream = Stream(["creating"] * 20 + ["active"])
    stream.wait(timeout_s=6000, interval_s=60)
    assert stream.pauses[-2] == 60
    assert stream.pauses[-1] <= 1


@pytest.mark.parametrize("ready_at", [0.0, 0.4, 3.0, 30.0, 290.0, 590.0])
def test_our_own_overhead_is_at_most_one_interval_and_a_second(ready_at: float) -> None:
    """Case 31: slow but healthy versions, up to 590 s."""
    clock = FastClock()
    wait_for_final(
        lambda: seen("active" if clock.now() >= ready_at else "creating"),
        subject="version support:1",
        patience=PollSettings(timeout_s=1200, interval_s=5),
        clock=clock,
        on_read=lambda _seen, _waited: None,
    )
    assert clock.now() <= ready_at + 5 + 1


def test_every_reading_is_shown_also_one_that_finds_nothing() -> None:
    stream = Stream([None, None, "creating", "active"])
    stream.wait()
    assert stream.shown == [None, None, "creating", "active", "active"]


def test_the_version_that_comes_back_is_the_one_that_was_read_last() -> None:
    first, second = seen("active", principal_id=""), seen("active", principal_id="principal")
    answers = iter([first, second])
    made = wait_for_final(
        lambda: next(answers),
        subject="version support:1",
        patience=PollSettings(60, 5),
        clock=FastClock(),
        on_read=lambda _seen, _waited: None,
    )
    assert made.principal_id == "principal"


@pytest.mark.parametrize(
    ("timeout_s", "calls", "answered"), [(60, 3, True), (50, 3, True), (49, 2, False), (24, 1, False)]
)
def test_throttling_is_waited_out_while_the_deadline_lets_it(timeout_s: float, calls: int, *, answered: bool) -> None:
    """Case 28; what counts is the time since the first call, not the clock's own."""
    clock, made = FastClock(1000), list[float]()

    def call() -> str:
        made.append(clock.now())
        if len(made) < 3:
            raise ThrottledError("slower", operation="POST …", retry_after_s=25)
        return "done"

    if answered:
        assert retry_throttled(call, PollSettings(timeout_s, 5), clock) == "done"
    else:
        with pytest.raises(ThrottledError):
            retry_throttled(call, PollSettings(timeout_s, 5), clock)
    assert made == [1000, 1025, 1050][:calls]


def test_a_throttled_write_waits_as_long_as_the_service_says_and_no_longer() -> None:
    clock, made = FastClock(), list[float]()

    def call() -> str:
        made.append(clock.now())
        if len(made) < 2:
            raise ThrottledError("slower", operation="POST …", retry_after_s=0.25)
        return "done"

    assert retry_throttled(call, PollSettings(60, 5), clock) == "done"
    assert made == [0, 0.25]


class Signing:
    """A service that answers from a list: a status of the version, or a status of HTTP."""

    def __init__(self, *answers: str) -> None:
        self.left = list(answers)

    def read(self) -> VersionView:
        answer = self.left.pop(0)
        if answer.isdigit():
            raise AccessDeniedError("who are you", operation="GET …/versions/1", status=int(answer))
        return seen(answer)

    def wait(self) -> VersionView:
        return wait_for_final(
            self.read,
            subject="version support:1",
            patience=PollSettings(600, 5),
            clock=FastClock(),
            on_read=lambda _seen, _waited: None,
        )


@pytest.mark.parametrize("row", range(1, 4))
def test_three_reads_in_a_row_may_ask_for_a_new_token_and_any_response_between_starts_again(row: int) -> None:
    """Case 30: a token expires in the middle of a wait."""
    service = Signing(*["401"] * row, "creating", *["401"] * row, "active", "active", "never read")
    assert service.wait().status == "active"
    assert service.left == ["never read"]


@pytest.mark.parametrize(("answers", "reads"), [(["401"] * 4, 4), (["creating", *["401"] * 4], 5), (["403"], 1)])
def test_a_fourth_401_ends_the_wait_and_so_does_the_first_403(answers: list[str], reads: int) -> None:
    """Cases 30 and 32."""
    service = Signing(*answers, *["active"] * 9)
    with pytest.raises(AccessDeniedError):
        service.wait()
    assert len(service.left) == len(answers) + 9 - reads


@pytest.mark.parametrize(("retry_after_s", "pause"), [(30, 30), (None, 5), (0.1, 0.5)])
def test_a_throttled_read_is_repeated_when_the_service_says(retry_after_s: float | None, pause: float) -> None:
    """Case 28; without a word of the service after a pause of ours, and never sooner than any other read."""
    clock, times = FastClock(), list[float]()

    def read() -> VersionView:
        times.append(clock.now())
        if len(times) == 1:
            raise ThrottledError("slower", operation="GET …", retry_after_s=retry_after_s)
        return seen("active")

    wait_for_final(
        read,
        subject="version support:1",
        patience=PollSettings(600, 5),
        clock=clock,
        on_read=lambda _seen, _waited: None,
    )
    assert times[1] == pause


def test_a_read_that_itself_takes_longer_than_is_left_is_the_last() -> None:
    """Case 73."""
    clock = FastClock()

    def slow() -> VersionView:
        clock.sleep(7)
        return seen("creating")

    with pytest.raises(WaitTimeoutError) as caught:
        wait_for_final(
            slow,
            subject="version support:1",
            patience=PollSettings(10, 5),
            clock=clock,
            on_read=lambda _seen, _waited: None,
        )
    assert (caught.value.polls, caught.value.waited_s, clock.now()) == (2, 14.5, 14.5)


def test_the_systems_clock_does_not_go_back() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0)
    assert clock.now() >= before


def test_a_lost_post_is_looked_for_until_looking_works() -> None:
    answers: list[object] = [UnreachableError("no route", operation="GET …"), "made"]

    def find() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post() -> object:
        raise ResponseLostError("reset", operation="POST …")

    assert post_once(post, find, PollSettings(60, 5), FastClock()) == "made"


def test_a_second_post_waits_while_the_service_is_throttling() -> None:
    answers: list[object] = [
        ResponseLostError("reset", operation="POST …"),
        ThrottledError("later", operation="POST …", status=429, retry_after_s=1),
        "made",
    ]

    def post() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert post_once(post, lambda: None, PollSettings(60, 5), FastClock()) == "made"


def test_where_looking_fails_too_the_error_is_that_of_the_post_and_says_that_it_may_have_been_carried_out() -> None:
    posts: list[str] = []

    def find() -> None:
        raise UnreachableError("no route", operation="GET …")

    def post() -> None:
        posts.append("POST")
        raise ResponseLostError("reset", operation="POST …", request_id="r-lost")

    with pytest.raises(ResponseLostError) as caught:
        post_once(post, find, PollSettings(60, 5), FastClock())
    assert posts == ["POST"]
    what = "looking for what it created failed too: the endpoint could not be reached"
    assert str(caught.value).splitlines() == [
        "the response was lost or is not usable",
        "  Where: POST …",
        "  Why: reset",
        f"  State: it may have been carried out; {what}",
        "  Do: run `pulumi up` again: it adopts what was created meanwhile",
        "  Service said: (request r-lost)",
    ]
