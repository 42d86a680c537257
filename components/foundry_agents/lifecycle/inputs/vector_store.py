"""The inputs of ``VectorStore``: which files, by what is in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, OnChange, Report, number, shown

_SAME = {row.name: row for row in VERSION_FIELDS.fields}
"""Rows that mean here what they mean of an agent's version."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _store_name(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and re.fullmatch(r"[^\s].{0,254}[^\s]|[^\s]", raw):
        return raw
    report.add(path, f"{shown(raw)}: 1 to 256 characters, no space at either end")
    return None


def _files(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must be files: a list of paths")
        return None
    canonical: dict[str, str] = {}
    for name, digest in sorted(raw.items()):
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            report.add(f"{path}.{name}", "must be the SHA-256 of what is in the file: 64 hexadecimal digits")
        else:
            canonical[name] = digest
    return canonical or None


def _paths(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if isinstance(raw, Mapping) and all(isinstance(value, str) for value in raw.values()):
        return dict(sorted(raw.items()))
    report.add(path, "must map names to paths")
    return None


VECTOR_STORE_FIELDS = FieldTable(
    "the vector store's settings",
    (
        _SAME["project_endpoint"],
        Field("store_name", _store_name, "What the store is called.", "modelled", required=True, identity=True),
        Field(
            "files",
            _files,
            "SHA-256 by file name, worked out from the paths that a program gives. A touched file is no change; other "
            "content makes a new store.",
            "ours",
            required=True,
        ),
        Field(
            "paths",
            _paths,
            "Where each file is on the machine that deploys; set for you.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        _SAME["owner"],
        _SAME["former_owners"],
        _SAME["chosen"],
        _SAME["urn"],
        Field(
            "timeout_s",
            number(least=1, unit=" s"),
            "Give up waiting for the index after this many seconds.",
            "ours",
            on_change=OnChange.IGNORE,
            default=600,
        ),
        Field(
            "poll_interval_s",
            number(least=0.1, most=60, unit=" s"),
            "Pause between two looks at the index.",
            "ours",
            on_change=OnChange.IGNORE,
            default=3,
        ),
    ),
)
"""Inputs of VectorStore."""
