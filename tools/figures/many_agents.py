"""Many agents in one `pulumi up`: waiting for one must not keep another from being begun."""

from __future__ import annotations

from collections.abc import Iterator

from tools.figures.clone import fresh_clone, pulumi_seconds
from tools.figures.figure import Figure

AGENTS = 24
PROVISIONING_S = 10


def measure() -> Iterator[Figure]:
    """`pulumi up` of one agent and of 24, each provisioned in 10 s, one after the other on the same machine."""
    settings = {
        "FOUNDRY_EMULATOR_START_RUNTIME": "echo",
        "FOUNDRY_EMULATOR_START_PROVISIONING_SECONDS": str(PROVISIONING_S),
        "PULUMI_PARALLEL": "64",
    }
    with fresh_clone(**settings) as clone:
        one = pulumi_seconds(clone.make("up"))
        clone.make("down")
        clone.set_agents([f"agent-{number}" for number in range(AGENTS)])
        many = pulumi_seconds(clone.make("up"))
    yield Figure("70", f"`pulumi up` of {AGENTS} agents, compared with one", many / one, "<=", 1.5, " x")
