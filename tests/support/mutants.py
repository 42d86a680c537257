"""Mutants of one module: every small mistake that cosmic-ray can make in it, and whether the tests see it.

A mutant never touches the disk. A worker forks for each; the child imports the module from the mutated source and runs
the tests until one fails.
"""

from __future__ import annotations

import ast
import functools
import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType

import hypothesis  # noqa: F401 (loaded once, before the forks)
import pytest
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from tests.support.checkout import CHECKOUT

PACKAGE = "foundry_agents.lifecycle"
SOURCES = CHECKOUT / "components" / "foundry_agents" / "lifecycle"
UNCHANGED_BY_IT = "tests/core/test_fingerprint.py::test_the_fingerprint_is_the_same_under_20_hash_seeds"
"""Runs other processes, which have the module as it is on disk."""

LONGEST_CPU_S = 90
"""All tests of the core take a quarter of it; a mutant that takes longer is in an endless loop. Counted on the
processor, so that a busy machine makes no difference."""

LONGEST_S = 300.0
"""For one that stands still."""

_Position = tuple[int, int]
_QUIET = ("-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--deselect", UNCHANGED_BY_IT)


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        module: The module's name in the core, "polling" or "inputs.version".
        operator: What cosmic-ray calls it.
        occurrence: Which of the places where it can be made.
        line: Where that is, counted from 1.
    """

    module: str
    operator: str
    occurrence: int
    line: int = field(default=0, compare=False)

    @property
    def source(self) -> str:
        """The whole module with the mistake."""
        made = mutate_code(source_of(self.module), plugins.get_operator(self.operator)(), self.occurrence)
        if made is None:
            raise LookupError(f"{self.operator} has no occurrence {self.occurrence} in {self.module}")
        return str(made)

    @property
    def text(self) -> str:
        """Where it is and what it changes, for the screen."""
        before, after = self.change
        return f"{self.module}, {self.operator}\n  - {before}\n  + {after}"

    @property
    def change(self) -> tuple[str, str]:
        """The line as it is, and with the mistake."""
        lines = zip(source_of(self.module).splitlines(), self.source.splitlines(), strict=False)
        return next(((before.strip(), after.strip()) for before, after in lines if before != after), ("", ""))


def mutants_of(module: str) -> Iterator[Mutant]:
    """All mutants, but those in annotations, which are never evaluated, and of the bare star in a signature."""
    source = source_of(module)
    idle, lines = _annotations(source), source.splitlines()
    for operator, occurrence, begins, ends in _places(source):
        evaluated = not any(first <= begins and ends <= last for first, last in idle)
        if evaluated and lines[begins[0] - 1][begins[1] :][:2] != "*,":
            yield Mutant(module, operator, occurrence, begins[0])


def _places(source: str) -> Iterator[tuple[str, int, _Position, _Position]]:
    """Yield every operator and occurrence, and from where to where it changes the source."""
    nodes = list(ast_nodes(get_ast(source)))
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if operator.arguments():
            continue
        places = (place for node in nodes for place in operator().mutation_positions(node))
        for occurrence, (begins, ends) in enumerate(places):
            yield name, occurrence, begins, ends


def is_seen(mutant: Mutant, tests: Sequence[str], longest_cpu_s: int = LONGEST_CPU_S) -> bool:
    """Return whether one of the tests fails on it, or they don't end in time."""
    child = os.fork()
    if child == 0:
        _live_as(mutant, tests, longest_cpu_s)
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status != 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _live_as(mutant: Mutant, tests: Sequence[str], longest_cpu_s: int) -> None:
    """Runs the tests on the mutant and ends the process."""
    code = 1
    resource.setrlimit(resource.RLIMIT_CPU, (longest_cpu_s, longest_cpu_s))
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.chdir(CHECKOUT)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        sys.meta_path.insert(0, _Finder(f"{PACKAGE}.{mutant.module}", mutant.source))
        with tempfile.TemporaryDirectory() as scratch:
            # Do not keep the examples that fail on a mutant.
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch
            code = int(pytest.main([*_QUIET, f"--basetemp={scratch}/base", *tests]))
    finally:
        os._exit(code)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module in a text."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._text = source

    def find_spec(self, fullname: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        del fullname
        return self._text


@functools.cache
def source_of(module: str) -> str:
    """Return the text of a module of the core, such as "polling" or "inputs.version"."""
    return (SOURCES / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def _annotations(source: str) -> list[tuple[_Position, _Position]]:
    """From where to where annotations are, as line and column."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append(node.returns)
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            found.append(node.annotation)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)) for node in found if node
    ]
