"""Replays recordings against a local Azure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from foundry_emulator.parity import Entry, Parity, ledger
from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure
from tests.conformance.before import BEFORE, nothing
from tests.conformance.compare import Ids, differences
from tests.conformance.recording import Recorded, recording, recordings

SKIPPED = {
    "/openai/v1/responses": "the sample's own check of its log by a model deployment; not the agents API",
}
"""Paths that are not replayed, with the reason."""


@dataclass(frozen=True, slots=True)
class Result:
    """One replayed entry, or a skipped one.

    Attributes:
        recorded: The entry.
        operation: Its row in the parity ledger; None for a skipped one.
        differences: What was answered otherwise; empty for a match.
        reason: Why it was skipped, or "".
    """

    recorded: Recorded
    operation: Entry | None
    differences: tuple[str, ...] = ()
    reason: str = ""

    @property
    def matches(self) -> bool:
        """Whether the response was the recorded one."""
        return not self.differences


def replay(data_dir: Path) -> Iterator[Result]:
    """Replay every recording, each in its own project.

    Pulls are not checked: no local registry has the recorded images. Agents echo, as the recorded ones did.
    """
    settings = Settings(provisioning_s=0, check_pull=False)
    with LocalAzure(data_dir, settings=settings) as azure:
        for name in recordings():
            entries = recording(name)
            azure.seed_project(f"project-{name.replace('_', '-')}"[:60])
            with azure.client(f"project-{name.replace('_', '-')}"[:60]) as http:
                azure.control.set(dedup="off")
                BEFORE.get(name, nothing)(azure, http)
                azure.control.set(dedup="all", scripts=_scripts(entries))
                yield from _replayed(http, entries)


def operation_of(entry: Recorded) -> Entry:
    """Its row in the ledger.

    Raises:
        LookupError: The ledger has none: it must be added, or the path skipped with a reason.
    """
    return next(row for row in ledger() if row.matches(entry.method, entry.path))


def per_operation(results: list[Result]) -> Mapping[Entry, tuple[int, int]]:
    """Return entries and matches of each operation that was replayed or that the ledger calls recorded."""
    table = {row: (0, 0) for row in ledger() if row.parity is Parity.RECORDED}
    for result in results:
        if result.operation is not None:
            entries, matches = table.get(result.operation, (0, 0))
            table[result.operation] = entries + 1, matches + result.matches
    return table


def _replayed(http: httpx.Client, entries: tuple[Recorded, ...]) -> Iterator[Result]:
    ids = Ids()
    for entry in entries:
        if entry.path in SKIPPED:
            yield Result(entry, None, reason=SKIPPED[entry.path])
            continue
        found: list[str] = []
        for _ in range(entry.times):
            found += _differences(http, entry, ids)
        yield Result(entry, operation_of(entry), tuple(found))


def _differences(http: httpx.Client, entry: Recorded, ids: Ids) -> list[str]:
    body = None if entry.request is None else ids.translated(json.dumps(entry.request))
    patch = "application/merge-patch+json" if entry.method == "PATCH" and "/agents/" in entry.path else None
    answer = http.request(
        entry.method,
        ids.translated(entry.path),
        params=dict(entry.query),
        content=body,
        headers={} if body is None else {"content-type": patch or "application/json"},
    )
    document = answer.json() if answer.content else None
    return differences(
        ids,
        recorded=(entry.status, entry.headers, entry.answer),
        answered=(answer.status_code, answer.headers, document),
    )


def _scripts(entries: tuple[Recorded, ...]) -> list[dict[str, object]]:
    """Script each hosted version: ``creating`` for as many reads as were recorded, then ``active``."""
    scripts: list[dict[str, object]] = []
    for entry in entries:
        if not isinstance(entry.answer, dict):
            continue
        status, agent = entry.answer.get("status"), str(entry.answer.get("name"))
        if entry.method == "POST" and status == "creating":
            scripts.append({"agent": agent, "steps": [{"status": "creating", "polls": 0}, {"status": "active"}]})
        elif entry.method == "GET" and status == "creating":
            steps = scripts[-1]["steps"]
            assert isinstance(steps, list)
            steps[0]["polls"] += entry.times
    return scripts
