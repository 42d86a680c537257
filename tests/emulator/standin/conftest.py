import pytest

from tests.emulator.standin.engine import Engine


@pytest.fixture
def engine() -> Engine:
    return Engine()
