"""Inputs of RemoteImageBuild."""

from __future__ import annotations

import re
from collections.abc import Mapping

from foundry_agents.lifecycle.inputs.content_tag import CONTENT
from foundry_agents.lifecycle.inputs.image_reference import repository_problem
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, OnChange, Report, number, shown, text

_REGISTRY_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ContainerRegistry/registries/[^/]+", re.IGNORECASE
)


def _registry_id(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and _REGISTRY_ID.fullmatch(raw):
        return raw
    report.add(path, f"{shown(raw)} is no ARM id of a container registry")
    return None


def _login_server(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and repository_problem(f"{raw}/x") is None:
        return raw
    report.add(path, f"{shown(raw)} is no registry's login server")
    return None


def _repository(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and repository_problem(f"host/{raw}") is None:
        return raw
    report.add(path, f"{shown(raw)} is no repository: a path in lower case")
    return None


def _texts(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must be a mapping of text to text")
        return None
    for name, value in raw.items():
        if not isinstance(value, str) and not report.is_unknown(value):
            report.add(f"{path}.{name}", "must be text")
    return dict(sorted(raw.items())) or None


REMOTE_BUILD_FIELDS = FieldTable(
    subject="the image's settings",
    fields=(
        Field(
            "registry_id",
            _registry_id,
            "ARM id of the registry whose tasks build.",
            "docs",
            on_change=OnChange.UPDATE,
            required=True,
        ),
        Field(
            "login_server",
            _login_server,
            "What references to its images begin with.",
            "docs",
            on_change=OnChange.UPDATE,
            required=True,
        ),
        Field(
            "repository",
            _repository,
            "Where the image is, below the registry.",
            "docs",
            on_change=OnChange.UPDATE,
            required=True,
        ),
        CONTENT,
        Field("revision", text(), "Commit that goes with it, for a second tag.", "ours", on_change=OnChange.IGNORE),
        Field(
            "files",
            text(),
            "Hash of the folder's files as they were planned; what is uploaded must be the same.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field("context", text(), "The folder.", "ours", on_change=OnChange.IGNORE, required=True),
        Field("dockerfile", text(), "Another than the folder's own.", "ours", on_change=OnChange.IGNORE),
        Field("target", text(), "Stage to build.", "docs", on_change=OnChange.IGNORE),
        Field("build_args", _texts, "Values of `ARG`; not secret.", "docs", on_change=OnChange.IGNORE),
        Field(
            "context_limit_mb",
            number(least=1, unit=" MB"),
            "Refuse a context of more megabytes.",
            "ours",
            on_change=OnChange.IGNORE,
            default=200,
        ),
        Field(
            "timeout_s",
            number(least=60, most=28800, unit=" s"),
            "Give up after this many seconds; the run itself too.",
            "docs",
            on_change=OnChange.IGNORE,
            default=1800,
        ),
        Field(
            "poll_interval_s",
            number(least=0.1, most=60, unit=" s"),
            "Pause between two looks at the run.",
            "ours",
            on_change=OnChange.IGNORE,
            default=3,
        ),
        Field("urn", text(), "Row on which progress is shown.", "ours", on_change=OnChange.IGNORE),
    ),
)
"""Inputs of RemoteImageBuild. What else decides the image is in `content`."""
