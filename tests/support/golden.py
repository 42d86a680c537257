"""The recorded fingerprints, and a program that prints them under another Python."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.support.checkout import TESTS

GOLDEN = TESTS / "core" / "golden" / "fingerprints.json"
EXAMPLES: Mapping[str, Mapping[str, object]] = json.loads(GOLDEN.read_text(encoding="utf-8"))

PRINT_ALL = """
import json, sys
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.fingerprint import fingerprint
examples = json.load(open(sys.argv[1], encoding="utf-8"))
print(json.dumps({name: fingerprint(VERSION_FIELDS.normalise(s["inputs"])[0]) for name, s in examples.items()}))
"""
"""Takes the path of the file."""
