"""The inputs of ``ContentTag``: which content, and where its image is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_agents.lifecycle.inputs.image_reference import repository_problem
from foundry_agents.lifecycle.inputs.shared import OnRow
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, output, row
from foundry_agents.lifecycle.schema.parsers import flag, non_empty, sha256_hex, text
from foundry_agents.lifecycle.schema.report import Report
from foundry_agents.lifecycle.schema.shapes import Items


def _repository(path: str, raw: object, report: Report) -> str | None:
    problem = repository_problem(raw) if isinstance(raw, str) else "must be text"
    if problem:
        report.add(path, problem)
        return None
    return str(raw)


@dataclass(frozen=True, kw_only=True)
class OfContent(Rows):
    """What an image is built from."""

    content: str = row(
        sha256_hex,
        "Hash of what the image is built from, 64 hexadecimal digits.",
        "ours",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )
    revision: str = row(
        text(), "Commit that the content is from, for a second tag.", "ours", on_change=OnChange.IGNORE, empty=""
    )


@dataclass(frozen=True, kw_only=True)
class ContentTagInputs(OfContent, OnRow):
    """Inputs of ContentTag."""

    repository: str = row(
        _repository,
        "Where the image is: `registry/repository`.",
        "docs",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )
    builder: str = row(text(), "Name of a buildx builder.", "ours", on_change=OnChange.IGNORE, empty="")
    sign_in: bool = row(
        flag,
        "Give Docker a token, valid for three hours, when it has none that the registry accepts.",
        "ours",
        on_change=OnChange.IGNORE,
        default=True,
    )


@dataclass(frozen=True, kw_only=True)
class ContentTagOutputs(Rows):
    """Outputs of ContentTag."""

    tags: Sequence[str] = output(
        Items(non_empty, "tags"),
        "Its tags as `registry/repository:tag`: the content's, and the commit's where there is one.",
        default=(),
    )
    found: str = output(
        text(),
        "Digest that the tag pointed to when the content was first looked up; empty when it has to be built.",
        default="",
    )
    previous: str | None = output(text(), "Tag of the content before this one; none for the first.")
    builds: str = output(
        text(),
        "How often an image that was built here was missing in the registry later, and is built again.",
        default="0",
    )


CONTENT_TAG_FIELDS = FieldTable("the image's settings", ContentTagInputs, ContentTagOutputs)
"""Inputs and outputs of ContentTag."""
