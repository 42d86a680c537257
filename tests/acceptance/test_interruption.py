"""Ctrl-C at 20 random points of a real `pulumi up`, pressed twice in every other pair of runs."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.support.engine import engine_folder
from tests.support.figures import Record
from tests.support.interruption import Recovered, duration_of_a_change, interrupted, interruptible

pytestmark = pytest.mark.acceptance

POINTS = 20
PROCESSES = 2


def test_the_next_up_finishes_a_run_that_was_interrupted(figure: Record) -> None:
    """Case 71, on two stacks at once: most of the time is waiting."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        shares = [range(first, POINTS, PROCESSES) for first in (0, 1)]
        ends = [end for share in pool.map(_recovered, shares) for end in share]
    for end in ends:
        if end.duplicates or not end.as_asked:
            print(end)
    cut = sum(end.interrupted for end in ends)
    figure("71", f"of {POINTS} runs with Ctrl-C, those that did not end before it", cut, ">=", POINTS // 4)
    figure("71", "of all, those that the next `up` finishes", sum(e.as_asked for e in ends), "=", POINTS)
    figure("71", "duplicates after them", sum(end.duplicates for end in ends), "=", 0)


def _recovered(seeds: Sequence[int]) -> list[Recovered]:
    with tempfile.TemporaryDirectory() as folder, interruptible(Path(folder), engine_folder()) as here:
        return list(interrupted(here, seeds, span_s=duration_of_a_change(here)))
