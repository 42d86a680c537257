"""How to wait: a clock, a deadline, and a condition that must hold twice.

Nothing here sleeps except the clock, and the clock comes in as an argument.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from foundry_agents.lifecycle.errors import AnswerLost, ServiceError, Unreachable, VersionVanished, WaitTimeout
from foundry_agents.lifecycle.ports import VersionView

FIRST_INTERVAL_S = 0.5
INTERVAL_GROWTH = 1.6
CONFIRM_AFTER_S = 0.5
"""Between the first final answer and the one that must confirm it: `active` can precede a late `failed` [azd]."""

MISSING_READS_TOLERATED = 5
"""A version may be missing right after its creation; more reads than this in a row and it is gone."""

FINAL = frozenset({"active", "failed", "deleted"})


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
class Patience:
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
    patience: Patience,
    clock: Clock,
    on_read: Callable[[VersionView | None, float], None],
) -> VersionView:
    """Reads until two answers in a row agree on a final status.

    Args:
        read: Reads the version; None for a 404. Lost answers and broken connections are survived until the deadline.
        subject: What is waited for, for the error text: ``version support:8``.
        patience: How long, how often.
        clock: Where time comes from.
        on_read: Told every reading and the seconds waited so far.

    Returns:
        The version as last read: its status is active, failed or deleted.

    Raises:
        WaitTimeout: The deadline passed; carries what was seen last.
        VersionVanished: The version stayed missing for more reads than the service needs to show a new one.
        ServiceError: An answer that more waiting can't change, such as a missing permission.
    """
    start = clock.now()
    last: VersionView | None = None
    final: VersionView | None = None
    interval = min(FIRST_INTERVAL_S, patience.interval_s)
    polls = missing = 0
    while True:
        trouble: ServiceError | None = None
        seen: VersionView | None = None
        try:
            seen = read()
        except (AnswerLost, Unreachable) as error:
            trouble = error
        polls += 1
        waited = clock.now() - start
        if seen is not None:
            last, missing = seen, 0
            on_read(seen, waited)
            if seen.status in FINAL and final is not None and final.status == seen.status:
                return seen
            final = seen if seen.status in FINAL else None
        elif trouble is None:
            missing += 1
            final = None
            on_read(None, waited)
            if missing > MISSING_READS_TOLERATED:
                raise VersionVanished(subject, last=last)
        remaining = patience.timeout_s - waited
        if remaining <= 0:
            raise WaitTimeout(subject, last=last, polls=polls, waited_s=waited, trouble=trouble)
        pause = min(CONFIRM_AFTER_S, patience.interval_s) if final is not None else interval
        clock.sleep(min(pause, remaining))
        if final is None:
            interval = min(interval * INTERVAL_GROWTH, patience.interval_s)
