"""The pages of docs/reference, each written from the code that it describes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

from foundry_agents import errors
from foundry_agents.lifecycle.failure.catalog import OLDER_NAMES, REFUSALS
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import ServiceError
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.tool_types import TOOL_TYPES, AnyTool
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS
from foundry_agents.lifecycle.inputs.vector_store import VECTOR_STORE_FIELDS
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.pull_causes import Pull
from foundry_agents.lifecycle.remedies import FAILURES, Cause
from foundry_agents.lifecycle.roles import ACR_PULL
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, OnChange, rows_of
from foundry_agents.lifecycle.schema.shapes import rows_inside
from foundry_agents.lifecycle.views import PullAccess
from foundry_emulator.parity import parity_page
from tools.docs.components import components_page

_NOTE = "<!-- Written by `make docs` from the code; a test fails when it is out of date. -->"

_MEANING = {
    OnChange.REPLACE: "replacement",
    OnChange.UPDATE: "update",
    OnChange.IGNORE: "nothing",
}


def pages() -> dict[str, str]:
    """Return every page by its path below docs/reference."""
    return {
        "hosted-agent-version.md": resource_page(
            "HostedAgentVersion", "One immutable version of a hosted agent.", VERSION_FIELDS
        ),
        "agent-rollout.md": resource_page("AgentRollout", "Which version of an agent serves.", ROLLOUT_FIELDS),
        "toolbox-version.md": resource_page(
            "ToolboxVersion",
            "One immutable version of a toolbox: see [tools](../tools.md), and each type's [fields](tools.md).",
            TOOLBOX_FIELDS,
        ),
        "tools.md": tools_page(),
        "vector-store.md": resource_page(
            "VectorStore", "Files that file search looks through: see [tools](../tools.md#files).", VECTOR_STORE_FIELDS
        ),
        "components.md": components_page(_NOTE),
        "errors.md": errors_page(),
        "parity.md": parity_page(),
    }


_SOURCES = (
    "The last column says where a rule comes from: *docs*, *sdk*, *azd* (all Microsoft), *observed* (reports",
    "of others), *service*, or *ours*.",
)


def resource_page(name: str, summary: str, table: FieldTable[Any, Any]) -> str:
    """Return the inputs and outputs of a resource."""
    lines = [
        f"# {name}",
        _NOTE,
        "",
        summary,
        "",
        *_SOURCES,
        "",
        "| input | meaning | default | a change makes | source |",
        "| --- | --- | --- | --- | --- |",
        *map(_input, sorted(table.fields, key=lambda row: (not row.required, row.name))),
        "",
    ]
    for row in sorted(table.fields, key=lambda row: row.name):
        lines += _inside(row.name, row.parse)
    if table.computed:
        lines += ["## Outputs", "", "| output | meaning |", "| --- | --- |"]
        lines += [f"| `{row.name}` | {_summary_of(row)} |" for row in sorted(table.computed, key=lambda row: row.name)]
        lines += [""]
    return "\n".join(lines)


def tools_page() -> str:
    """Return the fields of every type of tool."""
    lines = [
        "# Tools of a toolbox",
        _NOTE,
        "",
        "What each type of tool accepts: the entries of `Tool.of({…})`, with the names of the API. How to write tools",
        "in a program: see [tools](../tools.md). A type or a field that is not here is passed on unchecked, and the",
        "service decides.",
        "",
        *_SOURCES,
        "",
        *_section("every type", rows_of(AnyTool)),
    ]
    common = {row.name for row in rows_of(AnyTool)}
    for kind, payload in sorted(TOOL_TYPES.items()):
        rows = [row for row in payload.rows if row.name not in common]
        lines += _section(kind, rows)
        for row in rows:
            lines += _inside(f"{kind}.{row.name}", row.parse)
    return "\n".join(lines)


def _inside(path: str, parse: object) -> list[str]:
    """Return the entries of an input that has rows of its own, or of a list of them, at any depth."""
    lists, rows = rows_inside(parse)
    if not rows:
        return []
    lines = _section(f"{path}{lists}", rows)
    for row in rows:
        lines += _inside(f"{path}{lists}.{row.name}", row.parse)
    return lines


def _section(title: str, rows: Sequence[Field[object]]) -> list[str]:
    return [
        f"## {title}",
        "",
        "| entry | meaning | default | source |",
        "| --- | --- | --- | --- |",
        *(f"| `{row.name}` | {row.summary} | {_default(row)} | {row.source} |" for row in rows),
        "",
    ]


def _input(row: Field[object]) -> str:
    return f"| `{row.name}` | {_summary_of(row)} | {_default(row)} | {_MEANING[row.on_change]} | {row.source} |"


def _summary_of(row: Field[object]) -> str:
    return row.summary + (" Secret." if row.secret else "")


def _default(row: Field[object]) -> str:
    return "required" if row.required else "" if row.default is None else f"`{_shown(row.default)}`"


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default).replace("'", '"')


def errors_page() -> str:
    """Return every error: when it is raised and what to do."""
    drawing = [
        line for line in (inspect.getdoc(errors) or "").splitlines() if re.match(r"FoundryAgentsError|[│├└ ]+", line)
    ]
    lines = [
        "# Errors",
        _NOTE,
        "",
        "Each message says what failed, where, in what state things are, what to do, and, where there is one, the",
        "request id. None holds the value of an environment variable.",
        "",
        "All are in the module `foundry_agents.errors`. Most are raised while Pulumi creates, updates or deletes a",
        "resource, so a program can't catch them: `pulumi up` ends with the message. A program's own mistake is",
        "a `pulumi.RunError` with the same kind of message, which Pulumi prints without a traceback. Tests with the",
        "in-memory services of `foundry_agents.testing` can catch them.",
        "",
        "```",
        *drawing,
        "```",
        "",
    ]
    for kind in _tree(FoundryAgentsError):
        lines += [f"## {kind.__name__}", "", _summary(kind), ""]
        if issubclass(kind, ServiceError) and kind.do:
            lines += [f"**Do:** {kind.do}.", ""]
    failures = [*(("ImageError", cause) for cause in _pull_causes()), *FAILURES.items()]
    lines += [
        "## Why a version failed",
        "",
        "The codes of VersionFailedError [docs, azd, observed]; one that this release does not know is reported like",
        "`ProvisioningError`. Why a pull failed is read from the registry; the last row of ImageError is for one that",
        "cannot be read.",
        "",
        "| code | cause | remedy |",
        "| --- | --- | --- |",
        *(f"| `{code}` | {cause.why} | {cause.do} |" for code, cause in failures),
        "",
        "## Why the service refused",
        "",
        "What a ServiceError says for these answers; the codes are [docs, azd, observed], and no recording holds one.",
        "Where one code has many causes, the service's message decides.",
        "",
        "| code | status | cause | remedy |",
        "| --- | --- | --- | --- |",
        *(f"| `{refusal.code}` | {refusal.status} | {refusal.why} | {refusal.do} |" for refusal in REFUSALS),
        "",
        "## Names from older guides",
        "",
        "These four are in guides of the preview. No first-party source has them as codes of the service.",
        "",
        "| older name | today | what it is |",
        "| --- | --- | --- |",
        *(f"| `{older}` | {today} | {meaning} |" for older, (today, meaning) in OLDER_NAMES.items()),
        "",
    ]
    return "\n".join(lines)


def _pull_causes() -> Iterator[Cause]:
    """Return how a failed pull is reported, by an example of each cause."""
    pull = Pull("acme.azurecr.io/support@sha256:…", "")
    registry, held = "/…/registries/acme", frozenset({ACR_PULL})
    yield pull.cause_with(PullAccess(registry))
    yield pull.cause_with(PullAccess(registry, held, takes_arm_tokens=False))
    yield pull.cause_with(PullAccess(registry, held, repository_permissions=True))
    yield pull.cause_with(PullAccess(registry, held))
    yield pull.usual_causes()


def _tree(root: type[FoundryAgentsError]) -> Iterator[type[FoundryAgentsError]]:
    for kind in root.__subclasses__():
        if kind.__module__.startswith("foundry_agents."):
            yield kind
            yield from _tree(kind)


def _summary(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
