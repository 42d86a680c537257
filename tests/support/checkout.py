"""Where this checkout is, and the virtual environment that runs its tests."""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
TESTS = CHECKOUT / "tests"

VENV = Path(sys.prefix)
"""Pulumi runs the programs of the tests with the same packages: `.venv`, or one with other versions."""
