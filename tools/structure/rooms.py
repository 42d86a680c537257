"""The rooms of a package, the layers that they stand on, and circles among them."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grimp


@dataclass(frozen=True)
class Structure:
    """What a package's folder looks like.

    Attributes:
        rooms: Names of its folders and modules.
        layers: Rooms by layer, highest first; a room imports from lower layers only.
        circles: Rooms that import each other, one chain each.
    """

    rooms: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    circles: tuple[tuple[str, ...], ...]


def structure_of(package: str) -> Structure:
    """Read the import graph of a package and arrange its direct children in layers."""
    graph = grimp.build_graph(package.partition(".")[0])
    rooms = sorted(graph.find_children(package))
    below = {
        room: [
            other
            for other in rooms
            if other != room and graph.direct_import_exists(importer=room, imported=other, as_packages=True)
        ]
        for room in rooms
    }
    levels: dict[str, int] = {}
    circles: list[tuple[str, ...]] = []
    for room in rooms:
        _settle(room, below, levels, circles, ())
    layers = [tuple(_short(room) for room in rooms if levels[room] == level) for level in sorted({*levels.values()})]
    return Structure(tuple(map(_short, rooms)), tuple(reversed(layers)), tuple(circles))


def signs_of(package: str) -> dict[str, str]:
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
    room: str,
    below: Mapping[str, list[str]],
    levels: dict[str, int],
    circles: list[tuple[str, ...]],
    above: tuple[str, ...],
) -> int:
    if room in above:
        circles.append(tuple(map(_short, (*above[above.index(room) :], room))))
        return 0
    if room not in levels:
        levels[room] = 1 + max(
            (_settle(each, below, levels, circles, (*above, room)) for each in below[room]), default=0
        )
    return levels[room]


def _short(room: str) -> str:
    return room.rpartition(".")[2]
