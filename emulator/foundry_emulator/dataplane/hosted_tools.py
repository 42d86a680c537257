"""The tools that the service runs itself: listed with a schema; their results say that they are modelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NOTHING_RAN = {
    "code_interpreter": "no code was run",
    "web_search": "nothing was searched",
    "azure_ai_search": "no index was asked",
    "openapi": "no API was called",
    "a2a": "no agent was asked",
    "a2a_preview": "no agent was asked",
    "shell": "no command was run",
    "browser_automation": "no browser was driven",
    "browser_automation_preview": "no browser was driven",
}
_INPUTS = {
    "code_interpreter": "code",
    "web_search": "query",
    "file_search": "query",
    "azure_ai_search": "query",
    "shell": "command",
}
_SHOWN = 200  # characters


@dataclass(frozen=True, slots=True)
class HostedTool:
    """A tool that the real service runs.

    Attributes:
        name: The tool's ``name``, or its type [docs].
        kind: Its type.
        description: The description for the model.
        definition: The tool in the toolbox version.
    """

    name: str
    kind: str
    description: str
    definition: Mapping[str, object]

    @property
    def input_name(self) -> str:
        """The name of its one argument [modelled]."""
        return _INPUTS.get(self.kind, "input")

    def schema(self) -> dict[str, object]:
        """Return the JSON schema of its input [modelled]."""
        return {"type": "object", "properties": {self.input_name: {"type": "string"}}, "required": [self.input_name]}

    def result(self, arguments: Mapping[str, object]) -> str:
        """Return its result; the text says that it is modelled."""
        given = str(arguments.get(self.input_name, ""))[:_SHOWN]
        what = _NOTHING_RAN.get(self.kind, "nothing ran")
        return f"Modelled by the local Azure: {self.kind} does not run here, {what}. {self.input_name} was: {given}"


def hosted_tools(tools: object) -> list[HostedTool]:
    """Return the tools of a version that the real service runs."""
    found: list[HostedTool] = []
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, Mapping) and tool.get("type") != "mcp":
            kind, name, description = str(tool.get("type")), tool.get("name"), tool.get("description")
            described = description if isinstance(description, str) else f"Modelled by the local Azure: {kind}."
            found.append(HostedTool(name if isinstance(name, str) and name else kind, kind, described, tool))
    return found
