"""Killed at six points: nothing twice, nothing left over."""

from __future__ import annotations

import pytest

from tests.support.kill_matrix import Cut, survive
from tests.support.virtual_bench import Bench

SEEDS = 3


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("cut", Cut)
def test_a_killed_run_and_a_clean_one_leave_one_version_from_one_post_and_traffic_as_declared(
    bench: Bench, cut: Cut, seed: int
) -> None:
    """Case 1: 0 duplicates, 0 orphans; `make figures` runs 300. pulumi#15958, pulumi#11599"""
    survived = survive(bench, cut, seed)
    assert survived.clean, survived
