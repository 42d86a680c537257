"""Smoke tests: a question to a version, and what its answer must be."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from dataclasses import dataclass

from foundry_agents.lifecycle.failure.deployment_errors import SmokeTestError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    NotReadyError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.inputs.rollout import SMOKE
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll
from foundry_agents.lifecycle.schema.report import shown
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.views import Answer

LONGEST_PAUSE_S = 10.0
"""Between two tries; the first pause is the rollout's interval."""

LEAST_PATIENCE_S = 1.0
"""A question that is asked at the very end still gets a moment."""

MOST_ASKS = 30
"""Fresh sessions at one step: each is a sandbox of its own, and 50 may run at a time [docs]."""

_WHOLE = 100
_SHOWN = 200
_POSITION = re.compile(r"[0-9]{1,9}")
"""In a list."""

Check = Callable[[str, Mapping[str, object]], object]
"""Called with the text of the answer and the whole answer; raises, or returns False, when it is wrong."""


@dataclass(frozen=True)
class Smoke:
    """A smoke test, ready to run.

    Attributes:
        question: What is asked.
        kind: How the answer is checked: contains, matches, json_path or check.
        wanted: The text, regular expression, path or name of the function, depending on ``kind``.
        equals: The value at the path, of kind json_path.
        protocol: responses or invocations.
        tries: How many answers may be wrong before the test has failed.
        timeout_s: For all tries together. A version that has only just started may take a minute to answer.
    """

    question: str
    kind: str
    wanted: str
    equals: object = None
    protocol: str = "responses"
    tries: int = 3
    timeout_s: float = 120

    @classmethod
    def from_values(cls, values: object) -> Smoke | None:
        """Return the test from the canonical value of the input ``smoke``; None for none."""
        if not isinstance(values, Mapping):
            return None
        given = SMOKE.read(values)
        expected = {
            "contains": given.contains,
            "matches": given.matches,
            "json_path": given.json_path,
            "check": given.check,
        }
        kind, wanted = next((kind, wanted) for kind, wanted in expected.items() if wanted is not None)
        return cls(
            question=given.question,
            kind=kind,
            wanted=wanted,
            equals=given.equals,
            protocol=given.protocol,
            tries=given.tries,
            timeout_s=given.timeout,
        )

    @property
    def expectation(self) -> str:
        """The expectation as text after "expected"."""
        if self.kind == "json_path":
            return f"{self.wanted} to be {json.dumps(self.equals)}"
        words = {"contains": f'to contain "{self.wanted}"', "matches": f'to match "{self.wanted}"'}
        return words.get(self.kind, f"{self.wanted} to accept it")

    def problem_of(self, answer: Answer, check: Check | None) -> str | None:
        """Return what is wrong with an answer, as text after "got"; None when it is right."""
        if self.kind == "check":
            return _judged(check, answer) if check else None
        if self.kind == "json_path":
            value = looked_up(_document(answer), self.wanted)
            return None if _equal(value, self.equals) else f"{json.dumps(value, default=str)[:_SHOWN]}"
        right = self.wanted in answer.text if self.kind == "contains" else re.search(self.wanted, answer.text)
        return None if right else shown_answer(answer.text)


def no_functions(name: str) -> Check:
    """Refuse every function: the core imports no code of users. `foundry_agents.sources.user_check` does.

    Raises:
        SmokeTestError: Always.
    """
    raise SmokeTestError(f"importing {name}", "this caller imports no functions")


def looked_up(document: object, path: str) -> object:
    """Return the value at a dotted path of names and list positions; None when there is none."""
    for part in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(part)
        elif isinstance(document, Sequence) and not isinstance(document, str) and _POSITION.fullmatch(part):
            document = document[int(part)] if int(part) < len(document) else None
        else:
            return None
    return document


def shown_answer(text: str) -> str:
    """Return an answer for an error text: on one line, quoted, cut."""
    line = " ".join(text.split())
    return f'"{line[:_SHOWN]}…"' if len(line) > _SHOWN else f'"{line}"'


