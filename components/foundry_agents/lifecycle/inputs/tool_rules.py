"""A toolbox's tools as a set: their names, their canonical form, and the connections that they use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from foundry_agents.lifecycle.inputs.tool_credentials import refuse_credentials
from foundry_agents.lifecycle.inputs.tool_types import OTHER_TYPE, TOOL_TYPES
from foundry_agents.lifecycle.schema.report import Report, shown

SECOND = re.compile(r"(?P<name>.*) \(\d+\)")
"""How `by_name` calls a tool whose name is taken."""

Tool = dict[str, object]


def name_of(tool: Mapping[str, object]) -> str:
    """Return a tool's name, an MCP server's label, else its type."""
    for key in ("name", "server_label", "type"):
        if isinstance(name := tool.get(key), str) and name:
            return name
    return "tool"


def by_name(tools: Iterable[Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    """Return tools by name, so that a preview names the one that changed; check refuses a second one of a name."""
    named: dict[str, Mapping[str, object]] = {}
    for tool in tools:
        name = key = name_of(tool)
        number = 1
        while key in named:
            number += 1
            key = f"{name} ({number})"
        named[key] = tool
    return named


def tools(path: str, raw: object, report: Report) -> dict[str, Tool] | None:
    """Parse tools by name, each as its API payload."""
    if not isinstance(raw, Mapping):
        report.add(path, "must be tools: [CodeInterpreter(), Mcp(…), Tool.of({…})]")
        return None
    canonical: dict[str, Tool] = {}
    for key, tool in sorted(raw.items()):
        where = f"{path}.{key}"
        if report.is_unknown(tool) and not isinstance(tool, Mapping):
            canonical[key] = tool
        elif isinstance(tool, Mapping) and report.is_unknown(tool.get("type")):
            canonical[key] = dict(tool)
            refuse_credentials(where, tool, report)
        elif not isinstance(tool, Mapping) or not isinstance(tool.get("type"), str) or not tool["type"]:
            report.add(where, 'must be a tool with a type, for example Tool.of({"type": "code_interpreter"})')
        else:
            canonical[key] = found = _tool(where, tool, report)
            if second := SECOND.fullmatch(key):
                report.add(f"{path}.{second['name']}", _taken(second["name"], found))
    _check_labels(path, canonical, report)
    return canonical or None


def _taken(name: str, tool: Tool) -> str:
    if name == tool["type"]:
        return f'two tools of type {name} have no name; at most one may [docs]: give each its own, with name="…"'
    return "two tools have this name: each needs a name (of an mcp tool: a server_label) of its own"


def _check_labels(path: str, canonical: Mapping[str, Tool], report: Report) -> None:
    """Refuse a label that two servers share: it stands before the names of their tools."""
    labels: dict[str, str] = {}
    for key, tool in canonical.items():
        # A label may be unknown, and so may a whole tool.
        label = tool.get("server_label") if type(tool) is dict else None
        if not isinstance(label, str) or SECOND.fullmatch(key):
            continue
        if label in labels:
            report.add(f"{path}.{key}.server_label", f"{shown(label)} is the label of {labels[label]} already")
        labels.setdefault(label, key)


def _tool(path: str, raw: Mapping[str, object], report: Report) -> Tool:
    tool = {key: value for key, value in _plain(raw).items() if value not in ({}, [], "")}
    TOOL_TYPES.get(str(tool["type"]), OTHER_TYPE)(path, tool, report)
    refuse_credentials(path, tool, report)
    return tool


def _plain(value: Mapping[str, object]) -> Tool:
    return {str(key): _canonical(inner) for key, inner in sorted(value.items()) if inner is not None}


def _canonical(value: object) -> object:
    """Return one spelling of a JSON value: whole numbers are ints, not Pulumi's floats, and there is no None."""
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value if item is not None]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def connections_of(wanted: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Return the names of the connections that tools use, by the path that names each."""
    found: dict[str, str] = {}
    for key, tool in wanted.items():
        _collect(f"tools.{key}", tool, found)
    return found


def _collect(path: str, value: object, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "project_connection_id" and isinstance(inner, str):
                found[f"{path}.{key}"] = inner.rpartition("/")[2]
            elif key != "spec":
                _collect(f"{path}.{key}", inner, found)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _collect(f"{path}[{position}]", item, found)
