"""How many small mistakes in the core its tests see."""

from __future__ import annotations

import pytest

from tests.support.figures import Record
from tests.support.mutants import mutants_of
from tests.support.mutation import SAMPLE, TARGET, modules, sample_of, survivors_among, without_reason

pytestmark = pytest.mark.acceptance


def test_the_tests_of_the_core_see_mistakes_in_it(figure: Record) -> None:
    """Case 79: a seeded sample; a survivor without a reason fails."""
    everything = [mutant for module in modules() for mutant in mutants_of(module)]
    chosen = sample_of(everything, SAMPLE)
    survived = list(survivors_among(chosen))
    seen = 100 * (1 - len(survived) / len(chosen))
    figure("79", f"mutants that the core's tests see, of {SAMPLE} of {len(everything)}", seen, ">=", TARGET, unit=" %")
    unexplained = without_reason(survived)
    for mutant in unexplained:
        print(mutant.text)
    figure("79", "survivors without a reason", len(unexplained), "=", 0)
