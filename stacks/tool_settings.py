"""What a stack's file may say of tools: the words of the components, by type; of other types the words of the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
from cattrs import BaseValidationError, IterableValidationError, IterableValidationNote

import foundry_agents as fa
from stacks.reading import Refused, WrongType, checked, structure


@dataclass(frozen=True, kw_only=True)
class SearchedFiles(fa.FileSearch):
    """File search that may bring its files.

    Attributes:
        files: Uploaded and indexed as a VectorStore of the agent's; relative to Pulumi.yaml.
    """

    files: tuple[str, ...] = ()


KINDS: Mapping[str, type[fa.Tool]] = {
    kind.type: kind
    for kind in (fa.CodeInterpreter, SearchedFiles, fa.Mcp, fa.WebSearch, fa.AzureAISearch, fa.OpenApi, fa.A2A)
}
"""The types that have a class; any other is passed on as it is."""


def structure_tools(raw: object, _: object) -> tuple[fa.AnyTool, ...]:
    """Read the tools of an agent, as a hook of cattrs.

    Raises:
        WrongType: Expected a list.
        IterableValidationError: Tools that can't be read, or that break a rule of the components. The rules run here,
            before any resource is declared, on the tools that can be read.
    """
    found: list[fa.AnyTool] = []
    errors: list[Exception] = []
    for place, one in enumerate(checked(raw, list, "a list")):
        try:
            found.append(_tool(one))
        except (Refused, BaseValidationError) as error:
            error.add_note(IterableValidationNote("", place, fa.AnyTool))
            errors.append(error)
    # A rule names the path `tools.docs.server_url`; what follows `tools` continues the path of the list.
    errors += [Refused(problem.removeprefix("tools")) for problem in fa.Tool.problems(found)]
    if errors:
        raise IterableValidationError("tools", errors, tuple)
    return tuple(found)


def declared(agent: str, wanted: Sequence[fa.AnyTool], project: fa.Project, *, force_delete: bool) -> list[fa.AnyTool]:
    """The tools as the component takes them; files become a vector store."""
    # An agent that is deleted by force goes with its project, and its toolbox too: what that searches can't go before.
    gone_with = project.project if isinstance(project, fa.FoundryProject) and force_delete else None
    opts = pulumi.ResourceOptions(deleted_with=gone_with)
    return [_with_store(agent, tool, project, opts) if isinstance(tool, SearchedFiles) else tool for tool in wanted]


def _tool(raw: object) -> fa.AnyTool:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(kind, str):
        raise WrongType(f"a map with a type: {', '.join(KINDS)}, or a newer one")
    if kind not in KINDS:
        return fa.Tool.of(raw)
    tool = structure({key: value for key, value in raw.items() if key != "type"}, KINDS[kind])
    try:
        tool.inputs()
    except ValueError as error:  # settings of one tool that exclude each other
        raise Refused(f": {error}") from error
    return tool


def _with_store(agent: str, tool: SearchedFiles, project: fa.Project, opts: pulumi.ResourceOptions) -> fa.AnyTool:
    if not tool.files:
        return tool
    name = tool.name if isinstance(tool.name, str) else "files"
    store = fa.VectorStore(f"{agent}-{name}", project_endpoint=project.endpoint, files=tool.files, opts=opts)
    return replace(tool, vector_store_ids=[*tool.vector_store_ids, store.vector_store_id])
