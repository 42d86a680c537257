"""What the recorded releases left in users' state, one property bag a resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.checkout import TESTS

RELEASES = TESTS / "upgrade"
RECORDED = sorted(path.parent for path in RELEASES.glob("*/stack.json"))
_CIPHERTEXT = "ciphertext"
_DYNAMIC = "pulumi-python:dynamic/foundry:"
_STAND_INS = {"fingerprint": f"v1:{'0' * 64}", "environment": {"GREETING": "Hello", "TOKEN": "recorded-token"}}


@dataclass(frozen=True)
class Held:
    """A resource of ours in a recorded state.

    Attributes:
        release: Whose.
        name: Its type and its name in the program.
        id: Its id.
        blob: The pickled provider.
        inputs: As the program gave them and check left them.
        outputs: What read, diff and delete are given.
    """

    release: str
    name: str
    id: str
    blob: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.release} {self.name}"


def held() -> Iterator[Held]:
    """Yield our resources of every recorded state; encrypted values are replaced by others of the same shape."""
    for folder in RECORDED:
        state = json.loads((folder / "stack.json").read_text(encoding="utf-8"))
        for resource in state["deployment"]["resources"]:
            if not resource["type"].startswith(_DYNAMIC):
                continue
            yield Held(
                folder.name,
                f"{resource['type'].removeprefix(_DYNAMIC)} {resource['urn'].rpartition('::')[2]}",
                resource["id"],
                resource["inputs"]["__provider"],
                _plain(resource["inputs"]),
                _plain(resource["outputs"]),
            )


def _plain(bag: dict[str, Any]) -> dict[str, Any]:
    return {key: _decrypted(key, value) for key, value in bag.items() if key != "__provider"}


def _decrypted(key: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    encrypted = _CIPHERTEXT in value or any(isinstance(v, dict) and _CIPHERTEXT in v for v in value.values())
    return _STAND_INS[key] if encrypted else value
