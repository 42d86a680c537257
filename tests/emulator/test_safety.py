"""Odd requests and kills; `make figures` runs larger numbers."""

from __future__ import annotations

from pathlib import Path

from tests.support.safety import fuzz, kill_during_writes


def test_500_odd_requests_cause_no_server_error_and_leave_the_state_intact(data_dir: Path) -> None:
    fuzzed = fuzz(data_dir, seed=1, count=500)
    assert fuzzed.server_errors == []
    assert fuzzed.intact
    assert fuzzed.sent == 500
    assert {200, 400, 403, 404, 501} <= set(fuzzed.statuses), "the requests reach all parts"


def test_3_kills_during_writes_lose_no_acknowledged_write(data_dir: Path) -> None:
    acknowledged, lost = kill_during_writes(data_dir, kills=3, seed=1)
    assert acknowledged >= 3
    assert lost == 0
