"""The snapshot of what every component declares; ``python -m tests.components.snapshots`` writes it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support import every_option
from tests.support.program import Declared, Run, Secret, run

FILE = Path(__file__).with_name("snapshots") / "every_option.json"
DIGEST = "sha256:" + "a" * 64


def declared() -> Run:
    """The program with every option, run without an engine."""
    return run(lambda: every_option.deploy(image=DIGEST))


def snapshot(made: Run) -> dict[str, Any]:
    """What is pinned of each resource: type, parent, options and inputs. The provider's own blob has its own test."""
    return {one.name: _pinned(one) for one in sorted(made.declared, key=lambda one: one.name)}


def _pinned(one: Declared) -> dict[str, Any]:
    options = {
        "parent": one.parent,
        "depends_on": sorted(one.depends_on),
        "protect": one.protect,
        "retain_on_delete": one.retain_on_delete,
        "deleted_with": one.deleted_with,
        "ignore_changes": list(one.ignore_changes),
        "replace_on_changes": list(one.replace_on_changes),
        "delete_before_replace": one.delete_before_replace,
        "secret_outputs": list(one.secret_outputs),
    }
    inputs = {name: _shown(value) for name, value in sorted(one.inputs.items()) if name not in {"__provider", "urn"}}
    return {
        "type": one.type,
        **{name: value for name, value in options.items() if value},
        **({"inputs": inputs} if inputs else {}),
    }


def _shown(value: object) -> object:
    if isinstance(value, Secret):
        return {"secret": _shown(value.value)}
    if isinstance(value, dict):
        return {name: _shown(inner) for name, inner in sorted(value.items())}
    return [_shown(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(snapshot(declared()), indent=1) + "\n", encoding="utf-8")
    print(FILE)
