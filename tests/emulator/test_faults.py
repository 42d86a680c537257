from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from foundry_emulator.faults import Action, FaultLayer, FaultProblem, Faults
from tests.emulator.api import Api, Json


@pytest.fixture
def faulty(api: Api) -> Iterator[Api]:
    yield api
    api.azure.control.clear_faults()


def statuses(api: Api, count: int, path: str = "/agents") -> list[int]:
    return [api.http.get(path).status_code for _ in range(count)]


def fired(api: Api) -> list[tuple[object, object]]:
    return [(fault["matched"], fault["fired"]) for fault in api.azure.control.faults()]


def test_nth_fires_on_that_match_only(faulty: Api) -> None:
    faulty.azure.control.fault(method="GET", path="/agents$", nth=2, status=503)
    assert statuses(faulty, 4) == [200, 503, 200, 200]
    assert fired(faulty) == [(4, 1)]


def test_times_limits_how_often_a_fault_fires(faulty: Api) -> None:
    faulty.azure.control.fault(path="/agents$", times=2, status=429, retry_after="3")
    first = faulty.http.get("/agents")
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    assert first.json()["error"]["additionalInfo"]["request_id"] == first.headers["x-request-id"]
    assert statuses(faulty, 3) == [429, 200, 200]


def test_without_nth_and_times_a_fault_fires_until_it_is_removed(faulty: Api) -> None:
    faulty.azure.control.fault(path="/agents$", status=500, body={"any": "body"})
    assert faulty.http.get("/agents").json() == {"any": "body"}
    assert statuses(faulty, 3) == [500, 500, 500]
    faulty.azure.control.clear_faults()
    assert statuses(faulty, 1) == [200]


def test_method_and_path_must_both_match(faulty: Api) -> None:
    faulty.azure.control.fault(method="POST", path="/versions$", status=500)
    assert statuses(faulty, 2) == [200, 200]
    assert fired(faulty) == [(0, 0)]
    assert faulty.post("support").status_code == 500


def test_reset_before_commit_drops_the_connection_and_does_nothing(faulty: Api) -> None:
    faulty.azure.control.fault(method="POST", path="/versions$", times=1, action="reset_before_commit")
    with pytest.raises(httpx.TransportError):
        faulty.post("support")
    assert faulty.http.get("/agents/support").status_code == 404
    cut = [e for e in faulty.azure.journal(plane="data") if e.fault == "reset_before_commit"]
    assert [(e.method, e.status) for e in cut] == [("POST", None)]
    assert faulty.post("support").status_code == 200


def test_commit_then_reset_drops_the_connection_and_keeps_the_write(faulty: Api) -> None:
    faulty.azure.control.fault(method="POST", path="/versions$", times=1, action="commit_then_reset")
    with pytest.raises(httpx.TransportError):
        faulty.post("support")
    assert faulty.http.get("/agents/support/versions/1").status_code == 200
    cut = [e for e in faulty.azure.journal(plane="data") if e.fault == "commit_then_reset"]
    assert [(e.method, e.status) for e in cut] == [("POST", 200)]


def test_cut_json_sends_half_of_the_answer(faulty: Api) -> None:
    faulty.post("support")
    faulty.azure.control.fault(method="GET", path="/versions/1$", times=1, action="cut_json")
    with pytest.raises(httpx.TransportError):
        faulty.http.get("/agents/support/versions/1")
    assert faulty.http.get("/agents/support/versions/1").status_code == 200


def test_a_stale_read_returns_the_state_before_the_write(faulty: Api) -> None:
    faulty.create("support")
    faulty.azure.control.fault(method="GET", path="/support/versions$", nth=2, action="stale_read")
    assert len(faulty.http.get("/agents/support/versions").json()["data"]) == 1
    faulty.create("support", cpu="1", memory="2Gi")
    assert len(faulty.http.get("/agents/support/versions").json()["data"]) == 1
    assert len(faulty.http.get("/agents/support/versions").json()["data"]) == 2
    assert fired(faulty) == [(3, 1)]


class RecordingClock:
    """A clock that passes at once and records the sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_latency_delays_and_the_next_rule_still_fires() -> None:
    clock = RecordingClock()
    served_after: list[list[float]] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        served_after.append([*clock.slept])
        await PlainTextResponse("served")(scope, receive, send)

    faults = Faults()
    faults.add({"path": "/agents$", "times": 2, "latency_s": 0.2})
    faults.add({"path": "/agents$", "times": 1, "status": 503})
    layer = FaultLayer(serve, faults, clock=clock)

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"request_id": "0" * 32}
        await layer(scope, receive, send)

    http = TestClient(with_state)
    assert [http.get("/agents").status_code for _ in range(3)] == [503, 200, 200]
    assert served_after == [[0.2, 0.2], [0.2, 0.2]]


def test_faults_affect_neither_arm_nor_control_nor_tokens(faulty: Api) -> None:
    faulty.azure.control.fault(path="", status=500)
    assert statuses(faulty, 1) == [500]
    token = faulty.azure.token(audience="https://management.azure.com")
    arm = faulty.http.get(
        f"{faulty.azure.data_plane}/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups",
        params={"api-version": "2022-09-01"},
        headers={"authorization": f"Bearer {token}"},
    )
    assert arm.status_code == 200
    assert faulty.azure.control.state()["projects"]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": "explode"},
        {"action": []},
        {"status": 200},
        {"status": "503"},
        {"status": 503, "nth": 0},
        {"status": 503, "nth": 1, "times": 1},
        {"status": 503, "times": True},
        {"status": 503, "path": "("},
        {"latency_s": -1},
        {"status": 503, "when": "now"},
    ],
)
def test_an_invalid_rule_is_refused(rule: Json) -> None:
    with pytest.raises(FaultProblem):
        Faults().add(rule)


def test_at_most_one_rule_besides_latencies_fires_on_a_request() -> None:
    faults = Faults()
    for rule in ({"latency_s": 1}, {"status": 500}, {"status": 503}):
        faults.add(rule)
    assert [fault.action for fault in faults.firing("GET", "/")] == [Action.LATENCY, Action.STATUS]
