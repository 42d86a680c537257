"""What every test finds the same, whichever test ran before it in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def _loops() -> Iterator[list[asyncio.AbstractEventLoop]]:
    made: list[asyncio.AbstractEventLoop] = []
    yield made
    for loop in made:
        loop.close()


@pytest.fixture(autouse=True)
def _a_current_event_loop(_loops: list[asyncio.AbstractEventLoop]) -> None:
    """Pulumi's outputs want a current event loop, and a test that calls `asyncio.run` takes it away for good."""
    if not _loops or _loops[-1].is_closed():
        _loops.append(asyncio.new_event_loop())
    asyncio.set_event_loop(_loops[-1])
