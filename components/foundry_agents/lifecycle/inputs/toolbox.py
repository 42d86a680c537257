"""The inputs of ``ToolboxVersion``: the tools, and how their versions are managed."""

from __future__ import annotations

from collections.abc import Mapping

from foundry_agents.lifecycle.inputs import rules, tool_rules
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, OnChange, flag, number

_SAME = {row.name: row for row in VERSION_FIELDS.fields}
"""Rows that mean here what they mean of an agent's version."""

TOOLBOX_FIELDS = FieldTable(
    "the toolbox's settings",
    (
        _SAME["project_endpoint"],
        Field(
            "toolbox_name",
            rules.agent_name,
            "Name of the toolbox in its project: 1 to 63 letters, digits, hyphens.",
            "modelled after agent names",
            required=True,
            identity=True,
        ),
        Field(
            "tools",
            tool_rules.tools,
            "The tools in any order: `[CodeInterpreter(), Mcp(…), Tool.of({…})]`. A preview shows each as `tool:NAME`.",
            "sdk",
            required=True,
        ),
        _SAME["description"],
        _SAME["metadata"],
        Field(
            "promote",
            flag,
            "Make this version the toolbox's default: the one that its endpoint without a version serves. An agent of "
            "`HostedAgent(tools=…)` calls its own version, whatever the default is.",
            "recorded: the service leaves the default where it is",
            on_change=OnChange.UPDATE,
            default=True,
        ),
        _SAME["owner"],
        _SAME["former_owners"],
        _SAME["chosen"],
        _SAME["urn"],
        Field(
            "take_over",
            flag,
            "Manage a toolbox that exists and that this stack has not made.",
            "ours",
            on_change=OnChange.IGNORE,
            default=False,
        ),
        Field(
            "timeout_s",
            number(least=1, unit=" s"),
            "Give up after this many seconds of throttling.",
            "ours",
            on_change=OnChange.IGNORE,
            default=300,
        ),
    ),
)
"""Inputs of ToolboxVersion."""


def described(values: Mapping[str, object]) -> dict[str, object]:
    """The part of canonical values that makes one version differ from another."""
    return {
        row.name: values[row.name]
        for row in TOOLBOX_FIELDS.fields
        if row.on_change is OnChange.REPLACE and not row.identity and row.name in values
    }
