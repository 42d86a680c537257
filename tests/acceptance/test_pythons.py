"""Every supported Python computes the same fingerprints and loads what is in users' state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version

import pytest

from tests.support.checkout import CHECKOUT
from tests.support.figures import Record
from tests.support.golden import EXAMPLES, GOLDEN, PRINT_ALL
from tests.support.machine import missing
from tests.support.pythons import OtherPython, Unavailable, packages, python
from tests.support.recorded_states import held

pytestmark = pytest.mark.acceptance

MINORS = ("3.12", "3.13", "3.14")
"""This checkout's own tests run on 3.11."""

_LOAD_ALL = """
import base64, json, pickle, sys
for name, blob in json.loads(sys.argv[1]).items():
    if type(pickle.loads(base64.b64decode(blob))).__name__.startswith(name.split()[1]):
        print(name)
"""
_CORE = ("lazy-loader",)
_RESOURCES = (*_CORE, "pathspec", "pulumi")
"""What the modules that are loaded import."""
_COMPONENTS = CHECKOUT / "components"


@pytest.mark.parametrize("minor", MINORS)
def test_fingerprints_and_state_are_the_same_under_another_python(figure: Record, minor: str) -> None:
    """Cases 16 and 75. A Python that is not available skips the test, or fails it with CI set."""
    blobs = {str(state): state.blob for state in held()}
    try:
        other = python(minor)
        same, loaded = _same_fingerprints(other), _loaded(other, blobs)
    except Unavailable as error:
        missing(str(error))
    figure("16", f"golden fingerprints unchanged under Python {minor}", same, "=", len(EXAMPLES))
    figure("75", f"recorded providers that load under Python {minor}", loaded, "=", len(blobs))


def _same_fingerprints(other: OtherPython) -> int:
    installed = packages(other.minor, *_pinned(_CORE))
    found = json.loads(other.run(PRINT_ALL, str(GOLDEN), path=[installed, _COMPONENTS]))
    return sum(found.get(name) == example["fingerprint"] for name, example in EXAMPLES.items())


def _loaded(other: OtherPython, blobs: dict[str, str]) -> int:
    installed = packages(other.minor, *_pinned(_RESOURCES))
    return len(other.run(_LOAD_ALL, json.dumps(blobs), path=[installed, _COMPONENTS]).splitlines())


def _pinned(names: Sequence[str]) -> list[str]:
    """Return each package as a requirement of the version that is installed here."""
    return [f"{name}=={version(name)}" for name in names]
