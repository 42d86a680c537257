"""The tools in a stack's file: the arguments of the component for each type, or the API payload of any other type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

import foundry_agents as fa
from stacks.reading import Refused, checked, read


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

    The rules of the components are checked here, before any resource is declared, for the tools that can be read.

    Raises:
        Refused: It is not a list, or tools can't be used.
    """
    problems: list[str] = []
    items = enumerate(checked(raw, list, "a list"))
    found = [tool for place, item in items if (tool := _tool(f"[{place}]", item, problems))]
    # A rule reports the path `tools.docs.server_url`; what follows `tools` continues the path of the list.
    problems += [problem.removeprefix("tools") for problem in fa.Tool.problems(list(map(_with_store_to_come, found)))]
    if problems:
        raise Refused(*problems)
    return tuple(found)


def with_vector_stores(
    agent: str, wanted: Sequence[fa.AnyTool], project: fa.Project, *, force_delete: bool
) -> list[fa.AnyTool]:
    """Return the tools for the component, and declare a vector store for the files of each file search."""
    # An agent that is deleted by force is deleted with its project, and so is its toolbox. A vector store that the
    # toolbox searches can't be deleted before it.
    opts = pulumi.ResourceOptions(deleted_with=project.deleted_with if force_delete else None)
    return [_with_store(agent, tool, project, opts) if isinstance(tool, SearchedFiles) else tool for tool in wanted]


def _tool(path: str, raw: object, problems: list[str]) -> fa.AnyTool | None:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(kind, str):
        problems.append(f"{path} must be a map with a type: {', '.join(KINDS)}, or a newer one")
        return None
    if kind not in KINDS:
        return fa.Tool.of(raw)
    tool = read(KINDS[kind], path, {key: value for key, value in raw.items() if key != "type"}, problems)
    try:
        return tool if tool and tool.inputs() else None
    except ValueError as error:  # settings of one tool that can't be combined
        problems.append(f"{path}: {error}")
        return None


def _with_store_to_come(tool: fa.AnyTool) -> fa.AnyTool:
    """Return the tool as the rules judge it: a file search of files gets its store later."""
    if not isinstance(tool, SearchedFiles) or not tool.files:
        return tool
    return replace(tool, vector_store_ids=[*tool.vector_store_ids, "vs_later"])


def _with_store(agent: str, tool: SearchedFiles, project: fa.Project, opts: pulumi.ResourceOptions) -> fa.AnyTool:
    if not tool.files:
        return tool
    name = tool.name if isinstance(tool.name, str) else "files"
    store = fa.VectorStore(f"{agent}-{name}", project=project, files=tool.files, opts=opts)
    return replace(tool, vector_store_ids=[*tool.vector_store_ids, store.vector_store_id])
