"""Runs a local Azure as a process of its own, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path

import uvloop

from foundry_emulator.clock import RealClock
from foundry_emulator.data_folder import DataFolder, Running
from foundry_emulator.emulator import Emulator, Ports, RuntimeKind
from foundry_emulator.settings import Settings


def serve(
    data_dir: Path,
    *,
    ports: Ports,
    runtime: RuntimeKind,
    settings: Settings,
    seed: int | None,
    ready: Callable[[Running], None],
) -> None:
    """Serves until SIGTERM or SIGINT; blocks.

    Args:
        data_dir: where everything is kept.
        ports: of the listeners.
        runtime: what runs agents.
        settings: at the start.
        seed: of the traffic's randomness.
        ready: called when requests are taken.

    Raises:
        AlreadyRunning: another process serves from this folder.
        PortTaken: a port is in use.
    """

    def make() -> Emulator:
        return Emulator(folder, ports=ports, runtime=runtime, settings=settings, clock=RealClock(), seed=seed)

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    # Every probe of an agent's readiness; every listener three times; every message to a toolbox.
    for chatty in ("httpx", "httpx2", "mcp", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    folder = DataFolder(data_dir)
    folder.lock()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(folder, make, ready))
    finally:
        folder.unlock()


async def _serve(folder: DataFolder, make: Callable[[], Emulator], ready: Callable[[Running], None]) -> None:
    emulator = make()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await emulator.start()
    folder.describe(emulator.running())
    ready(emulator.running())
    await ended.wait()
    await emulator.stop()
