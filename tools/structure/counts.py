"""Counts over source text: loops that wait, values that are narrowed by hand, places an input stands in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CONVERSIONS = frozenset({"str", "float", "int", "bool", "dict", "list", "cast", "text_of", "as_number"})
BAGS = frozenset({"values", "props", "olds", "news", "state"})
LONGEST_LINE = 120


def modules(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield every Python file below a folder with its syntax tree."""
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def loops_that_wait(folder: Path) -> list[str]:
    """Return each loop that sleeps, as ``file:line``."""
    return [
        f"{path.relative_to(folder)}:{loop.lineno}"
        for path, tree in modules(folder)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.While | ast.For) and any(map(_sleeps, ast.walk(loop)))
    ]


def narrowed_values(folder: Path) -> list[str]:
    """Return each line that converts a value read from a property bag, as ``file:line``."""
    found = {
        (path, call.lineno)
        for path, tree in modules(folder)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CONVERSIONS
        if any(map(_is_read_from_bag, [each for arg in call.args for each in ast.walk(arg)])) or _takes_bag(call)
    }
    return [f"{path.relative_to(folder)}:{line}" for path, line in sorted(found)]


def places_of(name: str, folder: Path) -> list[str]:
    """Return each line of code that has a name, as ``file:line``; comments and docstrings don't count."""
    found = set()
    for path, tree in modules(folder):
        for node in ast.walk(tree):
            said = {getattr(node, "id", None), getattr(node, "arg", None), getattr(node, "attr", None)}
            if isinstance(node, ast.Constant):
                said.add(node.value if isinstance(node.value, str) else None)
            if name in said:
                found.add(f"{path.relative_to(folder)}:{getattr(node, 'lineno', 0)}")
    return sorted(found)


def long_lines(paths: list[Path]) -> list[str]:
    """Return each line of Markdown beyond 120 columns, but for table rows and lines with a URL, as ``file:line``."""
    return [
        f"{path.name}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST_LINE and not re.match(r"\s*\|", line) and "://" not in line
    ]


def lines_of_code(folder: Path) -> int:
    """Return the number of lines of all Python files below a folder."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in folder.rglob("*.py"))


def _sleeps(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep"


def _is_read_from_bag(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id in BAGS
    is_get = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
    return is_get and isinstance(node.func.value, ast.Name) and node.func.value.id in BAGS  # type: ignore[attr-defined]


def _takes_bag(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    helper = isinstance(call.func, ast.Name) and call.func.id in {"text_of", "as_number"}
    return helper and isinstance(first, ast.Name) and first.id in BAGS
