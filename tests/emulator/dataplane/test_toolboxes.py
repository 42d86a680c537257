from __future__ import annotations

import re
from pathlib import Path

import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, error_of

MCP = {"type": "mcp", "server_label": "api", "server_url": "https://mcp.example"}
TOOLS = "/toolboxes/tools"


def post(api: Api, name: str = "tools", **body: object) -> str:
    made = api.http.post(f"/toolboxes/{name}/versions", json={"tools": [MCP]} | body)
    assert made.status_code == 200, made.text
    version: str = made.json()["version"]
    return version


@pytest.mark.parametrize("name", ["toolbox_with_mcp_tool", "test-toolbox_0", "t", "x" * 63])
def test_a_toolbox_may_be_named_as_in_microsofts_samples(api: Api, name: str) -> None:
    assert post(api, name) == "1"
    assert api.http.get(f"/toolboxes/{name}").json()["name"] == name


@pytest.mark.parametrize("name", ["_t", "t_", "a.b", "x" * 64])
def test_an_invalid_toolbox_name_is_refused(api: Api, name: str) -> None:
    refused = api.http.post(f"/toolboxes/{name}/versions", json={"tools": [MCP]})
    assert error_of(refused) == (400, "invalid_payload")
    assert refused.json()["error"]["message"].startswith(f"Toolbox name '{name}' is invalid")


def default(api: Api) -> str:
    version: str = api.http.get(TOOLS).json()["default_version"]
    return version


def test_the_default_stays_with_version_1_until_another_is_promoted(api: Api) -> None:
    assert [post(api), post(api)] == ["1", "2"]
    assert default(api) == "1"
    promoted = api.http.patch(TOOLS, json={"default_version": "2"})
    assert (promoted.status_code, promoted.json()["default_version"], default(api)) == (200, "2", "2")


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"default_version": 2}, 400), ({"default_version": "9"}, 404)]
)
def test_only_an_existing_version_can_be_promoted(api: Api, body: dict[str, object], status: int) -> None:
    post(api)
    assert api.http.patch(TOOLS, json=body).status_code == status
    assert default(api) == "1"


def test_deletes_are_204_and_a_missing_toolbox_is_a_404_with_the_request_id(api: Api) -> None:
    post(api)
    post(api)
    assert api.http.delete(f"{TOOLS}/versions/2").status_code == 204
    assert api.http.delete(f"{TOOLS}/versions/2").status_code == 404
    assert api.http.delete(TOOLS).status_code == 204
    for method, path in (("DELETE", TOOLS), ("GET", TOOLS), ("GET", f"{TOOLS}/versions")):
        missing = api.http.request(method, path)
        assert error_of(missing) == (404, "not_found")
        assert re.search(r"Toolbox 'tools' not found \[Request ID: [0-9a-f]{32}\]", missing.json()["error"]["message"])
        assert missing.headers["api-supported-versions"] == "1.0"


def test_the_default_cannot_be_deleted_while_others_exist_and_numbers_are_not_reused(api: Api) -> None:
    post(api)
    post(api)
    assert error_of(api.http.delete(f"{TOOLS}/versions/1")) == (409, "conflict")
    api.http.delete(f"{TOOLS}/versions/2")
    assert api.http.delete(f"{TOOLS}/versions/1").status_code == 204
    assert post(api) == "3"
    assert default(api) == "3"


def test_a_recreated_toolbox_has_its_old_id_and_counts_from_1(api: Api) -> None:
    post(api)
    before = api.http.get(TOOLS).json()["id"]
    api.http.delete(TOOLS)
    assert (post(api), api.http.get(TOOLS).json()["id"]) == ("1", before)


def test_lists_have_pages_newest_first(api: Api) -> None:
    for n in range(5):
        post(api, f"tools-{n}")
        post(api)
    names = [toolbox["name"] for toolbox in api.http.get("/toolboxes").json()["data"]]
    assert names == ["tools-4", "tools-3", "tools-2", "tools-1", "tools", "tools-0"]
    first = api.http.get(f"{TOOLS}/versions", params={"limit": "2"}).json()
    second = api.http.get(f"{TOOLS}/versions", params={"limit": "9", "after": first["last_id"]}).json()
    assert [version["version"] for version in first["data"] + second["data"]] == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tools": {}},
        {"tools": [1]},
        {"tools": [{}]},
        {"tools": [{"type": "mcp"}]},
        {"tools": [{"type": "shell"}, {"type": "shell"}]},
        {"tools": [], "skills": {}},
        {"tools": [], "metadata": {"a": 1}},
    ],
)
def test_an_invalid_toolbox_is_a_400_and_creates_nothing(api: Api, body: dict[str, object]) -> None:
    assert api.http.post(f"{TOOLS}/versions", json=body).status_code == 400
    assert api.http.get(TOOLS).status_code == 404


def test_toolboxes_survive_a_restart_and_are_deleted_with_their_project(tmp_path: Path) -> None:
    with LocalAzure(tmp_path / "azure") as azure:
        project = azure.seed_project("shop")
        with azure.client("shop") as http:
            for _ in range(2):
                http.post(f"{TOOLS}/versions", json={"tools": [MCP]})
            http.patch(TOOLS, json={"default_version": "2"})
    with LocalAzure(tmp_path / "azure") as azure, azure.client("shop") as http:
        assert http.get(TOOLS).json()["default_version"] == "2"
        assert len(http.get(f"{TOOLS}/versions").json()["data"]) == 2
        azure.delete(project.id)
        azure.put(project.id, {"location": "swedencentral", "identity": {"type": "SystemAssigned"}, "properties": {}})
        assert http.get(TOOLS).status_code == 404