@dataclass(frozen=True)
class SmokeRunner:
    """Runs a smoke test.

    Attributes:
        service: The data plane.
        agent: Name of the agent.
        version: The version under test.
        smoke: The test.
        check: Its function, when it has one.
        clock: Where time comes from.
        patience: The rollout's poll settings: their interval is the first pause between two tries.
    """

    service: AgentService
    agent: str
    version: str
    smoke: Smoke
    check: Check | None
    clock: Clock
    patience: PollSettings

    @property
    def subject(self) -> str:
        """What is tested, for texts."""
        return f"smoke test on {self.agent}:{self.version}"

    def on_pinned_session(self, percent: int = 0) -> float:
        """Ask in a session that is pinned to the version, whatever the routing says; the session is always deleted.

        Args:
            percent: The version's share meanwhile, for the error text.

        Returns:
            How many seconds it took.

        Raises:
            SmokeTestError: Too many wrong answers, or not ready in time.
        """
        start = self.clock.now()
        session: str | None = None

        def ask(left_s: float) -> Answer:
            nonlocal session
            if session is None:
                session = self.service.create_session(self.agent, self.version)
            return self._ask(session, left_s)

        try:
            self._until_right(ask, f"{self.subject} at {percent} %" if percent else self.subject)
        finally:
            if session is not None:
                self._forget(session)
        return self.clock.now() - start

    def through_the_endpoint(self, percent: int) -> bool:
        """Ask as any caller does, until the version has answered and its answer was right.

        At 100 % it must answer before the timeout. At less, the routing chooses at random: after enough fresh sessions
        the test ends without an answer of the version. Answers of other versions are not checked.

        Args:
            percent: The version's share, 1 to 100.

        Returns:
            True when the version has given the right answer; False when the routing did not choose it, or not again
            after a wrong answer.

        Raises:
            SmokeTestError: A wrong answer of the version too often, no answer at all, or at 100 % not its own.
        """
        left = min(MOST_ASKS, math.ceil(3 * _WHOLE / percent))
        last: Answer | None = None

        def ask(left_s: float) -> Answer | None:
            nonlocal left, last
            last = None
            until = self.clock.now() + left_s
            while True:
                answer = self._ask(None, left_s)
                self._forget(answer.session)
                if answer.version == self.version or (not answer.version and percent == _WHOLE):
                    last = answer
                    return last
                if percent == _WHOLE:
                    raise _OtherVersionError(answer.version)
                left -= 1
                if left <= 0 or self.clock.now() >= until:
                    return None

        self._until_right(ask, f"{self.subject} through the endpoint at {percent} %")
        return last is not None

    def _until_right(self, ask: Callable[[float], Answer | None], subject: str) -> None:
        start = self.clock.now()
        wrong = 0
        took = 0.0

        def tried() -> _Try:
            nonlocal wrong, took
            began = self.clock.now()
            try:
                answer = ask(max(LEAST_PATIENCE_S, self.smoke.timeout_s - (began - start)))
                problem = self.smoke.problem_of(answer, self.check) if answer else None
                wrong += problem is not None
            except (AccessDeniedError, ProjectNotFoundError, ThrottledError):
                raise  # says nothing about the version
            except (NotReadyError, _OtherVersionError) as error:
                # Only the deadline limits these tries.
                problem = _words_of(error)
            except ServiceError as error:
                problem = _words_of(error)
                wrong += 1
            finally:
                took = self.clock.now() - began
            return _Try(problem, wrong)

        def failure(last: _Try) -> SmokeTestError | None:
            if last.wrong < self.smoke.tries:
                return None
            count = f"{last.wrong} of {self.smoke.tries} tries, last {took:.1f} s"
            return SmokeTestError(subject, self._detail(last.problem, count))

        right = Until[_Try](
            subject,
            "passed",
            done=lambda last: last.problem is None,
            describe=lambda last: last.problem or "a correct answer",
            failure=failure,
        )
        pauses = PollSettings(self.smoke.timeout_s, LONGEST_PAUSE_S, first_s=self.patience.interval_s)
        try:
            poll(tried, right, self.clock, pauses)
        except WaitTimeoutError as timeout:
            last = timeout.last.problem if isinstance(timeout.last, _Try) else None
            problem = _words_of(timeout.error) if timeout.error else last
            count = f"gave up after {timeout.waited_s:.0f} s, last {took:.1f} s"
            raise SmokeTestError(subject, self._detail(problem, count)) from None

    def _ask(self, session: str | None, left_s: float) -> Answer:
        return self.service.ask(
            self.agent,
            self.smoke.question,
            protocol=self.smoke.protocol,
            session=session,
            timeout_s=left_s,
        )

    def _forget(self, session: str) -> None:
        # Two tries at most: an idle session expires by itself, and the test's result matters more.
        for _ in range(2):
            with suppress(FoundryAgentsError):
                self.service.delete_session(self.agent, session)
                return

    def _detail(self, problem: str | None, count: str) -> str:
        return f"asked {shown(self.smoke.question)}, expected {self.smoke.expectation}, got {problem} ({count})"


