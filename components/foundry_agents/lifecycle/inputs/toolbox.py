"""The inputs of ``ToolboxVersion``: the tools, and how their versions are managed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_agents.lifecycle.inputs import rules, tool_rules
from foundry_agents.lifecycle.inputs.shared import Described, OfProject, Owned
from foundry_agents.lifecycle.inputs.tool_credentials import credentials_in, refusal
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, output, row
from foundry_agents.lifecycle.schema.parsers import flag, non_empty, number, text
from foundry_agents.lifecycle.schema.report import Report
from foundry_agents.lifecycle.schema.shapes import Items


@dataclass(frozen=True, kw_only=True)
class ToolboxInputs(Owned, Described, OfProject):
    """Inputs of ToolboxVersion."""

    toolbox_name: str = row(
        rules.agent_name,
        "Name of the toolbox in its project: 1 to 63 letters, digits, hyphens.",
        "modelled after agent names",
        required=True,
        empty="",
        identity=True,
    )
    tools: Mapping[str, tool_rules.Tool] = row(
        tool_rules.tools,
        "The tools in any order: `[CodeInterpreter(), Mcp(…), Tool.of({…})]`. A preview shows each as `tool:NAME`.",
        "sdk",
        required=True,
        empty={},
    )
    promote: bool = row(
        flag,
        "Make this version the toolbox's default: the one that its endpoint without a version serves. An agent of "
        "`HostedAgent(tools=…)` calls its own version, whatever the default is.",
        "recorded: the service leaves the default where it is",
        on_change=OnChange.UPDATE,
        default=True,
    )
    take_over: bool = row(
        flag,
        "Manage a toolbox that exists and that this stack has not created.",
        "ours",
        on_change=OnChange.IGNORE,
        default=False,
    )
    readable: Sequence[str] = row(
        Items(non_empty, "paths", ordered=False),
        "Paths of texts that look like credentials and are none, as the error names them: "
        '`["tools.docs.headers.x-key"]`. Everyone who may read the toolbox can read them.',
        "ours",
        on_change=OnChange.IGNORE,
        empty=(),
    )
    timeout_s: float = row(
        number(least=1, unit=" s"),
        "Give up after this many seconds of throttling.",
        "ours",
        on_change=OnChange.IGNORE,
        default=300,
    )


@dataclass(frozen=True, kw_only=True)
class ToolboxOutputs(Rows):
    """Outputs of ToolboxVersion."""

    version: str = output(text(), 'Its number, as text: `"2"`.', default="")
    version_id: str = output(text(), 'The service\'s id: `"support:2"`.', default="")
    service_id: str | None = output(
        text(), "The service's other id of it; none in state of a release that did not keep it."
    )
    created_at: int = output(number(least=0, whole=True), "Seconds since 1970.", default=0)
    endpoint: str = output(text(), "Where exactly this version is served over MCP.", default="")
    default_endpoint: str = output(text(), "Where the toolbox's default version is served.", default="")
    fingerprint: str = output(
        text(),
        "Hash of the tools, description and metadata; short texts could be guessed from it.",
        default="",
        secret=True,
    )


def _no_credentials(values: Mapping[str, object], report: Report) -> None:
    """Refuse credentials in what is said about the toolbox; those in its tools are found with the tools."""
    said = {name: values[name] for name in ("description", "metadata") if name in values}
    for path, why in credentials_in(said):
        if not report.may_be_read(path):
            report.add(path, refusal(why, path))


TOOLBOX_FIELDS = FieldTable("the toolbox's settings", ToolboxInputs, ToolboxOutputs, cross_check=_no_credentials)
"""Inputs and outputs of ToolboxVersion."""
