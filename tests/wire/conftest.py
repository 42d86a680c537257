"""One plugin process for all tests that only check and compare, and one beside a local Azure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.bench import Agent, Bench, plugin_bench
from tests.support.plugin import Plugin, running


@pytest.fixture(scope="session")
def plugin() -> Iterator[Plugin]:
    """A plugin process without credentials; tests that share it leave nothing behind in it."""
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def on_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A local Azure and a plugin process that is signed in to it."""
    with plugin_bench(tmp_path_factory.mktemp("azure")) as bench:
        yield bench


@pytest.fixture(scope="session")
def later(on_azure: Bench) -> Iterator[Plugin]:
    """The plugin process of a later run: it has made none of the versions that it finds."""
    with running(on_azure.azure.env) as started:
        yield started


@pytest.fixture
def one(on_azure: Bench) -> Iterator[Agent]:
    """An agent of the test's own; what the test changes about the service is taken back."""
    yield on_azure.agent()
    on_azure.reset()
