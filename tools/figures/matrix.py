"""Cases 84 to 89 and 91: what users do to names, targets, options and processes, with every verb, on the engine."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.engine.matrix.play import Story, played
from tests.engine.matrix.program import KINDS
from tests.engine.matrix.table import pairs
from tools.engine.machine import Machine
from tools.engine.recipes import ENGINE
from tools.engine.ways import ensure
from tools.figures.figure import Figure

PROCESSES = 3  # one more than most machines have cores: a part of the time is waiting
_NONE = {
    "loss": "cells in which something declared or serving was lost",
    "left-over": "cells in which something that is not declared was left",
    "state lie": "cells in which state says what is not so",
    "replacement": "cells in which a preview announces a replacement, or a revert posts, after a change of names alone",
    "unspecified refusal": "cells that refuse where it is not specified, or not in a sentence",
}


def measure() -> Iterator[Figure]:
    """Play every move with every verb, some stacks at once; prints the cells that are not as specified."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        stories = [story for share in pool.map(_played, range(PROCESSES)) for story in share]
    for story in stories:
        if story.bad:
            print(story.report(), 'python -m tests.engine.matrix --explain --move "…" shows how', sep="\n")
    yield Figure("91", "cells: moves × verbs × kinds", len(stories) * len(KINDS), ">=", len(pairs()) * len(KINDS))  # noqa: RUF001
    for what, name in _NONE.items():
        yield Figure("91", name, cells(stories, what), "=", 0)
    yield Figure("91", "cells that refuse as specified, and lose nothing", cells(stories, "refusal"), ">=", 1)


def cells(stories: list[Story], what: str) -> int:
    """In how many cells that was found."""
    return sum(len({one.kind for one in story.findings if one.what == what}) for story in stories)


def _played(share: int) -> list[Story]:
    engine = ensure(ENGINE, Machine.here(say=lambda _line: None))
    with tempfile.TemporaryDirectory(prefix="foundry-agents-matrix-") as folder:
        stories = []
        for story in played(Path(folder) / "stand", engine, pairs()[share::PROCESSES], again=False):
            print(f"matrix  {story.move} / {story.verb}{': not as specified' if story.bad else ''}", flush=True)
            stories.append(story)
        return stories
