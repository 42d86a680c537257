"""The programs of the README, and of the pages that continue it, run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import foundry_agents as fa
from tests.support.program import ASSIGNMENT, ROLLOUT, TO_BUILD, TOOLBOX, VERSION, run

CHECKOUT = Path(__file__).resolve().parents[2]


def _programs(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (CHECKOUT / page).read_text(encoding="utf-8"), re.DOTALL)


(PROGRAM,) = _programs("README.md")
_, CONSUMER = _programs("docs/contract.md")
(CANARY,) = (program for program in _programs("docs/rollout.md") if "smoke_checks:is_polite" in program)


def test_the_program_declares_a_version_a_rollout_and_a_toolbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)

    def program() -> None:
        exec(compile(PROGRAM, "README.md", "exec"), {"fa": fa, "frontend_principal_id": "frontend"})

    made = run(program, answers=TO_BUILD)
    for kind, name in ((VERSION, "support-version"), (ROLLOUT, "support-rollout"), (TOOLBOX, "support-toolbox")):
        assert made.one(kind).name == name
    granted = [one.inputs.get("principalId") for one in made.declared if one.type == ASSIGNMENT]
    assert "frontend" in granted


def test_a_contract_has_every_field_that_the_consumer_reads() -> None:
    agent = re.findall(r"support\.(\w+)", CONSUMER)
    assert agent
    assert [name for name in agent if name not in fa.PublishedAgent.__dataclass_fields__] == []


def test_the_rollout_of_the_broken_release_is_valid() -> None:
    names: dict[str, object] = {"fa": fa}
    exec(compile(CANARY, "docs/rollout.md", "exec"), names)
    assert isinstance(names["rollout"], fa.Rollout)
