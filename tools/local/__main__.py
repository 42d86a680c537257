"""Runs the stack `local`: `up`, `preview`, `down`, `env`. See `make help`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from tools.local.answer import StackOutputs, show
from tools.local.environment import CHECKOUT, LocalEnvironment, azure_variables, engine_folder
from tools.local.stale_lock import is_locked_by_dead_run

STACK = "local"
REGISTRY = "imageslocal"
"""Name of the registry in stacks/Pulumi.local.yaml: images are pushed before the stack creates it."""
AGENT_SOURCE = CHECKOUT / "examples" / "support_agent"

console = Console(stderr=False, soft_wrap=True)


def main() -> None:
    """Parse the command line and run one verb."""
    parser = argparse.ArgumentParser(prog="tools/local", description=__doc__)
    parser.add_argument("verb", choices=("up", "preview", "down", "env"))
    verb: str = parser.parse_args().verb
    here = LocalEnvironment(home=CHECKOUT / ".local", engine=engine_folder())
    if verb == "down":
        down(here)
        return
    if verb == "env":
        print_env(here)
        return
    variables = start(here)
    if verb == "preview":
        sys.exit(pulumi(variables, "preview", "--stack", STACK))
    up(variables)


def start(here: LocalEnvironment) -> dict[str, str]:
    """Start the local Azure, push the image of the sample agent, and select the stack."""
    azure("start", here)
    variables = here.variables(azure_variables(here.azure))
    variables["SUPPORT_DIGEST"] = pushed_digest(here)
    interrupted = is_locked_by_dead_run(here.state)
    if interrupted:
        pulumi(variables, "cancel", "--yes", "--stack", STACK, quiet=True)
    if pulumi(variables, "stack", "select", "--create", STACK, quiet=True):
        sys.exit(
            "the stack `local` could not be selected; run `make clean`, which removes the local state, and try again"
        )
    if interrupted:
        console.print("the last run was killed: its lock is released, and this run continues its work", highlight=False)
        forget = ("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", STACK)
        if code := pulumi(variables, *forget, quiet=True):
            sys.exit(code)
    return variables


def pushed_digest(here: LocalEnvironment) -> str:
    """Push the image of the sample agent to the local registry, unless it is there, and return its digest."""
    push = azure("push", here, str(AGENT_SOURCE), "--registry", REGISTRY, "--repository", "support", capture=True)
    return push.strip()


def up(variables: dict[str, str]) -> None:
    """Deploy the stack and call the agents."""
    began = time.monotonic()
    if code := pulumi(variables, "up", "--yes", "--skip-preview", "--stack", STACK):
        sys.exit(code)
    took = time.monotonic() - began
    contract = json.loads(run_pulumi(variables, "stack", "output", "contract", "--json", "--stack", STACK))
    os.environ.update(variables)  # the OpenAI client signs in and trusts the local CA like any other application
    console.print(f"\npulumi up took {took:.1f} s\n", highlight=False)
    show(StackOutputs(contract["project"]["endpoint"], contract["agents"]), console)
    console.print(
        "\nnext: edit stacks/Pulumi.local.yaml, run `make preview` and `make up` · `make down` removes everything",
        highlight=False,
    )


def down(here: LocalEnvironment) -> None:
    """Destroy the stack and stop the local Azure."""
    if not (here.azure / "emulator.json").exists():
        console.print("the local Azure is not running")
        return
    azure("start", here)
    variables = here.variables(azure_variables(here.azure))
    if (here.state / ".pulumi" / "stacks").exists():
        destroy = ("destroy", "--yes", "--skip-preview", "--stack", STACK)
        # The settings of the stack are part of the checkout: keep them.
        forget = ("stack", "rm", "--yes", "--preserve-config", STACK)
        if code := pulumi(variables, *destroy) or pulumi(variables, *forget):
            sys.exit(code)
    azure("status", here)
    azure("stop", here)


def print_env(here: LocalEnvironment) -> None:
    """Print what to export so that plain `pulumi` commands work on the stack `local`."""
    if not (here.azure / "emulator.json").exists():
        sys.exit("the local Azure is not running; run `make up`")
    variables = here.variables(azure_variables(here.azure))
    variables["SUPPORT_DIGEST"] = pushed_digest(here)
    for name, value in sorted(variables.items()):
        if os.environ.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")


def azure(verb: str, here: LocalEnvironment, *arguments: str, capture: bool = False) -> str:
    """Run `foundry-emulator`, and show its messages."""
    command = [str(Path(sys.executable).parent / "foundry-emulator"), verb, *arguments, "--data-dir", str(here.azure)]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE if capture else None, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def pulumi(variables: dict[str, str], *arguments: str, quiet: bool = False) -> int:
    """Run `pulumi` in this checkout and return its exit code. With ``quiet``, show its output only when it fails."""
    command = [_executable(variables), *arguments, "--non-interactive", "--color", _color()]
    done = subprocess.run(command, cwd=CHECKOUT, env=variables, capture_output=quiet, text=True, check=False)
    if quiet and done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    return done.returncode


def run_pulumi(variables: dict[str, str], *arguments: str) -> str:
    """Run `pulumi` and return what it prints."""
    command = [_executable(variables), *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=variables, stdout=subprocess.PIPE, text=True, check=True).stdout


def _executable(variables: dict[str, str]) -> str:
    return shutil.which("pulumi", path=variables["PATH"]) or "pulumi"


def _color() -> str:
    return "always" if sys.stdout.isatty() else "never"


if __name__ == "__main__":
    main()
