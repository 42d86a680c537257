"""One local Azure in virtual time for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.virtual_bench import Bench, virtual_bench


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The service; its time moves only when we sleep."""
    with virtual_bench(tmp_path_factory.mktemp("azure")) as bench:
        yield bench


@pytest.fixture
def bench(service: Bench) -> Iterator[Bench]:
    """The same; what a test changes about it is taken back."""
    yield service
    service.reset()
