"""The tools in a stack's file: the arguments of the component for each type, or the API payload of any other type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
from cattrs import BaseValidationError, IterableValidationError, IterableValidationNote

import foundry_agents as fa
from stacks.reading import Refused, WrongType, checked, structure


@dataclass(frozen=True, kw_only=True)
class SearchedFiles(fa.FileSearch):
    """File search, optionally with files to upload.

    Attributes:
        files: Files to upload and index in a VectorStore of the agent; relative to Pulumi.yaml.
    """

    files: tuple[str, ...] = ()


KINDS: Mapping[str, type[fa.Tool]] = {
    kind.type: kind
    for kind in (fa.CodeInterpreter, SearchedFiles, fa.Mcp, fa.WebSearch, fa.AzureAISearch, fa.OpenApi, fa.A2A)
}
"""The types with a class; any other type is passed on unchanged."""


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


def with_vector_stores(
    agent: str, wanted: Sequence[fa.AnyTool], project: fa.Project, *, force_delete: bool
) -> list[fa.AnyTool]:
    """Return the tools for the component, and declare a vector store for the files of each file search."""
    # An agent that is deleted by force is deleted with its project, and so is its toolbox. A vector store that the
    # toolbox searches can't be deleted before it.
    deleted_with = project.project if isinstance(project, fa.FoundryProject) and force_delete else None
    opts = pulumi.ResourceOptions(deleted_with=deleted_with)
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
    except ValueError as error:  # settings of one tool that can't be combined
        raise Refused(f": {error}") from error
    return tool


def _with_store(agent: str, tool: SearchedFiles, project: fa.Project, opts: pulumi.ResourceOptions) -> fa.AnyTool:
    if not tool.files:
        return tool
    name = tool.name if isinstance(tool.name, str) else "files"
    store = fa.VectorStore(f"{agent}-{name}", project_endpoint=project.endpoint, files=tool.files, opts=opts)
    return replace(tool, vector_store_ids=[*tool.vector_store_ids, store.vector_store_id])
