"""The inputs of ``ToolboxVersion``: the tools, and how their versions are managed."""

from __future__ import annotations

from collections.abc import Mapping

from foundry_agents.lifecycle import rules, tool_rules
from foundry_agents.lifecycle.definition import IDENTITY_FIELDS, OURS_FIELDS
from foundry_agents.lifecycle.fields import Field, FieldTable, OnChange, flag, number, text

_PROJECT = next(row for row in IDENTITY_FIELDS if row.name == "project_endpoint")
_OURS = tuple(row for row in OURS_FIELDS if row.name in {"owner", "urn"})

TOOLBOX_FIELDS = FieldTable(
    "the toolbox's settings",
    (
        _PROJECT,
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
        Field("description", text(most=512), "At most 512 characters.", "service"),
        Field(
            "metadata",
            rules.metadata,
            "Up to 12 pairs of your own; name up to 64, value up to 512 characters.",
            "sdk",
        ),
        Field(
            "promote",
            flag,
            "Make this version the toolbox's default: the one that its endpoint without a version serves. An agent of "
            "`HostedAgent(tools=…)` calls its own version, whatever the default is.",
            "recorded: the service leaves the default where it is",
            on_change=OnChange.UPDATE,
            default=True,
        ),
        *_OURS,
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
