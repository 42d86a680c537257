"""The README is true: its program declares what it says, and its rollout can be made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import foundry_agents as fa
from tests.support.program import ASSIGNMENT, ROLLOUT, TO_BUILD, TOOLBOX, VERSION, run

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM, CONSUMER, CANARY = re.findall(
    r"```python\n(.*?)```", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)


def test_the_program_declares_a_version_a_rollout_and_a_toolbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)

    def program() -> None:
        exec(compile(PROGRAM, "README.md", "exec"), {"fa": fa, "frontend_principal_id": "frontend"})

    made = run(program, answers=TO_BUILD)
    for kind, name in ((VERSION, "support-version"), (ROLLOUT, "support-rollout"), (TOOLBOX, "support-toolbox")):
        assert made.one(kind).name == name
    granted = [one.inputs.get("principalId") for one in made.declared if one.type == ASSIGNMENT]
    assert "frontend" in granted


def test_what_a_consumer_reads_is_published() -> None:
    agent = re.findall(r"support\.(\w+)", CONSUMER)
    assert agent
    assert [name for name in agent if name not in fa.PublishedAgent.__dataclass_fields__] == []


def test_the_rollout_of_the_broken_release_can_be_made() -> None:
    names: dict[str, object] = {"fa": fa}
    exec(compile(CANARY, "README.md", "exec"), names)
    assert isinstance(names["rollout"], fa.Rollout)
