"""Smoke tests: what is expected, how often it is asked, and that the session always goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import SmokeTestError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    NotReadyError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
)
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.rollout_settings import SmokeTest
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.smoke import Check, Smoke, SmokeRunner, looked_up, shown_answer
from foundry_agents.lifecycle.views import Answer, Route
from foundry_agents.sources.user_check import load_check
from foundry_agents.testing import FastClock
from tests.support.rollouts import plan, run, service_with
from tests.support.service import FaultyService
from tests.support.settings import parsed


def smoke(test: SmokeTest) -> Smoke:
    """The test as the core gets it, through the field table."""
    raw = {
        "project_endpoint": "https://x/api/projects/p",
        "agent_name": "a",
        "version": "1",
        "owner": "a/b/c",
        "smoke": test.inputs(),
    }
    values, problems = ROLLOUT_FIELDS.normalise(raw)
    assert problems == []
    made = Smoke.from_values(values["smoke"])
    assert made is not None
    return made


def _answer(text: str, **body: object) -> Answer:
    return Answer("2", text, body or {"output": text}, "s")


@dataclass
class Moody(FaultyService):
    """An agent that answers in memory, with what goes wrong first.

    Attributes:
        moods: Errors of the coming questions; none left means that it answers.
        given_s: How long each question was given.
        think: Called before each answer.
        nameless: Answers of version 2 that do not say so.
    """

    moods: list[FoundryAgentsError] = field(default_factory=list)
    given_s: list[float] = field(default_factory=list)
    think: Callable[[], None] = lambda: None
    nameless: bool = False

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        self.given_s.append(timeout_s)
        self.think()
        if self.moods:
            self.calls.append(f"ask {agent} {session or 'endpoint'}")
            raise self.moods.pop(0)
        if self.nameless:
            return Answer("", f"2: {question}", {}, "s")
        answer = super().ask(agent, question, protocol=protocol, session=session, timeout_s=timeout_s)
        return replace(answer, version=parsed(answer.version))


def not_ready() -> NotReadyError:
    return NotReadyError(
        "starting", operation="POST …/responses", status=424, code="session_not_ready", request_id="r-424"
    )


def _prover(
    test: SmokeTest, *moods: FoundryAgentsError, check: Check | None = None
) -> tuple[SmokeRunner, Moody, FastClock]:
    service, clock = Moody(moods=list(moods)), FastClock(BEGAN)
    for number in ("1", "2"):
        service.has(number)
    service.routes["support"] = (Route("1", 90), Route("2", 10))
    return SmokeRunner(service, "support", "2", smoke(test), check, clock, PollSettings(30, 1)), service, clock


BEGAN = 1000.0
"""What counts is the time since the test began, not the clock's own."""

PING = SmokeTest("ping", expect="2: ping")


# --- Expectations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "right", "wrong"),
    [
        (SmokeTest("q", expect="pong"), "ping pong", "ping"),
        (SmokeTest("q", expect="1 + 1."), "it is 1 + 1.", "1  1!"),
        (SmokeTest("q", matches=r"^\d+ €$"), "12 €", "12 € or so"),
        (SmokeTest("q", json_path="status", equals="ok"), '{"status": "ok"}', '{"status": "not ok"}'),
        (SmokeTest("q", json_path="items.1.n", equals=3), '{"items": [0, {"n": 3.0}]}', '{"items": []}'),
        (SmokeTest("q", json_path="done", equals=True), '{"done": true}', '{"done": 1}'),
        (SmokeTest("q", json_path="done", equals=1), '{"done": 1}', '{"done": true}'),
    ],
)
def test_an_answer_is_right_or_wrong(test: SmokeTest, right: str, wrong: str) -> None:
    assert smoke(test).problem_of(_answer(right), None) is None
    assert smoke(test).problem_of(_answer(wrong), None)


@pytest.mark.parametrize(
    ("test", "expectation"),
    [
        (SmokeTest("q", expect="pong"), 'to contain "pong"'),
        (SmokeTest("q", matches="^pong$"), 'to match "^pong$"'),
        (SmokeTest("q", json_path="a.b", equals=True), "a.b to be true"),
        (SmokeTest("q", check="json:loads"), "json:loads to accept it"),
    ],
)
def test_an_error_says_what_was_expected(test: SmokeTest, expectation: str) -> None:
    assert smoke(test).expectation == expectation


