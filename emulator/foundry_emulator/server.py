"""Runs a local Azure in its own process, until SIGTERM or SIGINT."""

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
    """Serve until SIGTERM or SIGINT; blocks.

    Args:
        data_dir: The folder of all state.
        ports: The listeners' ports.
        runtime: What runs agents.
        settings: The settings at the start.
        seed: Random seed for the traffic split.
        ready: Called when requests are taken.

    Raises:
        AlreadyRunning: Another process serves from this folder.
        PortTaken: A port is in use.
    """

    def make() -> Emulator:
        return Emulator(folder, ports=ports, runtime=runtime, settings=settings, clock=RealClock(), seed=seed)

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    # They log every readiness probe, every listener three times, and every message to a toolbox.
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
