"""The packages and modules directly below a package, their layers, and import cycles among them."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grimp


@dataclass(frozen=True)
class Structure:
    """How a package is built.

    Attributes:
        modules: Names of the packages and modules directly below it.
        layers: Modules by layer, highest first; a module imports from lower layers only.
        cycles: Modules that import each other, a chain for each cycle.
    """

    modules: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    cycles: tuple[tuple[str, ...], ...]


def structure_of(package: str) -> Structure:
    """Read the import graph of a package and arrange its direct children in layers."""
    graph = grimp.build_graph(package.partition(".")[0])
    modules = sorted(graph.find_children(package))
    below = {
        module: [
            other
            for other in modules
            if other != module and graph.direct_import_exists(importer=module, imported=other, as_packages=True)
        ]
        for module in modules
    }
    levels: dict[str, int] = {}
    cycles: list[tuple[str, ...]] = []
    for module in modules:
        _settle(module, below, levels, cycles, ())
    layers = [
        tuple(_short(module) for module in modules if levels[module] == level) for level in sorted({*levels.values()})
    ]
    return Structure(tuple(map(_short, modules)), tuple(reversed(layers)), tuple(cycles))


def summaries_of(package: str) -> dict[str, str]:
    """Return the first line of the docstring of each folder below a package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise LookupError(f"there is no package {package}")
    root = Path(spec.origin).parent
    return {
        str(path.parent.relative_to(root)): (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        .partition("\n")[0]
        .strip()
        for path in sorted(root.rglob("__init__.py"))
        if path.parent != root
    }


def _settle(
    module: str,
    below: Mapping[str, list[str]],
    levels: dict[str, int],
    cycles: list[tuple[str, ...]],
    above: tuple[str, ...],
) -> int:
    if module in above:
        cycles.append(tuple(map(_short, (*above[above.index(module) :], module))))
        return 0
    if module not in levels:
        levels[module] = 1 + max(
            (_settle(each, below, levels, cycles, (*above, module)) for each in below[module]), default=0
        )
    return levels[module]


def _short(module: str) -> str:
    return module.rpartition(".")[2]
