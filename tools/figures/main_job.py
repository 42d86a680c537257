"""The main job as a new user meets it: a fresh clone, `make up`, again, a change, its revert, a kill, `make down`."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tools.figures.clone import Clone, fresh_clone, pulumi_seconds
from tools.figures.figure import Figure

MEGABYTE = 1_000_000


def measure() -> Iterator[Figure]:
    """Walks through the story once."""
    with fresh_clone() as clone:
        yield from _story(clone)


def _story(clone: Clone) -> Iterator[Figure]:
    with _plugin_memory() as peak:
        began = time.monotonic()
        said = clone.make("up")
        took = time.monotonic() - began
    yield Figure("up", "`make up` from a fresh clone, engine cached", took, "<=", 90, " s")
    yield Figure("up", "`pulumi up` in it", pulumi_seconds(said), "<=", 30, " s")
    yield Figure("up", "answers from the agent", said.count('you asked "Which version answers?"'), "=", 1)
    yield Figure(
        "up", "peak memory of the plugin process", max(peak, default=float("inf")) / MEGABYTE, "<=", 150, " MB"
    )

    before = len(clone.writes())
    again = clone.make("up")
    yield Figure("12", "writes of a second `make up`", len(clone.writes()) - before, "=", 0)
    yield Figure("12", "unchanged resources of 11 in it", _count(again, "unchanged"), "=", 11)

    clone.greet("Howdy")
    preview = clone.make("preview")
    yield Figure("17", "fields that the preview of one changed variable names", _fields(preview), "=", 1)
    changed = clone.make("up")
    yield Figure("36", "answers from version 2 after the change", changed.count("Howdy support 2:"), "=", 1)
    posts = clone.posts()
    clone.greet("Hello")
    reverted = clone.make("up")
    yield Figure("9", "POSTs of the revert", clone.posts() - posts, "=", 0)
    yield Figure("9", "answers from version 1 after the revert", reverted.count("Hello support 1:"), "=", 1)

    yield from _killed(clone)

    clone.make("down")
    yield from _left_over(clone)


def _killed(clone: Clone) -> Iterator[Figure]:
    clone.control("settings", {"provisioning_s": 6})
    versions = _versions(clone)
    posts = clone.posts()
    clone.greet("Ahoy")
    run = clone.start("up")
    while clone.posts() == posts:
        time.sleep(0.05)
    for process in [run, *run.children(recursive=True)]:
        process.kill()
    run.wait()
    clone.make("up")
    yield Figure("1", "versions made by a killed run and the next one", _versions(clone) - versions, "=", 1)
    yield Figure("1", "POSTs of both", clone.posts() - posts, "=", 1)


def _left_over(clone: Clone) -> Iterator[Figure]:
    subprocess.run(
        [str(clone.folder / ".venv/bin/foundry-emulator"), "start", "--data-dir", ".local/azure"],
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        check=True,
    )
    state = clone.control("state")
    yield Figure("48", "agents left by `make down`", state["agents"], "=", 0)
    yield Figure("48", "ARM resources left by `make down`", state["arm_resources"], "=", 0)


def _versions(clone: Clone) -> int:
    return int(clone.control("state")["versions"])


def _count(output: str, word: str) -> int:
    found = re.search(rf"(\d+) {word}", output)
    return int(found[1]) if found else 0


def _fields(preview: str) -> int:
    """How many fields of the version the preview names."""
    named = {field for row in re.findall(r"support-version .*\[diff: ([^\]]*)\]", preview) for field in row.split(",")}
    return len(named)


@contextmanager
def _plugin_memory() -> Iterator[list[float]]:
    """Peak resident memory of each dynamic plugin process that runs meanwhile, in bytes."""
    peaks: dict[int, float] = {}
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            for process in psutil.process_iter(["cmdline"]):
                words = process.info["cmdline"] or []
                if "pulumi.dynamic" in words and any("python" in word for word in words[:1]):
                    try:
                        peaks[process.pid] = max(peaks.get(process.pid, 0), process.memory_info().rss)
                    except psutil.NoSuchProcess:
                        continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    result: list[float] = []
    try:
        yield result
    finally:
        stop.set()
        watcher.join()
        result.extend(peaks.values())
