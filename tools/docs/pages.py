"""The pages of docs/reference, each from the one place that knows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from foundry_agents.lifecycle.failure import errors
from foundry_agents.lifecycle.failure.catalog import OLDER_NAMES, REFUSALS
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, ServiceError
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS
from foundry_agents.lifecycle.inputs.vector_store import VECTOR_STORE_FIELDS
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.pull_causes import Pull
from foundry_agents.lifecycle.remedies import ACR_PULL, FAILURES, Cause
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, Items, OnChange, Record
from foundry_agents.lifecycle.views import PullAccess
from foundry_emulator.parity import parity_page
from tools.docs.components import components_page

_NOTE = "<!-- Written by `make docs` from the code; a test fails when it is out of date. -->"

_MEANING = {
    OnChange.REPLACE: "new version",
    OnChange.UPDATE: "update",
    OnChange.IGNORE: "nothing",
}


def pages() -> dict[str, str]:
    """Every page by its path below docs/reference."""
    return {
        "hosted-agent-version.md": inputs_page(
            "HostedAgentVersion", "One immutable version of a hosted agent.", VERSION_FIELDS
        ),
        "agent-rollout.md": inputs_page("AgentRollout", "Which version of an agent serves.", ROLLOUT_FIELDS),
        "toolbox-version.md": inputs_page(
            "ToolboxVersion", "One immutable version of a toolbox: see [tools](../tools.md).", TOOLBOX_FIELDS
        ),
        "vector-store.md": inputs_page(
            "VectorStore", "Files that file search looks through: see [tools](../tools.md#files).", VECTOR_STORE_FIELDS
        ),
        "components.md": components_page(_NOTE),
        "errors.md": errors_page(),
        "parity.md": parity_page(),
    }


def inputs_page(name: str, summary: str, table: FieldTable) -> str:
    """The inputs of a resource."""
    lines = [
        f"# {name}",
        _NOTE,
        "",
        summary,
        "",
        "The last column says where a rule comes from: *docs*, *sdk*, *azd* (all Microsoft), *observed* (reports",
        "of others), *service*, or *ours*.",
        "",
        "| input | meaning | default | a change makes | source |",
        "| --- | --- | --- | --- | --- |",
        *map(_row, sorted(table.fields, key=lambda row: (not row.required, row.name))),
        "",
    ]
    for row in sorted(table.fields, key=lambda row: row.name):
        lines += _inside(row.name, row.parse)
    return "\n".join(lines)


def _inside(path: str, parse: object) -> list[str]:
    """The entries of an input that is a mapping with rows of its own, or a list of them, at any depth."""
    if isinstance(parse, Items):
        return _inside(f"{path}[]", parse.parse)
    if not isinstance(parse, Record):
        return []
    lines = [
        f"## {path}",
        "",
        "| entry | meaning | default | source |",
        "| --- | --- | --- | --- |",
        *(f"| `{row.name}` | {row.summary} | {_default(row)} | {row.source} |" for row in parse.rows),
        "",
    ]
    for row in parse.rows:
        lines += _inside(f"{path}.{row.name}", row.parse)
    return lines


def _row(row: Field[object]) -> str:
    summary = row.summary + (" Secret." if row.secret else "")
    return f"| `{row.name}` | {summary} | {_default(row)} | {_MEANING[row.on_change]} | {row.source} |"


def _default(row: Field[object]) -> str:
    return "required" if row.required else "" if row.default is None else f"`{_shown(row.default)}`"


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default).replace("'", '"')


def errors_page() -> str:
    """Every error: when it is raised and what to do."""
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
        "The codes of VersionFailedError [docs, azd, observed]; one that this release does not know is told like",
        "`ProvisioningError`. Why a pull failed is read from the registry; the last row of ImageError is for one that",
        "can't be read.",
        "",
        "| code | cause | remedy |",
        "| --- | --- | --- |",
        *(f"| `{code}` | {cause.why} | {cause.do} |" for code, cause in failures),
        "",
        "## Why the service refused",
        "",
        "What a ServiceError says for these answers; the codes are [docs, azd, observed], and no recording holds one.",
        "Where one code has many causes, the service's words decide.",
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
    """What a failed pull is told as, on an example."""
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
