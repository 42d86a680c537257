"""One plugin process for all tests that only check and compare."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wire.plugin import Plugin, running


@pytest.fixture(scope="session")
def plugin() -> Iterator[Plugin]:
    """A plugin process without credentials; tests that share it leave nothing behind in it."""
    with running() as started:
        yield started
