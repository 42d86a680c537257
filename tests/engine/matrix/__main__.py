"""Plays cells of the matrix and explains what fails: `python -m tests.engine.matrix --move "second endpoint name"`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.engine.matrix.moves import VERBS
from tests.engine.matrix.play import play
from tests.engine.matrix.stand import Stand
from tests.engine.matrix.table import pairs
from tests.support.engine import engine_folder


def main() -> None:
    """Play what is asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="tests/engine/matrix", description=__doc__)
    parser.add_argument("--move", action="append", help="a move by its name; default all")
    parser.add_argument("--verb", choices=VERBS, help="one verb alone")
    parser.add_argument("--list", action="store_true", help="print the moves with their verbs")
    parser.add_argument("--explain", action="store_true", help="print commands, outputs and deletes of what fails")
    parser.add_argument(
        "--once",
        action="store_true",
        help="as `make figures`: no second `up`, no destroy after a refresh",
    )
    asked = parser.parse_args()
    wanted = [
        (move, verb)
        for move, verb in pairs()
        if (not asked.move or move.name in asked.move) and asked.verb in {None, verb}
    ]
    if asked.list:
        print(*(f"{move.name} / {verb}" for move, verb in wanted), sep="\n")
        return
    bad = 0
    with tempfile.TemporaryDirectory(prefix="foundry-agents-matrix-") as folder:
        stand = Stand(Path(folder) / "stand", engine_folder())
        for move, verb in wanted:
            began = time.monotonic()
            scenario = play(stand, move, verb, again=not asked.once)
            print(f"{scenario.report()}\n  {time.monotonic() - began:.0f} s", flush=True)
            if scenario.bad and asked.explain:
                print(scenario.explained, flush=True)
            bad += len(scenario.bad)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
