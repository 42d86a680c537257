"""The programs of the page on tools run, and every tool has a row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foundry_agents.tools.tools import Tool
from tests.support.program import CONNECTION, ENDPOINT, STORE, TOOLBOX, VERSION, run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
NEW_PROJECT = 'fa.FoundryProject("support", location="eastus2")'
EXISTING_PROJECT = (
    f'fa.FoundryProject.existing(endpoint="{ENDPOINT}", resource_id="/subscriptions/0/resourceGroups/rg/providers/'
    'Microsoft.CognitiveServices/accounts/acme/projects/demo")'
)


def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    for name in ("faq.md", "terms.md"):
        (tmp_path / "docs" / name).write_text("Refunds take a week.", encoding="utf-8")
    whole = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    assert NEW_PROJECT in whole

    def program() -> None:
        exec(compile(whole.replace(NEW_PROJECT, EXISTING_PROJECT), "docs/tools.md", "exec"), {})

    made = run(program, config={"foundry-agents:ordersKey": "s"}, secret_config=("foundry-agents:ordersKey",))
    assert {one.name for one in made.declared if one.type == TOOLBOX} == {"support-toolbox", "tools-toolbox"}
    assert {one.name for one in made.declared if one.type == VERSION} == {
        "support-version",
        "first-version",
        "second-version",
    }
    assert made.one(STORE).name == "faq"
    assert made.one(CONNECTION).name == "orders-connection"


def test_every_tool_has_a_row() -> None:
    named = set(re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE))
    assert {kind.__name__ for kind in (*Tool.__subclasses__(), Tool)} <= named
