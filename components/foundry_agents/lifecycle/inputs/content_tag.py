"""Inputs of ContentTag."""

from __future__ import annotations

import re

from foundry_agents.lifecycle.inputs.image_reference import repository_problem
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, OnChange, Report, flag, shown, text

_CONTENT = re.compile(r"[0-9a-f]{64}")


def _repository(path: str, raw: object, report: Report) -> str | None:
    problem = repository_problem(raw) if isinstance(raw, str) else "must be text"
    if problem:
        report.add(path, problem)
        return None
    return str(raw)


def _content(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and _CONTENT.fullmatch(raw):
        return raw
    report.add(path, f"{shown(raw)}: 64 hexadecimal digits")
    return None


CONTENT = Field(
    "content",
    _content,
    "Hash of what the image is built from, 64 hexadecimal digits.",
    "ours",
    on_change=OnChange.UPDATE,
    required=True,
)

CONTENT_TAG_FIELDS = FieldTable(
    subject="the image's settings",
    fields=(
        Field(
            "repository",
            _repository,
            "Where the image is: `registry/repository`.",
            "docs",
            on_change=OnChange.UPDATE,
            required=True,
        ),
        CONTENT,
        Field("revision", text(), "Commit that goes with it, for a second tag.", "ours", on_change=OnChange.IGNORE),
        Field("builder", text(), "Name of a buildx builder.", "ours", on_change=OnChange.IGNORE),
        Field(
            "sign_in",
            flag,
            "Leave a token of three hours with Docker when it has none that the registry takes.",
            "ours",
            on_change=OnChange.IGNORE,
            default=True,
        ),
        Field("urn", text(), "Row on which progress is shown.", "ours", on_change=OnChange.IGNORE),
    ),
)
"""Inputs of ContentTag."""
