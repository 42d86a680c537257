"""Case 71: Ctrl-C at any moment of a real `pulumi up`, then what a person would do next, and nothing else."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.harness import Deployment, standing

PROVISIONING_S = 1.0
SECOND_AFTER_S = 0.2
"""Between the two keystrokes of an impatient user."""

ENDS_WITHIN_S = 60.0

_PROGRAM = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
fa.HostedAgent(
    "support",
    project=project,
    image=fa.AgentImage.pinned(given.require("image")),
    environment={"GREETING": given.require("greeting")},
    poll_interval_s=0.2,
    timeout_s=60,
)
"""


@dataclass(frozen=True)
class Recovered:
    """What became of one interrupted run.

    Attributes:
        seed: Decides the moment, and whether Ctrl-C is pressed once or twice.
        after_s: Seconds into the run at which it was pressed.
        twice: Pressed twice; then the next command is a refresh that drops pending creates.
        interrupted: The run did not end well by itself before.
        duplicates: Further versions with the same definition.
        as_asked: The next `up` ended well, and the version that was asked for has all traffic.
    """

    seed: int
    after_s: float
    twice: bool
    interrupted: bool
    duplicates: int
    as_asked: bool


@contextmanager
def interruptible(folder: Path, engine: Path) -> Iterator[Deployment]:
    """A stack with one agent, not deployed yet."""
    with standing(folder, engine, _PROGRAM, provisioning_s=PROVISIONING_S) as here:
        yield here


def interrupted(here: Deployment, seeds: Sequence[int], span_s: float) -> Iterator[Recovered]:
    """Change the agent once for each seed, interrupt that `up` within these seconds, and continue as the case says."""
    for seed in seeds:
        chance = random.Random(seed)
        after, twice = chance.uniform(0, span_s), bool(seed // 2 % 2)
        _greet(here, f"Seed {seed}")
        code = _interrupt(here, after, twice=twice)
        if twice:
            # A second Ctrl-C leaves a lock, and creates whose outcome is unknown.
            here.project.run("cancel", "--yes", "--stack", "local")
            here.project.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates").succeeded()
        done = here.project.up()
        yield Recovered(
            seed, after, twice, code != 0, _duplicates(here), done.code == 0 and _serves(here, f"Seed {seed}")
        )


def duration_of_a_change(here: Deployment) -> float:
    """Deploy the agent, change it twice, and return the seconds of the faster change."""
    took: list[float] = []
    for greeting in ("Hello", "Howdy", "Hi"):
        _greet(here, greeting)
        began = time.monotonic()
        here.project.up().succeeded()
        took.append(time.monotonic() - began)
    return min(took[1:])  # the first makes the agent, and what runs for the first time is slower


def _greet(here: Deployment, greeting: str) -> None:
    here.project.given["greeting"] = greeting
    here.project.write_config()


def _interrupt(here: Deployment, after_s: float, *, twice: bool) -> int:
    """Run `up` in a group of its own, as a terminal does, and send that group what Ctrl-C sends."""
    # A run in the background ignores SIGINT, and its children inherit that; here it is as in a terminal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run = subprocess.Popen(
            here.project.command("up", "--yes", "--skip-preview"),
            cwd=here.project.folder,
            env=here.project.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    for pause in (after_s, *([SECOND_AFTER_S] if twice else [])):
        try:
            return run.wait(pause)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGINT)
    return run.wait(ENDS_WITHIN_S)


def _duplicates(here: Deployment) -> int:
    greetings = list(_greetings(here).values())
    return len(greetings) - len(set(greetings))


def _serves(here: Deployment, greeting: str) -> bool:
    (number,) = (number for number, said in _greetings(here).items() if said == greeting)
    return bool(here.agent()["rules"] == [{"version": number, "percentage": 100}])


def _greetings(here: Deployment) -> dict[str, str]:
    """Return the greeting of each version."""
    with here.azure.client("agents") as client:
        listed = client.get("agents/support/versions", params={"limit": 100}).json()["data"]
    return {v["version"]: v["definition"]["environment_variables"]["GREETING"] for v in listed}
