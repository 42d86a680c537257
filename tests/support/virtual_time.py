"""One clock for the service and for us, which moves only when we sleep: an hour takes no time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

TURNS = 12
"""What wakes up gets this many turns of the loop before time moves on: enough to pull, start and store."""


class VirtualTime:
    """The emulator's clock (``async sleep``). It stands still until it is advanced."""

    def __init__(self) -> None:
        # Certificates and the SDK's own idea of a token's age go by the machine's clock, so we begin there.
        self._now = time.time()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """Return seconds since the Unix epoch, plus what the clock was advanced by."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been advanced that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass; sleepers wake up in order, each at its own time."""
        target = self._now + seconds
        await _let_others_run()
        while self._sleepers and self._sleepers[0][0] <= target:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await _let_others_run()
        self._now = target


async def _let_others_run() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


class OurClock:
    """The same time as the library's clock (a blocking ``sleep``), used from another thread than the service's.

    Attributes:
        slept: Every pause so far, in seconds.
        on_sleep: Called before each pause; may raise.
    """

    def __init__(self, time_: VirtualTime, loop: asyncio.AbstractEventLoop) -> None:
        self._time = time_
        self._loop = loop
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> float:
        """Return seconds on the common clock."""
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        """Advance the common clock."""
        self.on_sleep()
        self.slept.append(seconds)
        asyncio.run_coroutine_threadsafe(self._time.advance(seconds), self._loop).result()
