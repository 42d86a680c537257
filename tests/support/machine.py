"""What a test needs on the machine except Python: programs of Debian packages."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, package: str) -> str:
    """Return the path of a program; without it, the test skips, or fails with CI set."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if found is None:
        missing(f"no {name}: tools/debian {package} gets it")
    return str(found)


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it with CI set."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; with CI set this is a failure")
    pytest.skip(reason)
