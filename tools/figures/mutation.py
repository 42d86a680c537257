"""Case 79: how many small mistakes in the core its tests see; `python -m tools.figures.mutation --all` makes them all.

Survivors are in tests/core/survivors.toml, each with a reason; one that is not there makes the figure fall short.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor

from tools.figures.figure import Figure
from tools.figures.mutants import Mutant, is_seen, mutants_of
from tools.local.surroundings import CHECKOUT

TESTS: Mapping[str, Sequence[str]] = {
    "fingerprint": ("test_fingerprint", "test_versions"),
    "inputs.version": ("test_definition", "test_fingerprint", "test_fields"),
    "polling": ("test_polling", "test_waiting", "test_versions"),
    "versions": ("test_versions", "test_versions_closely", "test_pull_causes"),
    "pull_causes": ("test_pull_causes", "test_errors"),
    "ownership": ("test_ownership", "test_retention", "test_versions", "test_toolboxes", "test_vector_stores"),
    "retention": ("test_retention", "test_ownership", "test_rollout"),
}
"""The modules, and the tests that are nearest to each; who survives those meets all tests of the core."""

SURVIVORS = CHECKOUT / "tests" / "core" / "survivors.toml"
SAMPLE, SEED = 60, 79
TARGET = 90
PROCESSES = 2


def measure() -> Iterator[Figure]:
    """A seeded sample of all mutants."""
    everything = [mutant for module in TESTS for mutant in mutants_of(module)]
    chosen = random.Random(SEED).sample(everything, SAMPLE)  # noqa: S311 (a sample, no secret)
    survived = survivors_among(chosen)
    seen = 100 * (1 - len(survived) / len(chosen))
    yield Figure("79", f"mutants that the core's tests see, of {SAMPLE} of {len(everything)}", seen, ">=", TARGET, " %")
    yield Figure("79", "survivors without a reason", len(without_reason(survived)), "=", 0)


def survivors_among(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Those that no test sees."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("forkserver")) as pool:
        seen = pool.map(_seen, mutants)
        return [mutant for mutant, one in zip(mutants, seen, strict=True) if not one]


def _seen(mutant: Mutant) -> bool:
    near = {f"tests/core/{name}.py" for name in TESTS[mutant.module]}
    others = {str(path.relative_to(CHECKOUT)) for path in SURVIVORS.parent.glob("test_*.py")} - near
    return is_seen(mutant, sorted(near)) or is_seen(mutant, sorted(others))


def without_reason(survived: Sequence[Mutant]) -> list[Mutant]:
    """The survivors that the list does not know."""
    listed = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"]
    known = {(row["module"], row["line"], row["mutated"]) for row in listed}
    return [mutant for mutant in survived if (mutant.module, *mutant.change) not in known]


def main() -> None:
    """Makes all mutants of the modules that are named, or a sample of all; exits 1 when one survives for no reason."""
    parser = argparse.ArgumentParser(prog="python -m tools.figures.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(TESTS), help="of the core; all by default")
    parser.add_argument("--all", action="store_true", help="every mutant instead of a sample; takes many minutes")
    given = parser.parse_args()
    mutants = [mutant for module in given.modules for mutant in mutants_of(module)]
    if not given.all:
        mutants = random.Random(SEED).sample(mutants, min(SAMPLE, len(mutants)))  # noqa: S311 (a sample, no secret)
    survived = survivors_among(mutants)
    made, left = Counter(m.module for m in mutants), Counter(m.module for m in survived)
    for module, count in made.items():
        print(f"{module}: {count - left[module]} of {count} seen, {100 * (1 - left[module] / count):.1f} %")
    unexplained = without_reason(survived)
    for mutant in unexplained:
        before, after = mutant.change
        print(f"\n{mutant.module}, {mutant.operator}\n  - {before}\n  + {after}")
    total = 100 * (1 - len(survived) / len(mutants))
    print(f"\n{total:.1f} % of {len(mutants)} seen; {len(unexplained)} survivors without a reason")
    sys.exit(1 if unexplained or total < TARGET else 0)


if __name__ == "__main__":
    main()
