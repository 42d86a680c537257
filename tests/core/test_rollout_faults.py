"""Rollouts with a fault in each, kills included, and two deployers at once: seeded, every instant looked at."""

from __future__ import annotations

import pytest

from foundry_agents.lifecycle.views import Route
from tests.support.deployers import INTERLEAVINGS, flips, interleave
from tests.support.rollouts import Killed, Watched, faults, moves, plan, run, service_with

SEEDS = 50


def _calls_of_a_clean_rollout() -> int:
    service = service_with(Route("1", 100), kind=Watched)
    assert run(service, plan()).done
    assert isinstance(service, Watched)
    return service._count


CALLS = _calls_of_a_clean_rollout()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_at_every_instant_an_active_version_is_routed_and_the_next_up_ends_as_asked(seed: int) -> None:
    """Case 43, with cases 1, 30 and 38: 0 instants without an active routed version through 50 rollouts."""
    at, fault = faults(seed, CALLS)
    service = service_with(Route("1", 100), kind=Watched, fault_at=at, fault=fault)
    assert isinstance(service, Watched)
    ran = None
    try:
        ran = run(service, plan())
    except Killed:
        assert fault.startswith("kill")
    if ran is not None and ran.error is not None:
        assert service.routes["support"] == (Route("1", 100),), "what was found is in force again"

    service.revive()
    assert run(service, plan()).done

    assert service.routes["support"] == (Route("2", 100),)
    assert service.unserved == []
    assert service.strays == []


def test_every_kind_of_fault_has_had_its_effect() -> None:
    """Case 80, in memory: a seed whose fault does nothing would prove nothing."""
    seen: dict[str, set[str]] = {}
    for seed in range(SEEDS):
        at, fault = faults(seed, CALLS)
        service = service_with(Route("1", 100), kind=Watched, fault_at=at, fault=fault)
        try:
            ran = run(service, plan())
            seen.setdefault(fault, set()).add("failed" if ran.error else "survived")
        except Killed:
            seen.setdefault(fault, set()).add("killed")
    assert seen["kill before"] == seen["kill after"] == {"killed"}
    assert "failed" in seen["refused"]
    assert "failed" in seen["wrong answer"]
    assert seen["stale"] == {"survived"}
    assert "survived" in seen["committed"]


# --- Two deployers ---------------------------------------------------------------------------------------------------


def test_two_deployers_never_flip_traffic_and_the_loser_says_what_it_saw() -> None:
    """Case 10: 100 seeded interleavings, 0 flips back and forth."""
    both_won = lost = 0
    for seed in range(INTERLEAVINGS):
        service, ended = interleave(seed)
        assert flips(service.history) == 0, f"seed {seed}: {moves(service)}"
        errors = [error for error in ended.values() if error is not None]
        lost += len(errors)
        both_won += not errors
        assert len(errors) <= 1, f"seed {seed}: both gave up: {errors}"
        for error in errors:
            assert "was changed by another writer" in str(error)
            assert "nothing more was changed" in str(error)
        (last,) = service.routes["support"]
        assert last.percent == 100
    print(f"{INTERLEAVINGS} interleavings: {lost} losers, {both_won} one after the other")
    assert lost


def test_two_deployers_of_the_same_version_end_with_it() -> None:
    """Case 10: the loser adopts or errors. Its share may step back once: looking before a write is not a lock."""
    for seed in range(20):
        service, ended = interleave(seed, ("2", "2"))
        assert service.routes["support"] == (Route("2", 100),)
        assert None in ended.values()
