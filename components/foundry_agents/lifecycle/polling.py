"""Polling: one loop that reads until a condition holds, with one rule for everything that can go wrong meanwhile.

Nothing here sleeps except the clock, and the clock is passed in as an argument.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from foundry_agents.lifecycle.failure.deployment_errors import VersionGoneError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, headline
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.views import VersionView

FIRST_INTERVAL_S = 0.5
INTERVAL_GROWTH = 1.6
CONFIRM_AFTER_S = 0.5
"""Between the first final response and the one that must confirm it: `active` can precede a late `failed` [azd]."""

MISSING_READS_TOLERATED = 5
"""A resource may be missing right after its creation; after more missing reads than this in a row it is gone."""

STALE_READS_TOLERATED = 2
"""Missing reads in a row of a resource that is known to exist; more than this and it was deleted meanwhile."""

UNSIGNED_READS_TOLERATED = 3
"""A token may expire, or a clock be skewed, in the middle of a wait; more 401s in a row than this are an error."""

UNAUTHENTICATED = 401
NEW_PROJECT_TIMEOUT_S = 100.0
NEW_PROJECT_INTERVAL_S = 5.0
"""The data plane of a project that was just created answers 404 about its host name for a while [azd]."""

THROTTLED_PAUSE_S = 5.0
"""After a 429 without Retry-After."""

FINAL = frozenset({"active", "failed", "deleted"})

TRANSIENT: tuple[type[ServiceError], ...] = (ResponseLostError, UnreachableError, ThrottledError)
"""Errors that a later read may not meet."""

T = TypeVar("T")


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> float:
        """Return seconds on a scale that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return seconds on the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep in real time."""
        time.sleep(seconds)


@dataclass(frozen=True)
class PollSettings:
    """How long to wait and how often to read.

    Attributes:
        timeout_s: Give up after this many seconds.
        interval_s: The longest pause between two reads.
        first_s: The first pause; later ones grow from it to ``interval_s``. None means ``interval_s``.
    """

    timeout_s: float
    interval_s: float
    first_s: float | None = None


@dataclass(frozen=True)
class Until(Generic[T]):
    """The condition that ends a poll, and the texts of its errors.

    Attributes:
        subject: What is read: ``version support:8``.
        goal: What it is expected to become: ``active``.
        done: Return whether a response meets the condition.
        describe: Return what a response shows, in a few words, for the error at the deadline.
        failure: Return the error of a response that no later read can change; None for any other response.
        gone: Return the error once the subject is missing, from the last response that showed it.
        missing_reads: How many reads in a row may find nothing. 0 for a subject that is known to exist.
        confirm: The condition must hold for two responses in a row that are described alike.
        do: What the user can do after the deadline.
        state: What state things are in after the deadline.
    """

    subject: str
    goal: str
    done: Callable[[T], bool]
    describe: Callable[[T], str]
    failure: Callable[[T], FoundryAgentsError | None] = lambda _seen: None
    gone: Callable[[T | None], FoundryAgentsError] | None = None
    missing_reads: int = 0
    confirm: bool = False
    do: str = "run `pulumi up` again; or raise timeout_s"
    state: str = "it was left as it is; nothing else was changed"


def ignore_reads(_seen: object, _waited_s: float) -> None:
    """Report nothing."""


def poll(
    read: Callable[[], T | None],
    until: Until[T],
    clock: Clock,
    settings: PollSettings,
    *,
    retried: tuple[type[ServiceError], ...] = TRANSIENT,
    on_read: Callable[[T | None, float], None] = ignore_reads,
    on_error: Callable[[ServiceError], None] = lambda _error: None,
    writes: bool = False,
) -> T:
    """Read until the condition holds. Every wait for a condition is a call of this function.

    - An error of a kind in ``retried`` is survived until the deadline.
    - After a 429 nothing is sent before Retry-After has passed, except the last read at the deadline. A write is not
      sent again then: if Retry-After is beyond the deadline, the wait ends at once.
    - A few 401s in a row are survived, because a token may expire in the middle of a wait. Not where ``retried`` is
      without transient errors of reads.
    - A subject that is missing for more reads than ``until.missing_reads`` is gone; the wait ends before the deadline.
    - At the deadline there is one last read.

    Args:
        read: Read the subject; None for a 404.
        until: The condition.
        clock: The source of time.
        settings: How long, how often.
        retried: Kinds of errors after which to read again.
        on_read: Called with every response and the seconds waited so far.
        on_error: Called with every error after which there is another read.
        writes: ``read`` is a call that changes something.

    Returns:
        The response that met the condition.

    Raises:
        WaitTimeoutError: The deadline passed; carries the last response.
        ServiceError: An error that more waiting can't change, such as a missing permission.
    """
    watch = _Watch(until, retried)
    start = clock.now()
    interval = settings.interval_s if settings.first_s is None else min(settings.first_s, settings.interval_s)
    while True:
        error = watch.look(read)
        waited = clock.now() - start
        if error is None:
            on_read(watch.seen, waited)
        if watch.settled:
            return watch.settled[0]
        remaining = settings.timeout_s - waited
        pause = min(CONFIRM_AFTER_S, settings.interval_s) if watch.to_confirm else interval
        if isinstance(error, ThrottledError):
            pause = max(pause, error.retry_after_s or THROTTLED_PAUSE_S)
        if remaining <= 0 or (writes and pause > remaining):
            raise watch.timed_out(waited, error)
        if error is not None:
            on_error(error)
        clock.sleep(min(pause, remaining))
        if not watch.to_confirm:
            interval = min(interval * INTERVAL_GROWTH, settings.interval_s)


@dataclass
class _Watch(Generic[T]):
    """What the reads have shown so far.

    Attributes:
        until: The condition.
        retried: Kinds of errors after which to read again.
        seen: The latest response; None for a 404.
        last: The last response that showed the subject, in a tuple; empty when there was none.
        to_confirm: A response that meets the condition and that the next one must confirm, in a tuple.
        settled: The response that ends the wait, in a tuple.
    """

    until: Until[T]
    retried: tuple[type[ServiceError], ...]
    seen: T | None = None
    last: tuple[T, ...] = ()
    to_confirm: tuple[T, ...] = ()
    settled: tuple[T, ...] = ()
    polls: int = 0
    _missing: int = 0
    _unsigned: int = field(default=0)

    def look(self, read: Callable[[], T | None]) -> ServiceError | None:
        """Read once; return the error that was survived, if any."""
        self.polls += 1
        try:
            self.seen = read()
        except self.retried as error:
            return error
        except AccessDeniedError as error:
            self._unsigned += 1
            tolerated = UNSIGNED_READS_TOLERATED if ResponseLostError in self.retried else 0
            if error.status != UNAUTHENTICATED or self._unsigned > tolerated:
                raise
            return error
        self._unsigned = 0
        self._judge(self.seen)
        return None

    def timed_out(self, waited_s: float, error: ServiceError | None) -> WaitTimeoutError:
        """Return the error of the deadline, with what was seen last."""
        last = self.last[0] if self.last else None
        return WaitTimeoutError(
            self.until.subject,
            goal=self.until.goal,
            last=last,
            seen=self.until.describe(self.last[0]) if self.last else "",
            polls=self.polls,
            waited_s=waited_s,
            error=error,
            do=self.until.do,
            state=self.until.state,
        )

    def _judge(self, seen: T | None) -> None:
        if seen is None:
            self._missing += 1
            self.to_confirm = ()
            if self.until.gone and self._missing > self.until.missing_reads:
                raise self.until.gone(self.last[0] if self.last else None)
            return
        self.last, self._missing = (seen,), 0
        if failure := self.until.failure(seen):
            raise failure
        done = self.until.done(seen)
        if done and (not self.until.confirm or self._confirms(seen)):
            self.settled = (seen,)
        self.to_confirm = (seen,) if done else ()

    def _confirms(self, seen: T) -> bool:
        return any(self.until.describe(earlier) == self.until.describe(seen) for earlier in self.to_confirm)


def wait_for_final(
    read: Callable[[], VersionView | None],
    *,
    subject: str,
    patience: PollSettings,
    clock: Clock,
    on_read: Callable[[VersionView | None, float], None],
) -> VersionView:
    """Read a version until two responses in a row agree on a final status.

    Args:
        read: Read the version; None for a 404.
        subject: What is waited for, for the error text: ``version support:8``.
        patience: How long, how often.
        clock: The source of time.
        on_read: Called with every response and the seconds waited so far.

    Returns:
        The version as last read: its status is active, failed or deleted.

    Raises:
        WaitTimeoutError: The deadline passed; carries the last response.
        VersionGoneError: The version stayed missing for more reads than the service needs to show a new one.
        ServiceError: An error that more waiting can't change, such as a missing permission.
    """
    until = Until[VersionView](
        subject,
        "active",
        done=lambda seen: seen.status in FINAL,
        describe=lambda seen: f'"{seen.status}"',
        gone=lambda last: VersionGoneError(subject, last=last),
        missing_reads=MISSING_READS_TOLERATED,
        confirm=True,
        do="run `pulumi up` again: it adopts this version and continues to wait; or raise timeout_s",
    )
    return poll(read, until, clock, replace(patience, first_s=FIRST_INTERVAL_S), on_read=on_read)


def retry_transient(read: Callable[[], T], settings: PollSettings, clock: Clock) -> T:
    """Read, and read again after transient errors, until the deadline.

    Raises:
        ServiceError: That of the last read.
    """
    return _retried(read, settings, clock, TRANSIENT)


def retry_throttled(call: Callable[[], T], settings: PollSettings, clock: Clock) -> T:
    """Call, and call again after 429, because then the service has done nothing. For calls that change something.

    Raises:
        ThrottledError: The deadline passed, or Retry-After is beyond it.
        ServiceError: Any other error, at once.
    """
    # No pause but the one that the service asks for.
    return _retried(call, replace(settings, interval_s=0.0), clock, (ThrottledError,), writes=True)


def post_once(post: Callable[[], T], find: Callable[[], T | None], settings: PollSettings, clock: Clock) -> T:
    """Send a POST that must not be carried out twice.

    When its response is lost, look for what it may have created before one more is sent.

    Args:
        post: Send it.
        find: Return what an earlier call of ``post`` has created; None when there is nothing.
        settings: How long to wait while the service is throttling, and to look.
        clock: The source of time.

    Raises:
        ResponseLostError: The response was lost, and so was that of the second POST, or looking failed too.
        ServiceError: The service refused.
    """
    try:
        return retry_throttled(post, settings, clock)
    except ResponseLostError as lost:
        try:
            made = retry_transient(find, settings, clock)
        except ServiceError as error:
            raise ResponseLostError(
                lost.detail,
                operation=lost.operation,
                status=lost.status,
                code=lost.code,
                request_id=lost.request_id,
                state=f"it may have been carried out; looking for what it created failed too: {headline(error)}",
            ) from None
        return made or retry_throttled(post, settings, clock)


def retry_until_project_ready(call: Callable[[], T], clock: Clock, on_wait: Callable[[str], None]) -> T:
    """Make the first call to a project again while the project is too new to be known to its own host.

    Raises:
        ProjectNotFoundError: It is still unknown after 100 seconds.
    """
    return _retried(
        call,
        PollSettings(NEW_PROJECT_TIMEOUT_S, NEW_PROJECT_INTERVAL_S),
        clock,
        (ProjectNotFoundError,),
        on_error=lambda _error: on_wait("the project does not answer yet; a new project takes a moment"),
    )


def _retried(
    call: Callable[[], T],
    settings: PollSettings,
    clock: Clock,
    retried: tuple[type[ServiceError], ...],
    on_error: Callable[[ServiceError], None] = lambda _error: None,
    *,
    writes: bool = False,
) -> T:
    """Poll until there is any response. A None of the call is one: hence the tuple."""
    any_response = Until[tuple[T]]("the call", "answered", done=lambda _seen: True, describe=lambda _seen: "answered")
    try:
        return poll(
            lambda: (call(),), any_response, clock, settings, retried=retried, on_error=on_error, writes=writes
        )[0]
    except WaitTimeoutError as timeout:
        raise timeout.error or timeout from None