def test_a_path_is_looked_up_in_the_whole_answer_when_its_words_are_no_json() -> None:
    test = smoke(SmokeTest("q", json_path="status", equals="completed"))
    assert test.problem_of(_answer("hello", status="completed"), None) is None


def test_a_path_to_nothing_is_none() -> None:
    document = {"a": [1, {"b": "text"}]}
    assert [looked_up(document, path) for path in ("a.1.b", "a.2", "a.x", "a.1.b.0", "z")] == [
        "text",
        None,
        None,
        None,
        None,
    ]


def _refusing(_text: str, _body: Mapping[str, object]) -> object:
    return False


def _raising(text: str, body: Mapping[str, object]) -> object:
    assert body
    raise ValueError(f"no euro sign in {text!r}")


def _leaving(_text: str, _body: Mapping[str, object]) -> object:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("check", "says"), [(_refusing, "returned False"), (_raising, "no euro sign"), (_leaving, '"12": 3')]
)
def test_a_function_refuses_by_false_or_by_raising(check: Check, says: str) -> None:
    """Case 72: even one that tries to end the process."""
    test = smoke(SmokeTest("q", check="json:loads"))
    assert says in (test.problem_of(_answer("12"), check) or "")


@pytest.mark.parametrize("verdict", [None, 0, "", True])
def test_a_function_accepts_by_anything_else(verdict: object) -> None:
    test = smoke(SmokeTest("q", check="json:loads"))
    assert test.problem_of(_answer("12"), lambda _text, _body: verdict) is None


@pytest.mark.parametrize(("length", "shown"), [(200, f'"{"x" * 200}"'), (201, f'"{"x" * 200}…"'), (3, '"xxx"')])
def test_an_answer_is_shown_by_its_first_200_characters(length: int, shown: str) -> None:
    assert shown_answer("x" * length) == shown


class NoException(BaseException):
    """What `pytest.fail` and a cancelled task raise is no Exception."""


async def _async(_text: str, _body: Mapping[str, object]) -> bool:
    return False


def _generator(_text: str, _body: Mapping[str, object]) -> Iterator[bool]:
    yield False


async def _async_generator(_text: str, _body: Mapping[str, object]) -> AsyncIterator[bool]:
    yield False


def _failing(_text: str, _body: Mapping[str, object]) -> object:
    raise NoException("no euro sign")


class CallableObject:
    """An object whose call is a coroutine."""

    async def __call__(self, _text: str, _body: Mapping[str, object]) -> bool:
        return False


@pytest.mark.parametrize(
    ("check", "kind"), [(_async, "coroutine"), (_generator, "generator"), (_async_generator, "async_generator")]
)
@pytest.mark.filterwarnings("error")
def test_a_function_that_has_not_run_accepts_nothing(check: Check, kind: str) -> None:
    test = smoke(SmokeTest("q", check="json:loads"))
    assert test.problem_of(_answer("12"), check) == f'"12": it returned a {kind}, so it has checked nothing'


def test_an_error_that_is_no_exception_refuses_and_ctrl_c_does_not() -> None:
    test = smoke(SmokeTest("q", check="json:loads"))
    assert test.problem_of(_answer("12"), _failing) == '"12": no euro sign'

    def interrupted(_text: str, _body: Mapping[str, object]) -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        test.problem_of(_answer("12"), interrupted)


class _BadText(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class _Proxy:
    @property  # type: ignore[misc]  # as an unbound proxy of a web framework does
    def __class__(self) -> type:
        raise RuntimeError("unbound")


def _bad_text(_text: str, _body: Mapping[str, object]) -> object:
    raise _BadText


@contextmanager
def _managed(_text: str, _body: Mapping[str, object]) -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    ("check", "refusal"),
    [
        pytest.param(_bad_text, "_BadText", id="an error without a text"),
        pytest.param(lambda _text, _body: _Proxy(), "unbound", id="a proxy"),
        pytest.param(_managed, "it returned a _GeneratorContextManager", id="a context manager"),
        pytest.param(lambda _text, _body: Future[bool](), "it returned a Future", id="a future"),
        pytest.param(lambda _text, _body: print, "it returned a builtin", id="a function"),
    ],
)
def test_what_a_check_does_beyond_returning_stays_a_refusal(check: Check, refusal: str) -> None:
    test = smoke(SmokeTest("q", check="json:loads"))
    problem = test.problem_of(_answer("12"), check)
    assert problem is not None
    assert problem.startswith(f'"12": {refusal}')


