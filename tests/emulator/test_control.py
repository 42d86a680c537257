from __future__ import annotations

import uuid
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from foundry_emulator.settings import Dedup, Settings, SettingsProblem
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json


@pytest.mark.parametrize(
    "changes",
    [
        {"provisioning_s": -1},
        {"provisioning_s": "1"},
        {"provisioning_s": True},
        {"provisioning_s": float("nan")},
        {"provisioning_s": float("inf")},
        {"mcp_separator": "/"},
        {"mcp_separator": ".\n"},
        {"dedup": "maybe"},
        {"dedup": []},
        {"check_pull": 1},
        {"parent_busy": -1},
        {"parent_busy": 1.5},
        {"speed": 1},
        {"scripts": {}},
        {"scripts": [{"steps": []}]},
        {"scripts": [{"agent": "(", "steps": [{"status": "active"}]}]},
        {"scripts": [{"steps": [{"status": "gone"}]}]},
        {"scripts": [{"steps": [{"status": "active", "polls": 1}]}]},
        {"scripts": [{"steps": [{"status": "creating", "polls": 1.5}]}]},
        {"scripts": [{"steps": [{"status": "failed", "error": "x"}]}]},
    ],
)
def test_invalid_settings_are_refused_and_none_is_applied(changes: Json) -> None:
    settings = Settings()
    with pytest.raises(SettingsProblem) as problem:
        settings.change({"dedup_failed": True} | changes)
    assert settings == Settings()
    assert next(iter(changes)) in str(problem.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scripts": [{"steps": ["x"]}]}, "scripts[0].steps[0]: must be an object"),
        ({"scripts": ["x"]}, "scripts[0]: must be an object"),
        ({"scripts": [{"steps": []}]}, "scripts[0].steps: must have at least one entry"),
        ({"mcp_separator": "/"}, "mcp_separator: must be 1 to 8 of the characters . _ -"),
    ],
)
def test_a_refused_setting_is_described_without_a_class_or_a_pattern(changes: Json, expected: str) -> None:
    with pytest.raises(SettingsProblem) as problem:
        Settings().change(changes)
    assert str(problem.value) == expected


def test_a_refused_change_of_settings_names_every_problem_and_shows_no_value() -> None:
    changes = {"buildkit": ["s3cret"], "speed": "s3cret", "scripts": [{"steps": [{"status": "s3cret"}]}]}
    with pytest.raises(SettingsProblem) as problem:
        Settings().change(changes)
    text = str(problem.value)
    assert [name in text for name in ("buildkit: ", "'speed'", "scripts[0].steps[0].status: ")] == [True] * 3
    assert "s3cret" not in text


def test_settings_return_what_was_set() -> None:
    settings = Settings()
    changes = {
        "provisioning_s": 2,
        "dedup": "off",
        "session_idle_s": None,
        "scripts": [{"agent": "a", "steps": [{"status": "active", "for_s": 1.0, "polls": 0, "error": None}]}],
    }
    settings.change(changes)
    assert settings.dedup is Dedup.OFF
    assert {name: settings.document()[name] for name in changes} == changes


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/_control/settings", "[]"),
        ("POST", "/_control/settings", "{"),
        ("POST", "/_control/settings", '{"speed": 1}'),
        ("POST", "/_control/faults", '"x"'),
        ("POST", "/_control/faults", "[1]"),
        ("GET", "/_control/journal?plane=moon", ""),
        ("GET", "/_control/journal?since=x", ""),
    ],
)
def test_an_invalid_control_request_is_a_400_with_a_reason(
    azure: LocalAzure, method: str, path: str, body: bytes
) -> None:
    answer = httpx.request(method, azure.page + path, content=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_state_counts_agents_versions_sessions_and_what_callers_made_in_arm(api: Api, azure: LocalAzure) -> None:
    before = azure.control.state()
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    api.ask("support")
    after = azure.control.state()
    grown = {name: after[name] - before[name] for name in ("agents", "versions", "sessions", "arm_resources")}
    assert grown == {"agents": 1, "versions": 2, "sessions": 1, "arm_resources": 0}
    mine = next(a for a in after["agent_list"] if a["project"] == api.project.name)
    assert [(v["version"], v["status"], v["sessions"]) for v in mine["versions"]] == [
        ("1", "active", 0),
        ("2", "active", 1),
    ]


def test_a_fresh_local_azure_holds_nothing(data_dir: Path) -> None:
    with LocalAzure(data_dir) as azure:
        state = azure.control.state()
    assert [state[n] for n in ("agents", "versions", "sessions", "instances", "arm_resources")] == [0] * 5


class Page(HTMLParser):
    """The parts of the page that a browser finds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_the_page_shows_agents_and_escapes_what_callers_named(api: Api, azure: LocalAzure) -> None:
    api.create("support")
    session = api.ask("support").json()["agent_session_id"]
    api.http.post("/toolboxes/tools/versions", json={"tools": []})
    api.http.get("/agents/<img src=x>")
    page = httpx.get(azure.page, trust_env=False)
    assert page.status_code == 200
    for shown in ("support", session, "tools", "Container Registry Repository Reader", "/api/projects"):
        assert shown in page.text
    assert Page(page.text).of("img") == []


def test_the_page_draws_the_traffic_of_each_version_as_a_bar(api: Api, azure: LocalAzure) -> None:
    for cpu, memory in (("0.5", "1Gi"), ("1", "2Gi"), ("2", "4Gi")):
        api.create("bars", cpu=cpu, memory=memory)
    api.route("bars", {"1": 33, "2": 67})
    page = Page(httpx.get(azure.page, trust_env=False).text)
    assert {"33.00", "67.00"} <= {bar["width"] for bar in page.of("rect")}


def test_the_page_can_be_used_by_keyboard(api: Api, azure: LocalAzure) -> None:
    """Every link has a target on the page, and what scrolls or acts takes the focus."""
    api.create("support")
    page = Page(httpx.get(azure.page, trust_env=False).text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(link["href"]).removeprefix("#") for link in page.of("a")} <= set(ids)
    assert all(part["tabindex"] == "0" for part in page.of("div") if "wide" in str(part.get("class")))
    assert [button["aria-pressed"] for button in page.of("button")] == ["false"]
    assert page.of("html") == [{"lang": "en"}]
    assert page.of("meta")[0] == {"charset": "utf-8"}


def test_the_plain_listener_answers_to_loopback_names_only(azure: LocalAzure) -> None:
    url = azure.env["IDENTITY_ENDPOINT"]
    headers = {"host": "attacker.example", "x-identity-header": azure.env["IDENTITY_HEADER"]}
    query = {"api-version": "2019-08-01", "resource": "https://ai.azure.com"}
    assert httpx.get(url, params=query, headers=headers, trust_env=False).status_code == 400
    del headers["host"]
    assert httpx.get(url, params=query, headers=headers, trust_env=False).status_code == 200


def test_a_role_is_in_effect_only_after_the_configured_delay(azure: LocalAzure) -> None:
    project = azure.seed_project("delayed")
    try:
        azure.control.set(role_delay_s=600)
        principal = str(uuid.uuid4())
        azure.grant(principal, "53ca6127-db72-4b80-b1b0-d745d6d5456d", project.id)
        with azure.client(project.name, principal_id=principal) as http:
            assert http.get("/agents").status_code == 403
            azure.control.set(role_delay_s=0)
            assert http.get("/agents").status_code == 200
    finally:
        azure.control.set(role_delay_s=0)
