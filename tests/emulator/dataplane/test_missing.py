"""What is not implemented returns an error and changes nothing; operations by name are in test_parity."""

from __future__ import annotations

import pytest

from tests.emulator.api import Api


@pytest.mark.parametrize(("method", "path"), [("POST", "/evaluations/runs"), ("PUT", "/agents/support")])
def test_a_path_without_an_operation_returns_501(api: Api, method: str, path: str) -> None:
    answer = api.http.request(method, path)
    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "not_implemented"
    assert "does not implement this path and method" in answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["voice", "container_app"])
def test_kinds_that_are_not_implemented_return_501_and_create_nothing(api: Api, kind: str) -> None:
    assert api.post("support", {"kind": kind}).status_code == 501
    assert api.http.get("/agents/support").status_code == 404


def test_a_path_outside_of_every_plane_is_a_404(api: Api) -> None:
    answer = api.http.get(f"{api.azure.data_plane}/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "The local Azure serves nothing at /nothing."
