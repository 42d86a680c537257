"""Values of the core: what was read, planned or decided."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import pytest

from foundry_agents import lifecycle

COLLECTORS = {"ImageReader", "Report", "_Watch"}
"""What gathers things while it works."""

_MODULES = [
    importlib.import_module(info.name) for info in pkgutil.walk_packages(lifecycle.__path__, f"{lifecycle.__name__}.")
]
VALUES = [
    kind
    for module in _MODULES
    for kind in vars(module).values()
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__qualname__)
def test_a_value_does_not_change_once_it_is_made(kind: type) -> None:
    """Threads share them: one that changed would change under another's hands."""
    assert kind.__dataclass_params__.frozen is (kind.__name__ not in COLLECTORS)  # type: ignore[attr-defined]
