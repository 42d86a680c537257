"""The lowest versions that pyproject.toml allows: tests of the components, and one `pulumi up`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.checkout import CHECKOUT
from tests.support.figures import Record

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def test_components_and_one_up_pass_with_the_lowest_versions(figure: Record) -> None:
    """Finding C. A part of `make lowest` that has time beside all the other figures; its own CI job runs the rest."""
    command = [sys.executable, "-m", "tools.versions", "lowest", "tests/components"]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    figure("lowest", "failed runs with the lowest versions", done.returncode, "=", 0)
