"""How to wait: a clock, a deadline, and a condition that must hold twice.

Nothing here sleeps except the clock, and the clock comes in as an argument.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from foundry_agents.lifecycle.failure.errors import (
    AccessDeniedError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
    UnreachableError,
    VersionGoneError,
    WaitTimeoutError,
)
from foundry_agents.lifecycle.views import VersionView

FIRST_INTERVAL_S = 0.5
INTERVAL_GROWTH = 1.6
CONFIRM_AFTER_S = 0.5
"""Between the first final answer and the one that must confirm it: `active` can precede a late `failed` [azd]."""

MISSING_READS_TOLERATED = 5
"""A version may be missing right after its creation; more reads than this in a row and it is gone."""

UNSIGNED_READS_TOLERATED = 3
"""A token may expire, or a clock be skewed, in the middle of a wait; more 401s in a row than this are no noise."""

UNAUTHENTICATED = 401
NEW_PROJECT_TRIES = 11
NEW_PROJECT_PAUSE_S = 5.0
"""The data plane of a project made a moment ago answers 404 about its host name for a while [azd]."""

THROTTLED_PAUSE_S = 5.0
"""After a 429 that does not say when to come back."""

FINAL = frozenset({"active", "failed", "deleted"})

T = TypeVar("T")


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> float:
        """Seconds on a scale that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Lets that much time pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps for real."""
        time.sleep(seconds)


@dataclass(frozen=True)
class PollSettings:
    """How long to wait and how often to look.

    Attributes:
        timeout_s: Give up after this many seconds.
        interval_s: The longest pause between two reads; the first ones are shorter.
    """

    timeout_s: float
    interval_s: float


def wait_for_final(
    read: Callable[[], VersionView | None],
    *,
    subject: str,
    patience: PollSettings,
    clock: Clock,
    on_read: Callable[[VersionView | None, float], None],
) -> VersionView:
    """Reads until two answers in a row agree on a final status.

    Args:
        read: Reads the version; None for a 404. Lost answers, broken connections, throttling and a few answers that ask
            for a new token are survived until the deadline.
        subject: What is waited for, for the error text: ``version support:8``.
        patience: How long, how often.
        clock: Where time comes from.
        on_read: Told every answer and the seconds waited so far.

    Returns:
        The version as last read: its status is active, failed or deleted.

    Raises:
        WaitTimeoutError: The deadline passed; carries what was seen last.
        VersionGoneError: The version stayed missing for more reads than the service needs to show a new one.
        ServiceError: An answer that more waiting can't change, such as a missing permission.
    """
    watch = _Watch(subject)
    start = clock.now()
    interval = min(FIRST_INTERVAL_S, patience.interval_s)
    while True:
        trouble = watch.look(read)
        waited = clock.now() - start
        if trouble is None:
            on_read(watch.seen, waited)
        if watch.settled:
            return watch.settled
        if (remaining := patience.timeout_s - waited) <= 0:
            raise WaitTimeoutError(subject, last=watch.last, polls=watch.polls, waited_s=waited, trouble=trouble)
        pause = min(CONFIRM_AFTER_S, patience.interval_s) if watch.to_confirm else interval
        if isinstance(trouble, ThrottledError):
            pause = max(pause, trouble.retry_after_s or THROTTLED_PAUSE_S)
        clock.sleep(min(pause, remaining))
        if not watch.to_confirm:
            interval = min(interval * INTERVAL_GROWTH, patience.interval_s)


@dataclass
class _Watch:
    """What the reads have shown so far.

    Attributes:
        subject: What is waited for.
        seen: The latest answer; None for a 404.
        last: The last answer that showed a version.
        to_confirm: A final answer that the next one must confirm.
        settled: A final answer that was confirmed.
    """

    subject: str
    seen: VersionView | None = None
    last: VersionView | None = None
    to_confirm: VersionView | None = None
    settled: VersionView | None = None
    polls: int = 0
    _missing: int = 0
    _unsigned: int = 0

    def look(self, read: Callable[[], VersionView | None]) -> ServiceError | None:
        """Reads once; gives the noise that kept an answer from coming, if any."""
        self.polls += 1
        try:
            self.seen = read()
        except (ResponseLostError, UnreachableError, ThrottledError) as noise:
            return noise
        except AccessDeniedError as refusal:
            self._unsigned += 1
            if refusal.status != UNAUTHENTICATED or self._unsigned > UNSIGNED_READS_TOLERATED:
                raise
            return refusal
        self._unsigned = 0
        self._judge()
        return None

    def _judge(self) -> None:
        seen = self.seen
        if seen is None:
            self._missing += 1
            self.to_confirm = None
            if self._missing > MISSING_READS_TOLERATED:
                raise VersionGoneError(self.subject, last=self.last)
            return
        self.last, self._missing = seen, 0
        if self.to_confirm and self.to_confirm.status == seen.status:
            self.settled = seen
        self.to_confirm = seen if seen.status in FINAL else None


def retry_until_project_ready(call: Callable[[], T], clock: Clock, on_wait: Callable[[str], None]) -> T:
    """Makes a first call to a project, patiently if the project is too new to be known to its own host.

    Raises:
        ProjectNotFoundError: It is still unknown after 11 tries, 5 seconds apart.
    """
    for _ in range(NEW_PROJECT_TRIES - 1):
        try:
            return call()
        except ProjectNotFoundError:
            on_wait("the project does not answer yet; a new one takes a moment")
            clock.sleep(NEW_PROJECT_PAUSE_S)
    return call()


def retry_throttled(call: Callable[[], T], patience: PollSettings, clock: Clock) -> T:
    """Makes a call again while the service says that it did nothing because of too many requests.

    Keeps to Retry-After, and gives up when the deadline would pass.
    """
    start = clock.now()
    while True:
        try:
            return call()
        except ThrottledError as error:
            pause = error.retry_after_s or THROTTLED_PAUSE_S
            if clock.now() - start + pause > patience.timeout_s:
                raise
            clock.sleep(pause)