@pytest.mark.parametrize("name", ["bool_", "bool"])
def test_the_false_of_another_library_refuses(name: str) -> None:
    """NumPy has a False of its own, which is no bool."""
    false = type(name, (), {"__bool__": lambda _self: False})()
    true = type(name, (), {"__bool__": lambda _self: True})()
    test = smoke(SmokeTest("q", check="json:loads"))
    assert test.problem_of(_answer("12"), lambda _text, _body: false) == '"12": it returned False'
    assert test.problem_of(_answer("12"), lambda _text, _body: true) is None


@pytest.mark.parametrize("name", ["_async", "_generator", "_async_generator", "CALLABLE"])
def test_a_function_that_would_not_run_is_refused_before_the_rollout(name: str) -> None:
    with pytest.raises(SmokeTestError, match="a call of it would run none of its code"):
        load_check(f"{__name__}:{name}")


def test_an_import_that_ends_in_something_that_is_no_exception_is_an_error_of_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cancelled_check.py").write_text("import asyncio\nraise asyncio.CancelledError\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SmokeTestError, match="CancelledError"):
        load_check("cancelled_check:ok")


def test_an_answer_that_nests_too_deeply_is_no_document() -> None:
    test = smoke(SmokeTest("q", json_path="status", equals="ok"))
    assert test.problem_of(_answer("[" * 200_000, status="ok"), None) is None


def test_a_position_in_a_list_is_made_of_ascii_digits() -> None:
    assert looked_up(["a", "b", "c"], "²") is None
    assert looked_up(["a", "b", "c"], "٢") is None
    assert looked_up(["a"], "9" * 5000) is None


def test_a_class_may_be_a_check_whatever_its_objects_do_when_called() -> None:
    load_check(f"{__name__}:CallableObject")


def test_an_object_that_answers_no_question_about_itself_is_an_error_of_the_import() -> None:
    with pytest.raises(SmokeTestError, match="nope"):
        load_check(f"{__name__}:SHY.check")


class _Shy:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError("nope")


SHY = _Shy()
CALLABLE = CallableObject()


def test_a_function_is_imported_by_its_name() -> None:
    loaded: Callable[..., object] = load_check("json:JSONDecoder.decode")
    assert loaded.__name__ == "decode"


def test_the_core_itself_imports_no_function() -> None:
    """Code of users runs where the caller says so, and nowhere else."""
    service = service_with(Route("1", 100))
    failed = run(service, plan(smoke=smoke(SmokeTest("q", check="json:loads")))).failure
    assert "smoke.check: importing json:loads failed Why: this caller imports no functions" in str(failed)
    assert service.writes == []


@pytest.mark.parametrize("name", ["no_such_module_anywhere:f", "json:no_such_function", "sys:version"])
def test_a_function_that_is_not_available_is_named(name: str) -> None:
    with pytest.raises(SmokeTestError, match=f"importing {name}"):
        load_check(name)


# --- Before traffic --------------------------------------------------------------------------------------------------


def test_the_version_is_asked_in_a_session_of_its_own_which_goes() -> None:
    """Case 44: whatever the routing says, and nothing of it is changed."""
    prover, service, _ = _prover(PING)
    prover.on_pinned_session()
    assert service.writes == ["create_session support:2", "ask support session-1", "delete_session support session-1"]
    assert service.deployments == []


def test_424_for_60_seconds_is_waited_out() -> None:
    """Case 44. fs#515"""
    prover, service, clock = _prover(PING, *[not_ready()] * 11)
    prover.on_pinned_session()
    assert 60 < clock.now() - BEGAN < 120
    assert service.sessions["support"] == {}
    assert service.count("create_session") == 1


