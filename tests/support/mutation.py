"""Case 79: how many small mistakes in the core its tests see; `python -m tests.support.mutation --all` makes them all.

Survivors are in tests/core/survivors.toml, each with a reason; one that is not there makes the figure fall short.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from operator import itemgetter

from tests.support.checkout import TESTS
from tests.support.line_tests import Tests, measured
from tests.support.mutants import LONGEST_CPU_S, SOURCES, Mutant, is_seen, mutants_of, source_of

SURVIVORS = TESTS / "core" / "survivors.toml"
SAMPLE, SEED = 100, 79
TARGET = 95
PROCESSES = 2

FEW_TESTS_CPU_S = 30
"""For the tests that run one line."""


def modules() -> list[str]:
    """Return every module of the core that has code, such as "polling" or "inputs.version"."""
    paths = [path.relative_to(SOURCES).with_suffix("") for path in sorted(SOURCES.rglob("*.py"))]
    return [".".join(path.parts) for path in paths if path.name != "__init__"]


def sample_of(mutants: Sequence[Mutant], size: int) -> list[Mutant]:
    """Return mutants chosen by a hash of what they change, so that a change of the code chooses few others."""
    met: Counter[str] = Counter()
    ranked = []
    for mutant in mutants:
        line = source_of(mutant.module).splitlines()[mutant.line - 1].strip()
        name = f"{SEED}|{mutant.module}|{mutant.operator}|{line}"
        met[name] += 1
        ranked.append((hashlib.sha256(f"{name}|{met[name]}".encode()).hexdigest(), mutant))
    return [mutant for _rank, mutant in sorted(ranked, key=itemgetter(0))[:size]]


def survivors_among(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """Yield those that no test notices. Each meets the tests that run its line, or all if it runs at import."""
    lines, chosen = measured(), list(mutants)
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("forkserver")) as pool:
        seen = pool.map(
            _seen, chosen, [lines.of(mutant.module, mutant.line) for mutant in chosen], repeat(lines.everything)
        )
        for mutant, one in zip(chosen, seen, strict=True):
            if not one:
                yield mutant


def _seen(mutant: Mutant, chosen: tuple[Tests, bool], everything: Tests) -> bool:
    near, complete = chosen
    if near and is_seen(mutant, sorted(near), FEW_TESTS_CPU_S if complete else LONGEST_CPU_S):
        return True
    return not complete and is_seen(mutant, sorted({test.partition("::")[0] for test in everything}))


def without_reason(survived: Sequence[Mutant]) -> list[Mutant]:
    """Return the survivors that the list does not know."""
    listed = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"]
    known = {(row["module"], row["line"], row["mutated"]) for row in listed}
    return [mutant for mutant in survived if (mutant.module, *mutant.change) not in known]


def main() -> None:
    """Test all mutants of the named modules, or a sample; exit with 1 when one survives without a reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=modules(), help="of the core; all by default")
    parser.add_argument("--all", action="store_true", help="every mutant instead of a sample; takes many minutes")
    given = parser.parse_args()
    if unknown := sorted(set(given.modules) - set(modules())):
        parser.error(f"{', '.join(unknown)}: no module of the core; they are {', '.join(modules())}")
    mutants = [mutant for module in given.modules for mutant in mutants_of(module)]
    if not given.all:
        mutants = sample_of(mutants, SAMPLE)
    if not mutants:
        parser.error("there is no code to change")
    survived, unexplained = [], []
    for mutant in survivors_among(mutants):
        survived.append(mutant)
        if without_reason([mutant]):
            unexplained.append(mutant)
            print(mutant.text, flush=True)
    made, left = Counter(m.module for m in mutants), Counter(m.module for m in survived)
    for module, count in made.items():
        print(f"{module}: {count - left[module]} of {count} seen, {100 * (1 - left[module] / count):.1f} %")
    total = 100 * (1 - len(survived) / len(mutants))
    print(f"\n{total:.1f} % of {len(mutants)} seen; {len(unexplained)} survivors without a reason")
    sys.exit(1 if unexplained or total < TARGET else 0)


if __name__ == "__main__":
    main()
