"""Installs the lowest or the newest versions that pyproject.toml allows, and runs tests and one `pulumi up` on them.

It needs no package but the standard library, and leaves `.venv` alone: each environment is a folder below `.local`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
UV = str(CHECKOUT / "tools" / "uv")
LOCK = "requirements.lowest.lock"

PYTHON = {"lowest": "3.11", "newest": ">=3.11"}
"""The lowest is the one in `requires-python`; tests/acceptance/test_pythons.py has the others."""

TESTS = ("tests/core", "tests/wire", "tests/components", "tests/policies", "tests/stacks")
UP = "tests/engine/test_main_job.py::test_the_sample_agent_is_deployed_answers_and_is_destroyed"
"""A whole environment with the sample agent: `pulumi up`, a question, `pulumi destroy`."""

DIRECT = """
import re, tomllib
from importlib.metadata import version
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
wanted = [*project["dependencies"], *(each for name in extras if name != "dev" for each in extras[name])]
names = {re.match(r"[\\w-]+", each)[0] for each in wanted} - {project["name"]}
print(", ".join(f"{name} {version(name)}" for name in sorted(names)))
"""


def main() -> None:
    """Parse the command line, install, print the versions, run the tests; exit 1 when anything fails."""
    parser = argparse.ArgumentParser(prog="tools/versions", description=__doc__)
    parser.add_argument("versions", choices=tuple(PYTHON))
    parser.add_argument("tests", nargs="*", help=f"instead of {' '.join(TESTS)}; one `pulumi up` always runs")
    given = parser.parse_args()
    began = time.monotonic()
    python = _install(given.versions)
    used = _run([python, "-c", DIRECT])
    print(f"{given.versions}: {used}", flush=True)
    passed = [_tested(python, tests) for tests in (["-n", str(os.cpu_count() or 2), *(given.tests or TESTS)], [UP])]
    print(f"{given.versions}: {used}")
    print(f"{given.versions}: {'passed' if all(passed) else 'FAILED'} after {time.monotonic() - began:.0f} s")
    sys.exit(0 if all(passed) else 1)


def _install(versions: str) -> str:
    """Return the Python of a virtual environment with these versions.

    The lowest are locked, so that a new release of a dependency can't fail a change of ours; the newest are not,
    which is what they are for.
    """
    venv = CHECKOUT / ".local" / versions
    if not (venv / "bin" / "python").exists():
        _run([UV, "venv", "--quiet", "--clear", "--python", PYTHON[versions], str(venv)])
    install = [UV, "pip", "install", "--quiet", "--python", str(venv)]
    if versions == "lowest":
        _run([UV, "pip", "sync", "--quiet", "--require-hashes", "--python", str(venv), LOCK])
        _run([*install, "--no-deps", "--editable", "."])
    else:
        _run([*install, "--upgrade", "--editable", ".[test]"])
    return str(venv / "bin" / "python")


def _tested(python: str, tests: Sequence[str]) -> bool:
    # With CI set, a test that can't run here fails: what was skipped has not been tested.
    environment = {**os.environ, "CI": "1"}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode == 0


def _run(command: Sequence[str]) -> str:
    """Return what a command prints; end with its exit code when it fails, after its own message."""
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(1)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
