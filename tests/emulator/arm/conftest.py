from __future__ import annotations

import pytest

from tests.emulator.arm.azure import Azure


@pytest.fixture
def azure() -> Azure:
    return Azure()
