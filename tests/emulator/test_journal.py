from __future__ import annotations

from typing import Any

from foundry_emulator.journal import Journal
from foundry_emulator.store import Store
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api


def record(journal: Journal, **changes: Any) -> None:
    entry: dict[str, Any] = {
        "plane": "data",
        "method": "GET",
        "path": "/x",
        "query": "",
        "status": 200,
        "fault": None,
        "principal": None,
        "request_id": "r",
    }
    journal.record(**(entry | changes))


def test_writes_survive_a_restart_and_numbers_continue() -> None:
    store = Store(None)
    journal = Journal(store, clock=lambda: 1.0)
    record(journal, method="POST")
    record(journal)
    record(journal, method="DELETE", plane="arm")
    again = Journal(store, clock=lambda: 2.0)
    assert [(e.n, e.method) for e in again.entries()] == [(1, "POST"), (3, "DELETE")]
    record(again)
    assert again.last(1)[0].n == 4


def test_texts_that_requests_repeat_are_held_once() -> None:
    """A full journal of polls would else take 17 MB more."""
    journal = Journal(Store(None), clock=lambda: 1.0)
    for _ in range(2):
        record(journal, path="".join(["/x", "/y"]), query="".join(["a=", "b"]), principal="".join(["de", "ad"]))  # noqa: FLY002 (equal, and not the same object)
    first, second = journal.entries()
    assert first.path is second.path
    assert first.query is second.query
    assert first.principal is second.principal


def test_only_requests_to_data_and_arm_are_writes() -> None:
    journal = Journal(Store(None), clock=lambda: 1.0)
    for plane in ("data", "arm", "registry", "identity"):
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"):
            record(journal, plane=plane, method=method)
    writes = {(entry.plane, entry.method) for entry in journal.entries(writes=True)}
    assert writes == {(p, m) for p in ("data", "arm") for m in ("POST", "PATCH", "PUT", "DELETE")}
    assert {entry.plane for entry in journal.entries(plane="registry")} == {"registry"}
    assert [entry.n for entry in journal.entries(since=22)] == [23, 24]


def test_every_request_is_recorded_with_principal_and_request_id_and_without_secrets(
    api: Api, azure: LocalAzure
) -> None:
    before = azure.journal()[-1].n
    made = api.post("support", api.definition(environment_variables={"TOKEN": "a-secret-value"}))
    api.settled("support", "1")
    refused = api.http.get("/agents", headers={"authorization": "Bearer a-secret-token"})
    entries = azure.journal(since=before)
    assert entries[0].method == "POST"
    assert entries[0].path == f"/api/projects/{api.project.name}/agents/support/versions"
    assert entries[0].query == "api-version=v1"
    assert entries[0].status == 200
    assert entries[0].principal == "00000000-0000-0000-0000-0000000000de"
    assert entries[0].request_id == made.headers["x-request-id"]
    assert entries[-1].request_id == refused.headers["x-request-id"]
    assert (entries[-1].status, entries[-1].principal) == (401, None)
    assert not [entry for entry in entries if "a-secret" in str(entry.document())]


def test_entries_name_their_plane(api: Api, azure: LocalAzure) -> None:
    planes = {entry.plane for entry in azure.journal()}
    assert "registry" in planes, "the image was pushed"
    before = azure.journal()[-1].n
    api.http.get(f"{azure.data_plane}/subscriptions?api-version=2022-12-01")
    api.http.get("/agents")
    assert [entry.plane for entry in azure.journal(since=before)] == ["arm", "data"]
    assert azure.journal(plane="data", writes=True, since=before) == []
