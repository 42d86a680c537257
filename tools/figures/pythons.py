"""Cases 16 and 75 on every Python that can be had: the same fingerprints, and what is in users' state loads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.metadata import version

from tests.core.test_fingerprint import _PRINT_ALL, EXAMPLES, GOLDEN
from tests.upgrade.states import held
from tools.figures.figure import Figure
from tools.figures.other_pythons import NotToBeHad, OtherPython, packages, python
from tools.local.surroundings import CHECKOUT

MINORS = ("3.12", "3.13", "3.14")
"""This checkout's own tests run on 3.11."""

_LOAD_ALL = """
import base64, json, pickle, sys
for name, blob in json.loads(sys.argv[1]).items():
    if type(pickle.loads(base64.b64decode(blob))).__name__.startswith(name.split()[1]):
        print(name)
"""
_COMPONENTS = CHECKOUT / "components"


def measure() -> Iterator[Figure]:
    """One line each for every Python; one that can't be had counts as 0 where CI is set."""
    blobs = {str(state): state.blob for state in held()}
    for minor in MINORS:
        try:
            other = python(minor)
            same, loaded = _same_fingerprints(other), _loaded(other, blobs)
        except NotToBeHad as missing:
            print(f"Python {minor}: {missing}")
            if not os.environ.get("CI"):
                continue
            same = loaded = 0
        yield Figure("16", f"golden fingerprints unchanged under Python {minor}", same, "=", len(EXAMPLES))
        yield Figure("75", f"recorded providers that load under Python {minor}", loaded, "=", len(blobs))


def _same_fingerprints(other: OtherPython) -> int:
    found = json.loads(other.run(_PRINT_ALL, str(GOLDEN), path=[_COMPONENTS]))
    return sum(found.get(name) == story["fingerprint"] for name, story in EXAMPLES.items())


def _loaded(other: OtherPython, blobs: dict[str, str]) -> int:
    installed = packages(other.minor, f"pulumi=={version('pulumi')}")
    return len(other.run(_LOAD_ALL, json.dumps(blobs), path=[installed, _COMPONENTS]).splitlines())
