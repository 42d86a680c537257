"""Whatever happens to an agent, in any order: it settles."""

from __future__ import annotations

from tests.support.scenario import live_through
from tests.support.virtual_bench import Bench

SCENARIOS, STEPS = 12, 8


def test_two_undisturbed_runs_settle_an_agent_after_any_events(bench: Bench) -> None:
    """Case 78: what state holds is in the service, 0 writes to what is not ours; `make figures` takes 500 steps."""
    assert live_through(bench, scenarios=SCENARIOS, steps=STEPS) >= SCENARIOS
