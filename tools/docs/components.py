"""The page of the components, from their docstrings; options that a resource shares come from its field table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import foundry_agents as fa
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.resources.options import VersionOptions

NAMES = (
    "FoundryProject",
    "ModelDeployment",
    "AppInsights",
    "PrivateEndpoint",
    "AgentRegistry",
    "ExistingRegistry",
    "Registry",
    "HostedAgent",
    "ExistingProject",
)
"""The entries of the page, in the order of a program."""

_INTERNAL = frozenset({"resolve"})
"""Methods that components call, not programs."""


def components_page(note: str) -> str:
    """Return every component with its arguments, attributes and methods."""
    lines = ["# Components", note, "", "Where a rule comes from: *docs*, *sdk*, *azd* (all Microsoft), *observed*.", ""]
    for name in NAMES:
        lines += _component(name, getattr(fa, name))
    return "\n".join(lines)


def _component(name: str, kind: Any) -> Iterator[str]:
    yield from (f"## {name}", "")
    yield from _described(inspect.getdoc(kind) or "", inspect.signature(kind.__init__).parameters)
    for method in vars(kind):
        member = getattr(kind, method)
        if not method.startswith("_") and method not in _INTERNAL and inspect.isroutine(member):
            yield from (f"### {name}.{method}", "")
            yield from _described(inspect.getdoc(member) or "", inspect.signature(member).parameters)


def _described(text: str, parameters: Mapping[str, inspect.Parameter]) -> Iterator[str]:
    """Yield the text of a docstring, then a table of each of its sections."""
    words, *sections = re.split(r"\n(?=(?:Args|Attributes|Returns|Raises):\n)", text)
    yield from (words.rstrip().replace("``", "`"), "")
    tables = dict(section.split(":\n", 1) for section in sections)
    if "Args" in tables:
        yield from _table("argument", tables["Args"], parameters)
    if "Attributes" in tables:
        # The attributes of a dataclass are its arguments.
        yield from _table("attribute", tables["Attributes"], {} if "Args" in tables else parameters)


def _table(noun: str, body: str, parameters: Mapping[str, inspect.Parameter]) -> Iterator[str]:
    head = [noun, "meaning", *(["default"] if parameters else [])]
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for name, meaning in _entries(body):
        if name == "**options":
            yield from _options()
            continue
        row = [f"`{name}`", meaning.replace("``", "`").replace("|", "\\|")]
        if parameters:
            row.append(_default(parameters.get(name)))
        yield "| " + " | ".join(row) + " |"
    yield ""


def _options() -> Iterator[str]:
    """Rows of the options that HostedAgent passes on to its version."""
    for row in VERSION_FIELDS.fields:
        if row.name in VersionOptions.__optional_keys__:
            secret = " Secret." if row.secret else ""
            default = "" if row.default is None else f"`{row.default}`"
            yield f"| `{row.name}` | {row.summary}{secret} | {default} |"


def _entries(body: str) -> Iterator[tuple[str, str]]:
    """Yield names and their texts; a text may take several lines."""
    for entry in re.split(r"\n(?=    [\w*]+: )", body.rstrip("\n")):
        name, _, meaning = " ".join(entry.split()).partition(": ")
        yield name, meaning


def _default(parameter: inspect.Parameter | None) -> str:
    if parameter is None or parameter.default is None or parameter.default == ():
        return ""
    if parameter.default is parameter.empty:
        return "required"
    plain = dict(parameter.default) if isinstance(parameter.default, Mapping) else parameter.default
    return f"`{plain}`"
