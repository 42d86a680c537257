"""Toolboxes, identities and stores through the real plugin process: what a preview says; no service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import foundry_agents as fa
from foundry_agents.lifecycle.inputs.tool_rules import by_name
from foundry_agents.resources.agent_identity import AgentIdentityProvider
from foundry_agents.resources.toolbox_version import ToolboxVersionProvider
from foundry_agents.resources.vector_store import VectorStoreProvider
from foundry_agents.tools.tools import AnyTool
from tests.support.plugin import UNKNOWN, Plugin
from tests.support.settings import ENDPOINT, OWNER

TOOLBOX = ToolboxVersionProvider()
IDENTITY = AgentIdentityProvider()
STORE = VectorStoreProvider()
DOCS = fa.Mcp("docs", "https://learn.example.com/mcp")


def toolbox(*tools: AnyTool, **more: object) -> dict[str, Any]:
    named = by_name([tool.inputs() for tool in tools])
    spread = {f"tool:{name}": tool for name, tool in named.items()}
    return {"project_endpoint": ENDPOINT, "toolbox_name": "support", "owner": OWNER, **spread, **more}


def test_each_tool_is_a_property_of_its_own_so_that_a_preview_names_it(plugin: Plugin) -> None:
    checked = plugin.check(TOOLBOX, toolbox(DOCS, fa.CodeInterpreter()))
    assert checked.failures == []
    assert {key for key in checked.inputs if ":" in key} == {"tool:docs", "tool:code_interpreter"}
    assert "tools" not in checked.inputs
    assert plugin.check(TOOLBOX, checked.inputs).inputs == checked.inputs


@pytest.mark.parametrize(
    ("after", "named"),
    [
        ([DOCS, fa.WebSearch()], ["tool:web_search"]),
        ([], ["tool:docs"]),
        ([fa.Mcp("docs", "https://other.example.com/mcp")], ["tool:docs"]),
        ([fa.Mcp("manuals", "https://learn.example.com/mcp")], ["tool:docs", "tool:manuals"]),
    ],
    ids=["added", "taken away", "changed", "renamed"],
)
def test_a_changed_tool_is_named(plugin: Plugin, after: list[AnyTool], named: list[str]) -> None:
    kept = fa.CodeInterpreter()
    before = plugin.check(TOOLBOX, toolbox(DOCS, kept)).inputs
    changed = plugin.diff(TOOLBOX, before, toolbox(kept, *after))
    assert (changed.changes, changed.replaces) == (True, named)


def test_the_same_tools_with_numbers_as_floats_are_no_change(plugin: Plugin) -> None:
    """Case 18."""
    inputs = toolbox(fa.FileSearch(vector_store_ids=["vs_1"], max_num_results=5))
    state = plugin.check(TOOLBOX, inputs).inputs
    assert plugin.diff(TOOLBOX, state, inputs).changes is False


def test_a_value_that_is_not_known_yet_changes_its_tool_alone(plugin: Plugin) -> None:
    """Cases 18 and 21: a store that is made in the same run."""
    before = plugin.check(TOOLBOX, toolbox(DOCS, fa.FileSearch(vector_store_ids=["vs_1"]))).inputs
    planned = toolbox(DOCS, fa.FileSearch(vector_store_ids=[UNKNOWN]))
    checked = plugin.check(TOOLBOX, planned)
    assert checked.failures == []
    assert plugin.diff(TOOLBOX, before, checked.inputs).replaces == ["tool:file_search"]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "mcp", "server_label": UNKNOWN, "server_url": UNKNOWN, "project_connection_id": UNKNOWN},
        {"type": "mcp", "server_label": "a", "server_url": UNKNOWN, "headers": UNKNOWN, "allowed_tools": UNKNOWN},
        {"type": "file_search", "vector_store_ids": UNKNOWN, "max_num_results": UNKNOWN},
        {"type": "openapi", "openapi": UNKNOWN},
        {
            "type": "azure_ai_search",
            "azure_ai_search": {
                "indexes": [{"index_name": UNKNOWN, "project_connection_id": UNKNOWN, "top_k": UNKNOWN}]
            },
        },
    ],
    ids=["mcp", "mcp lists", "file_search", "openapi", "azure_ai_search"],
)
def test_unknown_values_pass_at_any_depth(plugin: Plugin, tool: Mapping[str, object]) -> None:
    """Case 21."""
    assert plugin.check(TOOLBOX, {**toolbox(), "tool:a": tool}).failures == []


def test_every_problem_is_in_one_failure(plugin: Plugin) -> None:
    """Case 59."""
    checked = plugin.check(TOOLBOX, toolbox(fa.Mcp("a b", "http://x.example"), toolbox_name="-", metadata={"k": 1}))
    ((name, reason),) = checked.failures
    assert name == ""
    first, *lines = reason.splitlines()
    assert first == "4 problems in the toolbox's settings"
    assert [line.split()[0].rstrip(":") for line in lines] == ["metadata.k", "toolbox_name", "tools.a", "tools.a"]


def test_a_switch_of_the_default_is_an_update(plugin: Plugin) -> None:
    before = plugin.check(TOOLBOX, toolbox(DOCS, promote=False)).inputs
    changed = plugin.diff(TOOLBOX, before, toolbox(DOCS))
    assert (changed.changes, changed.replaces) == (True, [])


def identity(principal: str) -> dict[str, str]:
    return {"project_endpoint": ENDPOINT, "agent_name": "support", "principal_id": principal}


def test_an_identity_that_is_not_known_while_a_version_is_planned_is_no_change(plugin: Plugin) -> None:
    """Else every new version would show, in the preview, a role that is removed and assigned again."""
    assert plugin.diff(IDENTITY, identity("p1"), identity(UNKNOWN)).changes is False


def test_an_identity_that_has_changed_is_a_change(plugin: Plugin) -> None:
    """Case 47: grants follow. hub#1107"""
    changed = plugin.diff(IDENTITY, identity("p1"), identity("p2"))
    assert (changed.changes, changed.replaces) == (True, [])
    assert plugin.update(IDENTITY, "support", identity("p1"), identity("p2")).outs["principal_id"] == "p2"


def store(**changed: object) -> dict[str, object]:
    files = {"faq.md": "a" * 64, "terms.txt": "b" * 64}
    return {"project_endpoint": ENDPOINT, "store_name": "docs", "owner": OWNER, "files": files, **changed}


def test_the_same_files_elsewhere_are_no_change(plugin: Plugin) -> None:
    """Another machine, another checkout."""
    before = plugin.check(STORE, store(paths={"faq.md": "/here/faq.md"})).inputs
    assert plugin.diff(STORE, before, store(paths={"faq.md": "/there/faq.md"})).changes is False


def test_a_changed_file_is_another_store(plugin: Plugin) -> None:
    assert plugin.diff(STORE, store(), store(files={"faq.md": "c" * 64})).replaces == ["files"]


def test_a_stores_problems_come_together(plugin: Plugin) -> None:
    checked = plugin.check(STORE, store(store_name=" ", files={"faq.md": "no hash"}))
    assert checked.failures[0][1].startswith("2 problems in the vector store's settings")
