"""What every test finds the same, whichever test ran before it in the same process."""

from __future__ import annotations

import asyncio
import platform
import subprocess
from collections.abc import Iterator
from importlib import metadata

import pytest

from tests.support.engine import where

pytest_plugins = ["tests.support.figures"]


def pytest_report_header() -> str:
    """Print the versions that matter."""
    packages = (f"{name} {metadata.version(name)}" for name in ("pulumi", "azure-ai-projects"))
    return f"versions: Python {platform.python_version()}, Pulumi engine {_engine_version()}, {', '.join(packages)}"


def _engine_version() -> str:
    folders = where()
    if folders is None:
        return "not installed"
    done = subprocess.run([folders[0] / "pulumi", "version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


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
