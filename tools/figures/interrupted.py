"""Case 71: Ctrl-C at 20 random points of a real `pulumi up`, pressed twice at every other one."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.engine.interrupted import Recovered, duration_of_a_change, interrupted, interruptible
from tools.engine.machine import Machine
from tools.engine.recipes import ENGINE
from tools.engine.ways import ensure
from tools.figures.figure import Figure

POINTS = 20
PROCESSES = 2


def measure() -> Iterator[Figure]:
    """On two stacks at once: most of the time is waiting."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        shares = [range(first, POINTS, PROCESSES) for first in (0, 1)]
        ends = [end for share in pool.map(_recovered, shares) for end in share]
    for end in ends:
        if end.duplicates or not end.as_asked:
            print(end)
    cut = sum(end.interrupted for end in ends)
    yield Figure("71", f"of {POINTS} runs with Ctrl-C, those that did not end before it", cut, ">=", POINTS // 4)
    yield Figure("71", "of all, those that the next `up` finishes", sum(e.as_asked for e in ends), "=", POINTS)
    yield Figure("71", "duplicates after them", sum(end.duplicates for end in ends), "=", 0)


def _recovered(seeds: Sequence[int]) -> list[Recovered]:
    engine = ensure(ENGINE, Machine.here(say=lambda _line: None))
    with tempfile.TemporaryDirectory() as folder, interruptible(Path(folder), engine) as here:
        return list(interrupted(here, seeds, span_s=duration_of_a_change(here)))
