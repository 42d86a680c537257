"""Time, passed in: nothing in the local Azure asks the machine for it but here."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from, and how to let it pass."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when ``seconds`` have passed on this clock."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Sleeps on the running event loop."""
        await asyncio.sleep(seconds)
