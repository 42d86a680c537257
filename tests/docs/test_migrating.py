"""The new program of the migration page runs, and each line of its table is in both programs."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pulumi
from azure.ai.projects import models

from tests.support.program import ASSIGNMENT, CONNECTION, TOOLBOX, VERSION, Run, Secret, run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")
BEFORE, TODAY = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| `(.*?)` \| `(.*?)` \|", PAGE, re.MULTILINE)


def declared() -> Run:
    def program() -> Mapping[str, pulumi.Input[object]]:
        exec(compile(TODAY, "docs/migrating.md", "exec"), {})
        return {}

    return run(program, config={"foundry-agents:ordersKey": "s3cret"}, secret_config=("foundry-agents:ordersKey",))


def test_the_new_program_declares_what_the_older_one_requested() -> None:
    made = declared()
    version = made.one(VERSION).inputs
    assert (version["cpu"], version["memory"], version["agent_name"]) == ("1", "2Gi", "support")
    assert version["environment"]["MODEL"] == "gpt-5-mini"
    assert version["environment"]["ORDERS_KEY"] == "${{connections.orders.credentials.x-api-key}}"
    tools = {key.removeprefix("tool:"): tool for key, tool in made.one(TOOLBOX).inputs.items() if "tool:" in key}
    assert tools["code_interpreter"] == {"type": "code_interpreter"}
    assert tools["file_search"] == {"type": "file_search", "vector_store_ids": ["vs_1"]}
    assert tools["orders"]["server_url"] == "https://orders.example.com/mcp"
    assert isinstance(made.one(CONNECTION).inputs["properties"], Secret)
    assert made.one(ASSIGNMENT).name == "support-toolbox-role"


def test_each_line_of_the_table_is_in_both_programs() -> None:
    assert len(ROWS) >= 11
    assert [row for row in ROWS if row[0] not in BEFORE or row[1] not in TODAY] == []


def test_every_setting_of_the_older_definition_has_a_line() -> None:
    (definition,) = (
        node
        for node in ast.walk(ast.parse(BEFORE))
        if isinstance(node, ast.Call) and "ImageBased" in ast.unparse(node.func)
    )
    named = "\n".join(before for before, _today in ROWS)
    settings = {keyword.arg for keyword in definition.keywords} - {"tools"}
    assert [name for name in settings if f"{name}=" not in named] == []
    tools = next(keyword.value for keyword in definition.keywords if keyword.arg == "tools")
    assert isinstance(tools, ast.List)
    kinds = [ast.literal_eval(tool)["type"] for tool in tools.elts]
    assert [kind for kind in kinds if f'"type": "{kind}"' not in named] == []


def test_the_sdk_no_longer_has_the_older_class() -> None:
    assert not hasattr(models, "ImageBasedHostedAgentDefinition")
