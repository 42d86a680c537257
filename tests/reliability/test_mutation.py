"""Mutation testing itself: it sees what it should, and its list of survivors is about today's code."""

from __future__ import annotations

import multiprocessing
import tomllib
from concurrent.futures import ProcessPoolExecutor

from tests.support.mutants import Mutant, is_seen, mutants_of, source_of
from tests.support.mutation import SURVIVORS, without_reason


def test_a_mistake_is_seen_and_an_unchanged_module_passes() -> None:
    """Case 79: `make figures` takes a sample of the core; `python -m tests.support.mutation --all` all of it."""
    mistake = next(mutant for mutant in mutants_of("fingerprint") if "sort_keys=False" in mutant.change[1])
    none = Mutant("fingerprint", "core/NoOp", 0)
    near = ["tests/core/test_fingerprint.py"]
    # In a process that has not loaded the module yet.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        assert list(pool.map(is_seen, [mistake, none], [near, near])) == [True, False]
    assert without_reason([none]) == [none]


def test_every_survivor_on_the_list_is_about_a_line_of_todays_code_and_has_a_reason() -> None:
    """Case 79."""
    listed = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"]
    lines = {
        (module, line.strip())
        for module in {row["module"] for row in listed}
        for line in source_of(module).splitlines()
    }
    assert [row for row in listed if (row["module"], row["line"]) not in lines] == []
    assert [row for row in listed if not row["reason"] or row["mutated"] == row["line"]] == []
