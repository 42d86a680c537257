"""What `rollout=` declares."""

from __future__ import annotations

import pulumi
import pytest

import foundry_agents as fa
from tests.support.program import ENDPOINT, PRINCIPAL, ROLLOUT, VERSION, Run, run

IMAGE = f"acme.io/support@sha256:{'a' * 64}"


def _declare(rollout: fa.Rollout | None) -> Run:
    def program() -> None:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        fa.HostedAgent("support", project=project, image=fa.AgentImage.pinned(IMAGE), rollout=rollout)

    return run(program)


def test_the_settings_of_a_rollout_reach_its_resource() -> None:
    smoke = fa.SmokeTest("ping", expect="pong")
    inputs = _declare(fa.Rollout.canary([10, 50], bake="2m", smoke=smoke, keep_versions=3)).one(ROLLOUT).inputs
    assert inputs["steps"] == [10, 50]
    assert inputs["bake"] == "2m"
    assert inputs["keep_versions"] == 3
    assert inputs["smoke"] == {
        "question": "ping",
        "contains": "pong",
        "protocol": "responses",
        "tries": 3,
        "timeout": "2m",
    }


def test_without_settings_nothing_is_sent_but_the_version() -> None:
    inputs = _declare(None).one(ROLLOUT).inputs
    unset = ("steps", "bake", "smoke", "keep_versions", "paused", "timeout_s")
    assert [name for name in unset if inputs.get(name) is not None] == []
    assert inputs["version"] == "7"


def test_a_pinned_rollout_serves_its_version_and_the_settings_still_make_theirs() -> None:
    made = _declare(fa.Rollout.pinned("3"))
    assert made.one(ROLLOUT).inputs["version"] == "3"
    assert made.one(ROLLOUT).inputs["described_version"] == "7", "what waits without traffic is not pruned"
    assert made.one(VERSION).name == "support-version"


def test_two_owners_of_which_version_serves_are_refused_and_both_are_named() -> None:
    """Case 45. tfazure#27221"""

    def program() -> None:
        fa.AgentRollout(
            "support", project_endpoint=ENDPOINT, agent_name="support", version="8", rollout=fa.Rollout.pinned("7")
        )

    with pytest.raises(pulumi.RunError) as caught:
        run(program)
    assert "rollout.pinned: " in str(caught.value)
    assert "version: " in str(caught.value)