@dataclass(frozen=True)
class _Try:
    """One try of a smoke test.

    Attributes:
        problem: What is wrong with the answer; None when it is right.
        wrong: How many answers were wrong so far.
    """

    problem: str | None
    wrong: int


class _OtherVersionError(Exception):
    """At 100 % another version answered: the routing may not have reached every part of the service yet."""

    def __init__(self, version: str) -> None:
        super().__init__(f"an answer of version {version}")


def _words_of(error: Exception) -> str:
    if isinstance(error, ServiceError):
        kind = {ResponseLostError: "no proper answer", UnreachableError: "no connection"}.get(type(error), error.what)
        request = f" (request {error.request_id})" if error.request_id else ""
        code = f"[{error.code}] " if error.code else ""
        return f"{kind}: {code}{shown_answer(error.detail)}{request}"
    return str(error)


def _judged(check: Check, answer: Answer) -> str | None:
    try:
        refusal = _refusal(check(answer.text, answer.body))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (the user's own check: `pytest.fail` is no Exception, for one)
        refusal = _text_of(error)
    return f"{shown_answer(answer.text)}: {refusal}" if refusal else None


_NOT_RUN = (Awaitable, Iterator, AsyncIterator, AbstractContextManager, AbstractAsyncContextManager, Future)
"""What a function returns that has run none of its code, or not all of it yet."""


def _refusal(verdict: object) -> str | None:
    """Return why what a check returned refuses the answer; None when it accepts it."""
    if isinstance(verdict, _NOT_RUN) or callable(verdict):
        if isinstance(verdict, Coroutine):
            verdict.close()  # else Python warns that it was never awaited
        return f"it returned a {type(verdict).__name__}, so it has checked nothing"
    # NumPy's False is another object, and no bool.
    refused = verdict is False or (type(verdict).__name__ in {"bool", "bool_"} and not verdict)
    return "it returned False" if refused else None


def _text_of(error: BaseException) -> str:
    """Return the text of a user's error on one line, or the name of its class, whatever its ``__str__`` does."""
    with suppress(Exception):
        if line := " ".join(str(error).split()):
            return line[:_SHOWN]
    return type(error).__name__


def _document(answer: Answer) -> object:
    """Return the text as JSON when it is an object or a list, else the whole answer."""
    try:
        inner: object = json.loads(answer.text)
    except (ValueError, RecursionError):
        return answer.body
    return inner if isinstance(inner, (dict, list)) else answer.body


def _equal(one: object, other: object) -> bool:
    # True is not 1 here, and 3 is 3.0: Pulumi sends every number as a float.
    return one == other and isinstance(one, bool) == isinstance(other, bool)
