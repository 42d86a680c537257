"""The Pulumi engine and the programs that build images, as `tools/engine` finds them."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.support.checkout import CHECKOUT
from tests.support.machine import missing


def engine_folder() -> Path:
    """Return the folder with `pulumi`; without it, the test skips, or fails with CI set."""
    return _folders()[0]


def plugin_folder(plugin: str) -> Path:
    """Return the folder of what `tools/engine --plugin` names; without it, the test skips, or fails with CI set."""
    return _folders(plugin)[-1]


def _folders(*plugins: str) -> list[Path]:
    found = where(*plugins)
    if found is None:
        missing(f"{' and '.join(['pulumi', *plugins])} not found; run `make setup`")
    return found


@cache
def where(*plugins: str) -> list[Path] | None:
    """Return the folders of the engine and of the plugins, in this order, or None when one is missing; get nothing."""
    options = [option for plugin in plugins for option in ("--plugin", plugin)]
    command = [sys.executable, str(CHECKOUT / "tools" / "engine"), "where", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [Path(folder) for folder in done.stdout.strip().split(os.pathsep)] if done.returncode == 0 else None