def test_endless_424_fails_at_the_tests_own_time_limit_and_the_session_goes() -> None:
    """Case 44: then no traffic is moved."""
    prover, service, clock = _prover(PING, *[not_ready()] * 1000)
    with pytest.raises(SmokeTestError) as caught:
        prover.on_pinned_session()
    assert clock.now() - BEGAN == 120
    assert "session_not_ready" in caught.value.detail
    assert "r-424" in caught.value.detail
    assert "gave up after 120 s" in caught.value.detail
    assert service.sessions["support"] == {}
    print(f"{service.count('ask')} tries")
    assert service.count("ask") <= 20


def test_each_question_has_as_long_as_the_test_has_left_and_the_last_one_still_a_moment() -> None:
    prover, service, clock = _prover(PING, *[not_ready()] * 1000)
    asked_at: list[float] = []
    service.think = lambda: asked_at.append(clock.now() - BEGAN)
    with pytest.raises(SmokeTestError):
        prover.on_pinned_session()
    assert service.given_s == [max(1, 120 - at) for at in asked_at]
    assert (service.given_s[0], service.given_s[-1]) == (120, 1)


def test_what_a_test_took_is_measured() -> None:
    prover, service, clock = _prover(PING, not_ready())
    service.think = lambda: clock.sleep(4)
    assert prover.on_pinned_session() == 4 + 1 + 4


def test_what_the_last_try_took_is_measured_alone() -> None:
    prover, service, clock = _prover(SmokeTest("ping", expect="pong"))
    service.think = lambda: clock.sleep(4)
    with pytest.raises(SmokeTestError, match=r"3 of 3 tries, last 4\.0 s"):
        prover.on_pinned_session()


def test_wrong_answers_are_counted_and_reported() -> None:
    prover, service, _ = _prover(SmokeTest("ping", expect="pong"))
    with pytest.raises(SmokeTestError) as caught:
        prover.on_pinned_session()
    assert caught.value.detail == 'asked "ping", expected to contain "pong", got "2: ping" (3 of 3 tries, last 0.0 s)'
    assert service.count("ask") == 3
    assert service.sessions["support"] == {}


@pytest.mark.parametrize(
    "error",
    [
        ResponseLostError("reset", operation="POST …/responses", request_id="r-500"),
        ServiceError("no such tool", operation="POST …/responses", status=400),
    ],
)
def test_an_error_for_an_answer_is_a_wrong_answer(error: ServiceError) -> None:
    prover, service, _ = _prover(PING, error, error)
    prover.on_pinned_session()
    assert service.count("ask") == 3


def test_errors_for_answers_are_counted_as_wrong_answers_are() -> None:
    lost = ResponseLostError("reset", operation="POST …/responses", request_id="r-500")
    prover, service, _ = _prover(PING, *[lost] * 9)
    with pytest.raises(SmokeTestError, match="3 of 3 tries"):
        prover.on_pinned_session()
    assert service.count("ask") == 3


def test_a_missing_permission_says_nothing_about_the_version() -> None:
    prover, service, _ = _prover(PING, AccessDeniedError("no", operation="POST …/responses", status=403))
    with pytest.raises(AccessDeniedError):
        prover.on_pinned_session()
    assert service.sessions["support"] == {}


def test_a_429_that_says_when_to_come_back_is_waited_out_and_is_no_wrong_answer() -> None:
    """Retry-After is kept here as everywhere."""
    throttled = ThrottledError("slow down", operation="POST …/responses", status=429, retry_after_s=25)
    prover, service, clock = _prover(PING, *[throttled] * 4)
    prover.on_pinned_session()
    assert (clock.now() - BEGAN, service.count("ask")) == (100, 5)


def test_a_token_that_expires_during_a_test_is_no_wrong_answer() -> None:
    expired = AccessDeniedError("the token has expired", operation="POST …/responses", status=401)
    prover, service, _ = _prover(PING, *[expired] * 3)
    prover.on_pinned_session()
    assert service.count("ask") == 4


# --- Through the endpoint --------------------------------------------------------------------------------------------


def test_fresh_sessions_are_asked_until_the_version_answers_and_all_go() -> None:
    prover, service, _ = _prover(PING)
    assert prover.through_the_endpoint(10)
    assert 1 <= service.count("ask") <= 30
    assert service.sessions["support"] == {}


def test_a_version_that_chance_never_chooses_is_not_met() -> None:
    """At most 30 fresh sessions a step: each is a sandbox."""
    prover, service, _ = _prover(PING)
    service.routes["support"] = (Route("1", 100),)
    assert not prover.through_the_endpoint(10)
    assert service.count("ask") == 30


