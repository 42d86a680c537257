"""More than four operations at a time, and four where the pool can't be found."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from foundry_agents.resources._plugin.thread_pool import WORKERS, grow_worker_pool


def test_the_pool_that_runs_the_call_grows():
    """Case 70. Fails on a Python whose pool keeps itself elsewhere: then users are back at four at a time."""
    together = threading.Barrier(12, timeout=10)
    with ThreadPoolExecutor(max_workers=4) as pool:
        assert pool.submit(grow_worker_pool).result() == WORKERS
        assert sorted(pool.map(lambda number: together.wait() * 0 + number, range(12))) == list(range(12))


def test_a_larger_pool_is_not_made_smaller():
    with ThreadPoolExecutor(max_workers=WORKERS + 1) as pool:
        assert pool.submit(grow_worker_pool).result() == WORKERS + 1


def test_outside_of_a_pool_nothing_happens():
    """The fallback: no pool in reach, no change and no exception."""
    assert grow_worker_pool() == 0
    results: list[int] = []
    thread = threading.Thread(target=lambda *_anything: results.append(grow_worker_pool()), args=(None, "x"))
    thread.start()
    thread.join()
    assert results == [0]
