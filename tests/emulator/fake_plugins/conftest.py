from __future__ import annotations

import pytest

from tests.emulator.fake_plugins.engine import Engine


@pytest.fixture
def engine() -> Engine:
    return Engine()