@pytest.mark.parametrize(("each_s", "sessions"), [(40, 3), (50, 3), (130, 1)])
def test_no_session_is_begun_after_the_tests_own_time_limit(each_s: float, sessions: int) -> None:
    prover, service, clock = _prover(PING)
    service.routes["support"] = (Route("1", 100),)
    service.think = lambda: clock.sleep(each_s)
    assert not prover.through_the_endpoint(10)
    assert service.count("ask") == sessions


@pytest.mark.parametrize(("percent", "sessions"), [(1, 30), (9, 30), (10, 30), (50, 6), (99, 4)])
def test_the_larger_the_share_the_fewer_fresh_sessions_are_asked(percent: int, sessions: int) -> None:
    """Three times as many as one answer of the version takes on average."""
    prover, service, _ = _prover(PING)
    service.routes["support"] = (Route("1", 100),)
    assert not prover.through_the_endpoint(percent)
    assert service.count("ask") == sessions


def test_a_session_that_can_not_be_deleted_is_tried_twice_and_left_to_expire() -> None:
    prover, service, _ = _prover(PING)
    refused = ServiceError("no", operation="DELETE …", status=500)
    deletes: list[str] = []

    def refusing(agent: str, session: str) -> None:
        deletes.append(f"{agent} {session}")
        raise refused

    service.delete_session = refusing  # type: ignore[method-assign]  # never deletes
    prover.on_pinned_session()
    assert deletes == ["support session-1"] * 2


def test_a_version_is_met_by_its_number_in_the_answer() -> None:
    prover, service, _ = _prover(SmokeTest("ping", expect="12: ping"))
    service.has("12")
    service.routes["support"] = (Route("12", 100),)
    assert replace(prover, version="12").through_the_endpoint(100)


@pytest.mark.parametrize("other", ["1", "3"])
def test_only_the_version_itself_is_met(other: str) -> None:
    prover, service, _ = _prover(PING)
    service.has(other)
    service.routes["support"] = (Route(other, 100),)
    assert not prover.through_the_endpoint(50)


def test_an_answer_of_another_version_is_not_judged() -> None:
    prover, service, _ = _prover(SmokeTest("ping", expect="2: "))
    service.routes["support"] = (Route("1", 99), Route("2", 1))
    assert isinstance(prover.through_the_endpoint(1), bool)
    assert service.count("ask") > 1


@pytest.mark.parametrize(("percent", "asked", "met"), [(100, 1, True), (50, 6, False)])
def test_an_answer_that_names_no_version_counts_where_only_one_can_have_answered(
    percent: int, asked: int, met: object
) -> None:
    prover, service, _ = _prover(PING)
    service.nameless = True
    assert prover.through_the_endpoint(percent) is met
    assert len(service.given_s) == asked


def test_a_wrong_answer_through_the_endpoint_fails() -> None:
    prover, service, _ = _prover(SmokeTest("ping", expect="pong"))
    service.routes["support"] = (Route("2", 50), Route("1", 50))
    with pytest.raises(SmokeTestError, match="smoke test on support:2 through the endpoint at 50 %"):
        prover.through_the_endpoint(50)


def test_at_100_percent_only_an_answer_of_the_version_itself_will_do() -> None:
    """Case 35: the next call was answered by 21, pinned minutes before [recorded]."""
    prover, service, clock = _prover(PING)
    service.routes["support"] = (Route("1", 100),)
    with pytest.raises(SmokeTestError, match="an answer of version 1"):
        prover.through_the_endpoint(100)
    assert clock.now() - BEGAN == 120


def test_at_100_percent_a_routing_that_lags_is_waited_for() -> None:
    """Case 35."""
    prover, service, clock = _prover(PING)
    service.routes["support"] = (Route("1", 100),)
    sleep = clock.sleep

    def then_it_arrives(seconds: float) -> None:
        sleep(seconds)
        service.routes["support"] = (Route("2", 100),)

    clock.sleep = then_it_arrives  # type: ignore[method-assign]  # the routing arrives while we wait
    assert prover.through_the_endpoint(100)
    assert service.sessions["support"] == {}
