"""What a stack's file may say of tools: the words of the components, by type; of other types the words of the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

import foundry_agents as fa
from stacks.reading import read


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


def read_tools(path: str, raw: object, problems: list[str]) -> tuple[fa.AnyTool, ...]:
    """Reads the tools of an agent; the rules of the components say what is wrong, before anything is declared."""
    if not isinstance(raw, list):
        problems.append(f"{path} must be a list")
        return ()
    found = [tool for place, one in enumerate(raw) if (tool := _tool(f"{path}[{place}]", one, problems))]
    # The components say `tools.docs.server_url …`, as the preview does.
    problems.extend(f"{path.removesuffix('tools')}{problem}" for problem in fa.Tool.problems(found))
    return tuple(found)


def declared(agent: str, wanted: Sequence[fa.AnyTool], project: fa.Project, *, force_delete: bool) -> list[fa.AnyTool]:
    """The tools as the component takes them; files become a vector store."""
    # An agent that is deleted by force goes with its project, and its toolbox too: what that searches can't go before.
    opts = pulumi.ResourceOptions(deleted_with=project.deleted_with if force_delete else None)
    return [_with_store(agent, tool, project, opts) if isinstance(tool, SearchedFiles) else tool for tool in wanted]


def _tool(path: str, raw: object, problems: list[str]) -> fa.AnyTool | None:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(kind, str):
        problems.append(f"{path} must be a map with a type: {', '.join(KINDS)}, or a newer one")
        return None
    tool = read(KINDS[kind], path, raw, problems) if kind in KINDS else fa.Tool.of(raw)
    try:
        return tool if tool and tool.inputs() else None
    except ValueError as error:  # settings of one tool that exclude each other
        problems.append(f"{path}: {error}")
        return None


def _with_store(agent: str, tool: SearchedFiles, project: fa.Project, opts: pulumi.ResourceOptions) -> fa.AnyTool:
    if not tool.files:
        return tool
    name = tool.name if isinstance(tool.name, str) else "files"
    store = fa.VectorStore(f"{agent}-{name}", project=project, files=tool.files, opts=opts)
    return replace(tool, vector_store_ids=[*tool.vector_store_ids, store.vector_store_id])
