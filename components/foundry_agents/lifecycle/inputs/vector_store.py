"""The inputs of ``VectorStore``: which files, by their content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foundry_agents.lifecycle.inputs.shared import OfProject, Owned
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, output, row
from foundry_agents.lifecycle.schema.parsers import matching, number, sha256_hex, text
from foundry_agents.lifecycle.schema.report import Report

_store_name = matching(r"[^\s].{0,254}[^\s]|[^\s]", ": 1 to 256 characters, no space at either end")


def _files(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must be files: a list of paths")
        return None
    canonical: dict[str, str] = {}
    for name, value in sorted(raw.items()):
        digest = sha256_hex(f"{path}.{name}", value, report)
        if digest is not None:
            canonical[name] = digest
    return canonical or None


def _paths(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if isinstance(raw, Mapping) and all(isinstance(value, str) for value in raw.values()):
        return dict(sorted(raw.items()))
    report.add(path, "must map names to paths")
    return None


@dataclass(frozen=True, kw_only=True)
class VectorStoreInputs(Owned, OfProject):
    """Inputs of VectorStore."""

    store_name: str = row(_store_name, "What the store is called.", "modelled", required=True, empty="", identity=True)
    files: Mapping[str, str] = row(
        _files,
        "SHA-256 by file name, computed from the paths that a program gives. A touched file is no change; other "
        "content makes a new store.",
        "ours",
        required=True,
        empty={},
    )
    paths: Mapping[str, str] = row(
        _paths,
        "Where each file is on the machine that deploys; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
        empty={},
    )
    timeout_s: float = row(
        number(least=1, unit=" s"),
        "Give up waiting for the index after this many seconds.",
        "ours",
        on_change=OnChange.IGNORE,
        default=600,
    )
    poll_interval_s: float = row(
        number(least=0.1, most=60, unit=" s"),
        "Pause between two reads of the index.",
        "ours",
        on_change=OnChange.IGNORE,
        default=3,
    )


@dataclass(frozen=True, kw_only=True)
class VectorStoreOutputs(Rows):
    """Outputs of VectorStore."""

    vector_store_id: str = output(text(), "The service's id.", default="")
    file_count: int = output(number(least=0, whole=True), "How many files it has.", default=0)


VECTOR_STORE_FIELDS = FieldTable("the vector store's settings", VectorStoreInputs, VectorStoreOutputs)
"""Inputs and outputs of VectorStore."""
