"""Measures every figure, prints it beside its target, and exits 1 when one falls short; `--bench` takes the ratios."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from tools.figures import (
    images,
    interrupted,
    local_azure,
    local_azure_bench,
    long_stories,
    main_job,
    many_agents,
    matrix,
    mutation,
    named_cases,
    preview_cost,
    pythons,
    reliability,
    rollout,
    stacks,
)
from tools.figures.figure import Figure

HEADINGS = ("number", "name", "figure", "target", "")


def main() -> None:
    """Runs every measurement."""
    parser = argparse.ArgumentParser(prog="tools/figures", description=__doc__)
    parser.add_argument("--bench", action="store_true", help="ours beside the plain thing, as ratios of one run")
    benchmarks: bool = parser.parse_args().bench
    console = Console(width=120 if not sys.stdout.isatty() else None)
    figures: list[Figure] = []
    for figure in benchmarked() if benchmarks else measured():
        console.print("  ".join(figure.cells()), highlight=False, markup=False)
        figures.append(figure)
    table = Table(*HEADINGS, box=None, pad_edge=False, title=None)
    for figure in figures:
        table.add_row(*figure.cells(), style=None if figure.reached else "bold red")
    console.print()
    console.print(table)
    short = [figure for figure in figures if not figure.reached]
    console.print(f"\n{len(figures) - len(short)} of {len(figures)} figures reach their target")
    for figure in short:  # said again: a log that keeps only the last lines keeps the reason
        console.print("  ".join(figure.cells()), highlight=False, markup=False)
    sys.exit(1 if short else 0)


def measured() -> Iterator[Figure]:
    """All figures, in order; cases that have none of their own come last."""
    numbers = set[str]()
    for figure in _of_their_own():
        numbers.add(figure.number)
        yield figure
    yield from named_cases.measure(without=numbers)


def _of_their_own() -> Iterator[Figure]:
    yield from main_job.measure()
    yield from many_agents.measure()
    yield from reliability.measure()
    yield from rollout.measure()
    yield from stacks.measure()
    yield from images.measure()
    yield from local_azure.measure()
    yield from interrupted.measure()
    yield from matrix.measure()
    yield from long_stories.measure()
    yield from pythons.measure()
    yield from mutation.measure()


def benchmarked() -> Iterator[Figure]:
    """All ratios, in order."""
    yield from preview_cost.measure()
    yield from local_azure_bench.measure()


if __name__ == "__main__":
    main()
