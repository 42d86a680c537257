"""Names, targets, options and processes change in any order: nothing that is declared is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from foundry_agents.lifecycle import ownership
from foundry_agents.lifecycle.ownership import Identity, Run, Verdict
from foundry_agents.resources._plugin import run_record
from tests.support.moves import MOVES_OF_A_LIFE, moved

LIVES = 15


def test_no_sequence_of_moves_loses_or_leaves_anything() -> None:
    """Cases 84 to 88, and 91; `make figures` makes 10,000 moves."""
    counts = moved(lives=LIVES, moves=MOVES_OF_A_LIFE)
    assert counts.losses == []
    assert counts.moves == LIVES * MOVES_OF_A_LIFE
    assert counts.refused > 0


def _judged_without(**forgotten: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a change after which verdicts ignore some of what a run knows."""

    def forget(patch: pytest.MonkeyPatch) -> None:
        judge = ownership.verdict

        def verdict(run: Run, *, held: Identity, found: Identity) -> Verdict:
            return judge(replace(run, **forgotten), held=held, found=found)

        patch.setattr(ownership, "verdict", verdict)

    return forget


def _without_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_record, "kept", lambda _urn: {})


def _names_forced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_record, "is_forced_to_replace", lambda *_arguments: False)


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(_judged_without(live=frozenset(), undecided=""), id="A1: a second host name"),
        pytest.param(_judged_without(limited=""), id="A2 and A3: targets and exclusions"),
        pytest.param(_without_names, id="A5 and A6: names of components and stacks"),
        pytest.param(_names_forced, id="a forced replacement of what was renamed"),
        pytest.param(_judged_without(unread="", declared=False), id="security 1: facts that can't be read"),
    ],
)
def test_the_moves_find_each_loss_again_when_its_rule_is_removed(
    break_it: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases 84 to 88: what found the losses of pulumi-features A1 to A6 would find them today."""
    break_it(monkeypatch)
    found: list[Any] = []
    for seed in range(0, 10 * LIVES, LIVES):
        found = moved(lives=LIVES, moves=MOVES_OF_A_LIFE, first_seed=seed).losses
        if found:
            return
    assert found
