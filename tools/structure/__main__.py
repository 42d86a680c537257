"""Prints the structure of the library and the counts that say how much is written twice."""

from __future__ import annotations

import sys

from tools.docs import words
from tools.structure.counts import lines_of_code, long_lines, loops_that_wait, narrowed_values, places_of
from tools.structure.modules import structure_of, summaries_of

LIBRARY = words.CHECKOUT / "components" / "foundry_agents"


def main() -> int:
    """Print everything; nothing is judged here, tests/tools/test_structure.py holds the limits."""
    for package in ("foundry_agents", "foundry_agents.lifecycle", "foundry_agents.resources", "foundry_agents.azure"):
        seen = structure_of(package)
        print(f"{package}: {len(seen.modules)} modules on {len(seen.layers)} layers, {len(seen.cycles)} import cycles")
        for layer in seen.layers:
            print(f"  {' | '.join(layer)}")
    for module, summary in summaries_of("foundry_agents").items():
        print(f"{module:22} {summary}")
    waits = loops_that_wait(LIBRARY)
    print(f"loops that wait: {len(waits)}  {' '.join(waits)}")
    narrowed = narrowed_values(LIBRARY / "resources")
    print(f"values narrowed by hand in resources/: {len(narrowed)}")
    places = places_of("memory_snapshot", LIBRARY)
    print(f"places of the input memory_snapshot: {len(places)}  {' '.join(places)}")
    docs = [path for path in words.tracked() if path.suffix == ".md" and "reference" not in path.parts]
    print(f"lines beyond 120 columns in docs: {len(long_lines(docs))}")
    banned = words.banned(words.GLOSSARY.read_text(encoding="utf-8"))
    texts = [path.read_text(encoding="utf-8") for path in words.tracked() if path.is_file()]
    print(f"banned words: {sum(len(list(words.found(text, banned))) for text in texts)}")
    print(f"lines of the library: {lines_of_code(LIBRARY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
