"""The main job as a new user meets it: a fresh clone, `make up`, again, a change, its revert, a kill, `make down`."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.support.clone import Clone, fresh_clone, pulumi_seconds
from tests.support.figures import Record

pytestmark = pytest.mark.acceptance

MEGABYTE = 1_000_000


def test_a_new_user_deploys_changes_reverts_resumes_and_removes_an_agent(figure: Record) -> None:
    """Cases 1, 9, 12, 17, 36 and 48: `make up` in a fresh clone, again, a change, its revert, a kill, `make down`."""
    with fresh_clone() as clone:
        _deploy(clone, figure)
        _change_and_revert(clone, figure)
        _kill(clone, figure)
        clone.make("down")
        _measure_what_is_left(clone, figure)


def _deploy(clone: Clone, figure: Record) -> None:
    with _plugin_memory() as peak:
        began = time.monotonic()
        output = clone.make("up")
        took = time.monotonic() - began
    figure("up", "`make up` from a fresh clone, engine cached", took, "<=", 90, unit=" s")
    figure("up", "`pulumi up` in it", pulumi_seconds(output), "<=", 30, unit=" s")
    figure("up", "answers from the agent", output.count('you asked "Which version answers?"'), "=", 1)
    figure("up", "peak memory of the plugin process", max(peak, default=float("inf")) / MEGABYTE, "<=", 150, unit=" MB")

    before = len(clone.writes())
    again = clone.make("up")
    figure("12", "writes of a second `make up`", len(clone.writes()) - before, "=", 0)
    figure("12", "unchanged resources of 11 in it", _count(again, "unchanged"), "=", 11)


def _change_and_revert(clone: Clone, figure: Record) -> None:
    clone.greet("Howdy")
    preview = clone.make("preview")
    figure("17", "fields that the preview of one changed variable names", _fields(preview), "=", 1)
    changed = clone.make("up")
    figure("36", "answers from version 2 after the change", changed.count("Howdy support 2:"), "=", 1)
    posts = clone.posts()
    clone.greet("Hello")
    reverted = clone.make("up")
    figure("9", "POSTs of the revert", clone.posts() - posts, "=", 0)
    figure("9", "answers from version 1 after the revert", reverted.count("Hello support 1:"), "=", 1)


def _kill(clone: Clone, figure: Record) -> None:
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
    figure("1", "versions made by a killed run and the next one", _versions(clone) - versions, "=", 1)
    figure("1", "POSTs of both", clone.posts() - posts, "=", 1)


def _measure_what_is_left(clone: Clone, figure: Record) -> None:
    subprocess.run(
        [str(clone.folder / ".venv/bin/foundry-emulator"), "start", "--data-dir", ".local/azure"],
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        check=True,
    )
    state = clone.control("state")
    figure("48", "agents left by `make down`", state["agents"], "=", 0)
    figure("48", "ARM resources left by `make down`", state["arm_resources"], "=", 0)


def _versions(clone: Clone) -> int:
    return int(clone.control("state")["versions"])


def _count(output: str, word: str) -> int:
    found = re.search(rf"(\d+) {word}", output)
    return int(found[1]) if found else 0


def _fields(preview: str) -> int:
    """Count the fields of the version that the preview names."""
    named = {field for row in re.findall(r"support-version .*\[diff: ([^\]]*)\]", preview) for field in row.split(",")}
    return len(named)


@contextmanager
def _plugin_memory() -> Iterator[list[float]]:
    """Collect the peak resident memory, in bytes, of each dynamic plugin process that runs inside the block."""
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
