"""Drafts: versions outside of lists and traffic (service-contract 3, [spec][docs])."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json, error_of


def draft(api: Api, **others: Any) -> Json:
    made = api.post("support", draft=True, **others)
    assert made.status_code == 200, made.text
    document: Json = made.json()
    return document


def listed(api: Api, **query: str) -> list[str]:
    return [item["version"] for item in api.http.get("/agents/support/versions", params=query).json()["data"]]


def test_a_draft_is_named_by_its_time_takes_no_number_and_is_shown_as_a_draft(api: Api) -> None:
    api.create("support")
    first, second = draft(api), draft(api)
    assert re.fullmatch(r"draft-[1-9]\d*", first["version"])
    assert first["version"] != second["version"]
    assert (first["draft"], first["id"]) == (True, f"support:{first['version']}")
    released = api.create("support", cpu="1", memory="2Gi")
    assert released["version"] == "2"
    assert "draft" not in released


def test_drafts_are_listed_only_when_asked_for(api: Api) -> None:
    api.create("support")
    hidden = draft(api)["version"]
    api.create("support", cpu="1", memory="2Gi")
    assert listed(api) == ["2", "1"]
    assert listed(api, include_drafts="true") == ["2", hidden, "1"]
    assert listed(api, include_drafts="true", order="asc") == ["1", hidden, "2"]
    assert listed(api, include_drafts="true", after=f"support:{hidden}") == ["1"]
    assert listed(api, after="support:2") == ["1"]
    assert api.http.get("/agents/support/versions", params={"include_drafts": "x"}).status_code == 400


def test_a_draft_is_never_the_latest_and_takes_no_traffic(api: Api) -> None:
    api.create("support")
    candidate = api.settled("support", draft(api)["version"])
    assert candidate["status"] == "active"
    assert api.http.get("/agents/support").json()["versions"]["latest"]["version"] == "1"
    assert api.http.get("/agents/support/versions/@latest").json()["version"] == "1"
    assert api.served_by("support") == "1"
    assert error_of(api.route("support", {candidate["version"]: 100})) == (400, "invalid_payload")


def test_a_session_can_be_pinned_to_a_draft(api: Api) -> None:
    api.create("support")
    version = api.settled("support", draft(api)["version"])["version"]
    body = {"version_indicator": {"type": "version_ref", "agent_version": version}}
    session = api.http.post("/agents/support/endpoint/sessions", json=body).json()
    assert api.served_by("support", agent_session_id=session["agent_session_id"]) == version


def test_an_agent_with_drafts_only_has_no_latest_version(api: Api) -> None:
    version = draft(api)["version"]
    assert api.http.get("/agents/support").json()["versions"] == {}
    assert listed(api) == []
    assert api.create("support")["version"] == "1"
    assert api.http.delete(f"/agents/support/versions/{version}").status_code == 200


def test_a_draft_is_not_deduplicated_and_a_release_does_not_repeat_a_draft(api: Api) -> None:
    made = {draft(api)["version"] for _ in range(3)}
    assert len(made) == 3
    assert api.create("support")["version"] == "1"


@pytest.mark.parametrize("value", ["true", 1, []])
def test_draft_is_a_boolean(api: Api, value: object) -> None:
    assert error_of(api.post("support", draft=value)) == (400, "invalid_payload")


def test_drafts_survive_a_restart(tmp_path: Path) -> None:
    with LocalAzure(tmp_path) as azure:
        azure.control.set(check_pull=False)
        api = Api(azure, azure.seed_project("shop"), "r/x@sha256:" + "0" * 64)
        api.create("support")
        version = draft(api)["version"]
        api.http.close()
    with LocalAzure(tmp_path) as azure, azure.client("shop") as http:
        page = http.get("/agents/support/versions", params={"include_drafts": "true"}).json()
        assert [item["version"] for item in page["data"]] == [version, "1"]
        assert http.get("/agents/support").json()["versions"]["latest"]["version"] == "1"
