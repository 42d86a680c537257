"""Many agents in one `pulumi up`: waiting for one must not delay the start of another."""

from __future__ import annotations

import pytest

from tests.support.clone import fresh_clone, pulumi_seconds
from tests.support.figures import Record

pytestmark = pytest.mark.acceptance

AGENTS = 24
PROVISIONING_S = 10


def test_24_agents_deploy_in_about_the_time_of_one(figure: Record) -> None:
    """Case 70: each agent takes 10 s to provision; both runs on this machine, one after the other."""
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
    figure("70", f"`pulumi up` of {AGENTS} agents, compared with one", many / one, "<=", 1.5, unit=" x")
