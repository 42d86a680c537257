"""The local Azure returns every recorded response, and the comparison detects differences."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from foundry_emulator.parity import Parity
from tests.conformance.compare import Ids, differences
from tests.conformance.recording import Recorded, recording, recordings
from tests.conformance.replay import SKIPPED, Result, per_operation, replay
from tests.support.figures import Record

Json = dict[str, Any]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    return list(replay(tmp_path_factory.mktemp("azure")))


def test_the_local_azure_returns_every_recorded_response(results: list[Result]) -> None:
    """Case 81: 100 % status and shape match, or a listed gap."""
    different = [(r.recorded.recording, r.recorded.number, r.differences) for r in results if not r.matches]
    assert different == []


@pytest.mark.acceptance
def test_all_recorded_answers_match(results: list[Result], figure: Record) -> None:
    entries, matches = (sum(column) for column in zip(*per_operation(results).values(), strict=True))
    figure("azure", f"of {entries} recorded answers matched", 100 * matches / entries, "=", 100, unit=" %")


def test_every_entry_is_replayed_or_skipped_with_a_reason(results: list[Result]) -> None:
    """Case 81."""
    assert [r.recorded for r in results] == [entry for name in recordings() for entry in recording(name)]
    assert {r.recorded.path for r in results if r.operation is None} == set(SKIPPED)
    assert all(r.reason for r in results if r.operation is None)


def test_only_operations_that_the_ledger_calls_recorded_have_entries(results: list[Result]) -> None:
    counted = per_operation(results)
    assert {row.name for row, (entries, _) in counted.items() if entries == 0} == set()
    assert {row.parity for row in counted} == {Parity.RECORDED}


VERSION = recording("agent_crud")[0]
SESSION = next(entry for entry in recording("sessions") if entry.status == 201)
DELETED = next(entry for entry in recording("sessions") if entry.status == 204)


def compared(entry: Recorded, change: Callable[[list[Any]], object]) -> list[str]:
    answered: list[Any] = copy.deepcopy([entry.status, dict(entry.headers), entry.answer])
    change(answered)
    recorded = (entry.status, entry.headers, entry.answer)
    return differences(Ids(), recorded=recorded, answered=(answered[0], answered[1], answered[2]))


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda a: a.__setitem__(0, 201), "status: 201, recorded 200"),
        (lambda a: a[1].pop("api-supported-versions"), "header api-supported-versions is missing"),
        (lambda a: a[1].__setitem__("content-type", "application/json"), "header content-type: 'application/json'"),
        (lambda a: a[2].pop("description"), "body.description is missing"),
        (lambda a: a[2].__setitem__("extra", 1), "body.extra is there, and is not recorded"),
        (lambda a: a[2].__setitem__("description", None), "body.description: NoneType, recorded str"),
        (lambda a: a[2].__setitem__("version", 1), "body.version: int, recorded str"),
        (lambda a: a[2].__setitem__("version", "2"), "body.version: '2', recorded '1'"),
        (lambda a: a[2].__setitem__("created_at", "now"), "body.created_at: str, recorded int"),
        (lambda a: a[2].__setitem__("status", "ACTIVE"), "body.status: 'ACTIVE', recorded 'active'"),
        (lambda a: a[2].__setitem__("agent_guid", "1"), "body.agent_guid: '1', recorded"),
        (
            lambda a: a[2]["instance_identity"].__setitem__("client_id", a[2]["agent_guid"]),
            "instance_identity.client_id",
        ),
    ],
)
def test_a_changed_response_is_a_difference(change: Callable[[list[Any]], object], seen: str) -> None:
    assert any(seen in difference for difference in compared(VERSION, change))


def test_other_ids_and_times_are_not_a_difference() -> None:
    def change(answered: list[Any]) -> None:
        body: Json = answered[2]
        body["created_at"] += 1000
        body["expires_at"] += 1000
        body["agent_session_id"] = "a" * 16 + "00" + "x" * 32

    assert compared(SESSION, change) == []


def test_another_term_of_a_session_is_a_difference() -> None:
    assert compared(SESSION, lambda a: a[2].__setitem__("expires_at", a[2]["expires_at"] + 1))


def test_an_id_of_another_kind_is_a_difference() -> None:
    assert compared(SESSION, lambda a: a[2].__setitem__("agent_session_id", "0" * 63))


def test_a_body_or_a_content_type_where_none_was_recorded_is_a_difference() -> None:
    assert compared(DELETED, lambda a: a.__setitem__(2, {}))
    assert compared(DELETED, lambda a: a[1].__setitem__("content-type", "application/json"))


def test_two_ids_cannot_match_one() -> None:
    ids = Ids()
    one, two, there = (character * 32 for character in "12f")
    assert ids.note(there, one)
    assert ids.note(there, one)
    assert not ids.note(there, two)
    assert not ids.note(two, one)
