"""The inputs of ``RemoteImageBuild``: which folder, and which registry builds it.

Whatever else decides the image is in ``content``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foundry_agents.lifecycle.inputs.content_tag import OfContent
from foundry_agents.lifecycle.inputs.image_reference import prefix_problem, repository_problem
from foundry_agents.lifecycle.inputs.shared import OnRow
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, output, row
from foundry_agents.lifecycle.schema.parsers import matching, number, text, text_by_name
from foundry_agents.lifecycle.schema.report import Report, shown

_registry_id = matching(
    r"(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ContainerRegistry/registries/[^/]+",
    " is not the ARM id of a container registry",
)


def _login_server(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and prefix_problem(raw) is None:
        return raw
    report.add(path, f"{shown(raw)} is not the login server of a registry")
    return None


def _repository(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and repository_problem(f"host/{raw}") is None:
        return raw
    report.add(path, f"{shown(raw)} is not a repository: a path in lower case")
    return None


@dataclass(frozen=True, kw_only=True)
class RemoteBuildInputs(OfContent, OnRow):
    """Inputs of RemoteImageBuild."""

    registry_id: str = row(
        _registry_id,
        "ARM id of the registry whose tasks build.",
        "docs",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )
    login_server: str = row(
        _login_server,
        "What references to its images begin with.",
        "docs",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )
    repository: str = row(
        _repository,
        "Where the image is, below the registry.",
        "docs",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )
    files: str = row(
        text(),
        "Hash of the folder's files as they were planned; what is uploaded must be the same.",
        "ours",
        on_change=OnChange.IGNORE,
        empty="",
    )
    context: str = row(text(), "The folder.", "ours", on_change=OnChange.IGNORE, required=True, empty="")
    dockerfile: str = row(
        text(), "Path of a Dockerfile other than the folder's own.", "ours", on_change=OnChange.IGNORE, empty=""
    )
    target: str = row(text(), "Stage to build.", "docs", on_change=OnChange.IGNORE, empty="")
    build_args: Mapping[str, str] = row(
        text_by_name, "Values of `ARG`; not secret.", "docs", on_change=OnChange.IGNORE, empty={}
    )
    context_limit_mb: float = row(
        number(least=1, unit=" MB"),
        "Refuse a context of more megabytes.",
        "ours",
        on_change=OnChange.IGNORE,
        default=200,
    )
    timeout_s: float = row(
        number(least=60, most=28800, unit=" s"),
        "Give up after this many seconds; the run itself too.",
        "docs",
        on_change=OnChange.IGNORE,
        default=1800,
    )
    poll_interval_s: float = row(
        number(least=0.1, most=60, unit=" s"),
        "Pause between two reads of the run.",
        "ours",
        on_change=OnChange.IGNORE,
        default=3,
    )

    @property
    def reference(self) -> str:
        """``login_server/repository``."""
        return f"{self.login_server}/{self.repository}"


@dataclass(frozen=True, kw_only=True)
class RemoteBuildOutputs(Rows):
    """Outputs of RemoteImageBuild."""

    digest: str = output(text(), "Digest that pins the image.", default="")


REMOTE_BUILD_FIELDS = FieldTable("the image's settings", RemoteBuildInputs, RemoteBuildOutputs)
"""Inputs and outputs of RemoteImageBuild."""
