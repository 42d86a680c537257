"""A local Azure in a process of its own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from foundry_emulator.data_folder import DataFolder, Running


@contextlib.contextmanager
def served(data_dir: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Running]]:
    """Start it, wait until it takes requests, and kill it at the end if it still runs."""
    words = [sys.executable, "-m", "foundry_emulator", "serve", "--data-dir", str(data_dir), *options]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            running = None
            while running is None:
                assert process.poll() is None, "it ended before it took requests"
                running = DataFolder(data_dir).running()
            yield process, running
        finally:
            process.kill()
