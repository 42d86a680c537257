"""The parity ledger: what the emulator serves, and how each response is known. Read from ``parity.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("parity.toml")


class Parity(StrEnum):
    """How the responses of an operation are known."""

    RECORDED = "recorded"
    MODELLED = "modelled"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of the service.

    Attributes:
        name: The name in the SDK, where it has one.
        method: HTTP method.
        path: Below ``/api/projects/{project}``, with ``{names}``.
        parity: How its responses are known.
        evidence: Recordings, or sections of the service contract.
        note: What differs from the service or is left out.
    """

    name: str
    method: str
    path: str
    parity: Parity
    evidence: str
    note: str = ""

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is one of this operation's; ``path`` is below the project, without a query."""
        if method != self.method:
            return False
        requested, given = self.path.strip("/").split("/"), path.strip("/").split("/")
        return len(requested) == len(given) and all(map(_fits, requested, given))


def _fits(pattern: str, part: str) -> bool:
    """Return whether one part of a path fits: ``{agent}:enable`` matches ``support:enable``, ``{agent}`` no colon."""
    name, _, verb = pattern.partition("}")
    if not name.startswith("{"):
        return pattern == part
    return part.endswith(verb) if verb else ":" not in part


@cache
def ledger() -> Sequence[Entry]:
    """Return every entry, in the file's order."""
    with _FILE.open("rb") as file:
        document = tomllib.load(file)
    return tuple(Entry(**{**row, "parity": Parity(row["parity"])}) for row in document["operation"])


def parity_page() -> str:
    """Return the ledger as a documentation page in Markdown."""
    entries = ledger()
    counts = {parity: sum(entry.parity is parity for entry in entries) for parity in Parity}
    lines = [
        "# Parity with the service",
        "<!-- Written by `make docs` from the code; a test fails when it is out of date. -->",
        "",
        f"Of {len(entries)} operations of the data plane:",
        "",
        f"- {counts[Parity.RECORDED]} are *recorded*: the responses match every recording of the real service",
        "  (`make conformance`).",
        f"- {counts[Parity.MODELLED]} are *modelled* on documentation, client code or reports, without recordings.",
        f"- {counts[Parity.MISSING]} are *missing*: they return 501 `not_implemented` and change nothing, like any",
        "  other path.",
        "",
        "The recordings are the only comparison with live Azure. Tags: [sdk] code of azure-ai-projects,",
        "[spec] Microsoft's TypeSpec, [docs] Microsoft's documentation, [azd] code of the azd agents extension,",
        "[observed] reports by third parties.",
        "",
        "| operation | request | parity | evidence | what differs |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {entry.name} | {entry.method} `{entry.path}` | {entry.parity} | {entry.evidence} | {entry.note} |"
            for entry in entries
        ),
        "",
    ]
    return "\n".join(lines)
