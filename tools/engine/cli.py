"""The command line: ``python3 tools/engine [ensure|where]``; the folder on stdout, everything else on stderr."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from .errors import EngineError
from .get import ensure, where
from .machine import Machine
from .package import ENGINE, PLUGINS

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0 with the folder printed, 1 when there is none, 2 for an invalid command line."""
    asked = _parser().parse_args(arguments)
    packages = dict.fromkeys([ENGINE, *(PLUGINS[name] for name in asked.plugin)])
    # So that SIGTERM cleans up like Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        machine = Machine.here(say=_say, releases=asked.releases)
        find = where if asked.verb == "where" else ensure
        folders = [find(package, machine) for package in packages]
    except EngineError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("stopped; no incomplete file is kept")
        return INTERRUPTED
    found = [str(folder) for folder in folders if folder is not None]
    if len(found) < len(folders):
        _say("not found on PATH or in the cache; run `python3 tools/engine ensure`")
        return 1
    print(os.pathsep.join(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/engine",
        description="Gets the Pulumi engine and prints the folder to put on PATH. "
        "In this order: a suitable one on PATH, the cache, the official release, a build from Go modules.",
    )
    parser.add_argument(
        "verb",
        nargs="?",
        choices=("ensure", "where"),
        default="ensure",
        help="ensure (default): get it when it is not here; where: only look",
    )
    parser.add_argument(
        "--plugin",
        action="append",
        choices=sorted(PLUGINS),
        default=[],
        help="also get this, for builds of images; can be repeated",
    )
    parser.add_argument("--releases", metavar="URL", help="a mirror of the official releases")
    return parser


def _say(text: str) -> None:
    print(f"engine: {text}", file=sys.stderr, flush=True)
