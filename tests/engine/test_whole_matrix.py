"""The whole matrix: what users do to names, targets, options and processes, with every verb, on the engine."""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.engine.matrix.play import Scenario, played
from tests.engine.matrix.program import KINDS
from tests.engine.matrix.table import pairs
from tests.support.engine import engine_folder
from tests.support.figures import Record

pytestmark = pytest.mark.acceptance

PROCESSES = 3  # one more than most machines have cores: a part of the time is waiting
_NONE = {
    "loss": "cells in which something declared or serving was lost",
    "left-over": "cells in which something that is not declared was left",
    "state lie": "cells in which state differs from what is deployed",
    "replacement": "cells in which a preview announces a replacement, or a revert posts, after a change of names alone",
    "unspecified refusal": "cells that refuse where it is not specified, or not in a sentence",
}


def test_no_move_and_no_verb_destroys_what_is_declared(figure: Record) -> None:
    """Case 91, which covers 84 to 89: every move with every verb, on some stacks at once."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        scenarios = [scenario for share in pool.map(_played, range(PROCESSES)) for scenario in share]
    for scenario in scenarios:
        if scenario.bad:
            print(scenario.report(), 'python -m tests.engine.matrix --explain --move "…" shows how', sep="\n")
    figure("91", "cells: moves x verbs x kinds", len(scenarios) * len(KINDS), ">=", len(pairs()) * len(KINDS))
    for what, name in _NONE.items():
        figure("91", name, cells(scenarios, what), "=", 0)
    figure("91", "cells that refuse as specified, and lose nothing", cells(scenarios, "refusal"), ">=", 1)


def cells(scenarios: list[Scenario], what: str) -> int:
    """Count the cells with such a finding."""
    return sum(len({one.kind for one in scenario.findings if one.what == what}) for scenario in scenarios)


def _played(share: int) -> list[Scenario]:
    with tempfile.TemporaryDirectory(prefix="foundry-agents-matrix-") as folder:
        scenarios = []
        for scenario in played(Path(folder) / "stand", engine_folder(), pairs()[share::PROCESSES], again=False):
            print(
                f"matrix  {scenario.move} / {scenario.verb}{': not as specified' if scenario.bad else ''}", flush=True
            )
            scenarios.append(scenario)
        return scenarios
