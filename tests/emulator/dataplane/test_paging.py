from __future__ import annotations

import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json


@pytest.fixture
def many(api: Api) -> Api:
    for n in range(5):
        api.create("support", environment_variables={"N": str(n)})
    return api


def numbers(page: Json) -> list[str]:
    return [item["version"] for item in page["data"]]


def test_versions_are_listed_newest_first_in_the_recorded_envelope(many: Api) -> None:
    page = many.http.get("/agents/support/versions").json()
    assert list(page) == ["data", "first_id", "last_id", "has_more", "object"]
    assert numbers(page) == ["5", "4", "3", "2", "1"]
    assert (page["first_id"], page["last_id"]) == ("support:5", "support:1")
    assert page["has_more"] is False
    assert page["object"] == "list"


def test_pages_follow_each_other_without_gap_or_repeat(many: Api) -> None:
    seen, after = [], None
    while True:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = many.http.get("/agents/support/versions", params=query).json()
        seen += numbers(page)
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert seen == ["5", "4", "3", "2", "1"]


def test_a_page_past_the_end_has_no_last_id(many: Api) -> None:
    page = many.http.get("/agents/support/versions", params={"after": "support:1"}).json()
    assert page == {"data": [], "has_more": False, "object": "list"}


def test_asc_reverses_the_order(many: Api) -> None:
    page = many.http.get("/agents/support/versions", params={"order": "asc", "limit": "2"}).json()
    assert numbers(page) == ["1", "2"]
    assert page["has_more"] is True


def test_before_returns_the_page_that_ends_there(many: Api) -> None:
    page = many.http.get("/agents/support/versions", params={"before": "support:2", "limit": "2"}).json()
    assert numbers(page) == ["4", "3"]
    assert page["has_more"] is True


def test_a_cursor_whose_version_was_deleted_keeps_its_place(many: Api) -> None:
    many.http.delete("/agents/support/versions/3")
    page = many.http.get("/agents/support/versions", params={"after": "support:3"}).json()
    assert numbers(page) == ["2", "1"]


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": "²"}, {"order": "up"}, {"after": "other:1"}],
)
def test_an_invalid_query_is_a_400(many: Api, query: dict[str, str]) -> None:
    assert many.http.get("/agents/support/versions", params=query).status_code == 400


def test_a_page_has_20_items_by_default_and_at_most_100(api: Api) -> None:
    for n in range(25):
        api.post("support", api.definition(environment_variables={"N": str(n)}))
    assert len(api.http.get("/agents/support/versions").json()["data"]) == 20
    assert len(api.http.get("/agents/support/versions", params={"limit": "100"}).json()["data"]) == 25


def test_agents_are_listed_without_endpoint_and_can_be_filtered_by_kind(api: Api) -> None:
    api.create("first")
    api.create("second")
    api.post("prompted", {"kind": "prompt", "model": "m"})
    page = api.http.get("/agents").json()
    assert [item["id"] for item in page["data"]] == ["prompted", "second", "first"]
    assert list(page["data"][0]) == ["object", "id", "name", "versions"]
    assert [i["id"] for i in api.http.get("/agents", params={"kind": "prompt"}).json()["data"]] == ["prompted"]
    assert api.http.get("/agents", params={"kind": "workflow"}).json() == {
        "data": [],
        "has_more": False,
        "object": "list",
    }
    rest = api.http.get("/agents", params={"after": "second", "limit": "1"}).json()
    assert [item["id"] for item in rest["data"]] == ["first"]


def test_a_project_lists_its_own_agents_only(api: Api, azure: LocalAzure) -> None:
    api.create("mine")
    other = azure.seed_project(f"{api.project.name}-other")
    with azure.client(other.name) as http:
        assert http.get("/agents").json() == {"data": [], "has_more": False, "object": "list"}
