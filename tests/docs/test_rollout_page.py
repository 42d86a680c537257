"""The two resources on the page on rollouts have the same inputs as those of the component."""

from __future__ import annotations

import re
from pathlib import Path

import foundry_agents as fa
from tests.support.program import ENDPOINT, ROLLOUT, VERSION, Run, run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rollout.md").read_text(encoding="utf-8")
(ALONE,) = re.findall(r"## The two resources alone.*?```python\n(.*?)```", PAGE, re.DOTALL)

SAME_INPUTS = ("kept_by_rollout", "steps", "bake")


def _run(program: str) -> Run:
    return run(lambda: exec(compile(program, "docs/rollout.md", "exec"), {"fa": fa}))


def test_the_two_resources_alone_have_the_inputs_of_the_component() -> None:
    component = f"""
fa.HostedAgent(
    "support",
    project=fa.FoundryProject.existing(endpoint="{ENDPOINT}"),
    image=fa.AgentImage.pinned("acme.azurecr.io/support@sha256:…"),
    rollout=fa.Rollout.canary([10, 50], bake="2m"),
)
"""
    alone, whole = _run(ALONE), _run(component)
    for kind in (VERSION, ROLLOUT):
        by_hand, made = alone.one(kind).inputs, whole.one(kind).inputs
        assert [name for name in SAME_INPUTS if by_hand.get(name) != made.get(name)] == []
    assert alone.one(VERSION).inputs["kept_by_rollout"] is True
