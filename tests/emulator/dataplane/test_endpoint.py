from __future__ import annotations

import collections
from pathlib import Path

import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json, is_active

DEFAULT_RULE = {"type": "FixedRatio", "agent_version": "@latest", "traffic_percentage": 100}
SCHEMES = [{"type": "Entra", "isolation_key_source": {"kind": "Entra"}}]


def two_versions(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")


def rules_of(api: Api) -> list[Json]:
    rules: list[Json] = api.http.get("/agents/support").json()["agent_endpoint"]["version_selector"][
        "version_selection_rules"
    ]
    return rules


def test_a_new_agent_routes_everything_to_its_latest_version(api: Api) -> None:
    api.create("support")
    agent = api.http.get("/agents/support").json()
    assert agent["agent_endpoint"] == {
        "version_selector": {"version_selection_rules": [DEFAULT_RULE]},
        "protocols": ["responses"],
        "authorization_schemes": SCHEMES,
    }
    assert agent["state"] == "enabled"
    assert api.served_by("support") == "1"
    api.create("support", cpu="1", memory="2Gi")
    assert api.served_by("support") == "2"


def test_a_patch_answers_with_the_whole_agent_and_the_recorded_additions(api: Api) -> None:
    api.create("support")
    rule = {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 100}
    body = {
        "agent_endpoint": {
            "version_selector": {"version_selection_rules": [rule]},
            "protocol_configuration": {"responses": {}},
        }
    }
    answer = api.http.patch("/agents/support", json=body, headers={"content-type": "application/merge-patch+json"})
    assert answer.status_code == 200
    agent = answer.json()
    assert list(agent) == [
        "object",
        "id",
        "name",
        "state",
        "versions",
        "agent_endpoint",
        "instance_identity",
        "blueprint",
        "blueprint_reference",
    ]
    assert list(agent["agent_endpoint"]) == [
        "version_selector",
        "protocols",
        "protocol_configuration",
        "authorization_schemes",
    ]
    assert agent["agent_endpoint"] == {
        **body["agent_endpoint"],
        "protocols": ["responses"],
        "authorization_schemes": SCHEMES,
    }


def test_a_pinned_endpoint_does_not_follow_a_new_version(api: Api) -> None:
    api.create("support")
    api.route("support", {"1": 100})
    api.create("support", cpu="1", memory="2Gi")
    assert api.served_by("support") == "1"


def test_rules_are_replaced_whole_and_null_restores_the_default(api: Api) -> None:
    two_versions(api)
    api.route("support", {"1": 50, "2": 50})
    api.route("support", {"2": 100})
    assert [rule["agent_version"] for rule in rules_of(api)] == ["2"]
    api.http.patch("/agents/support", json={"agent_endpoint": {"version_selector": None}})
    assert rules_of(api) == [DEFAULT_RULE]


def test_percentages_with_another_sum_than_100_are_accepted(api: Api) -> None:
    two_versions(api)
    assert api.route("support", {"1": 40, "2": 34}).status_code == 200


def test_a_rule_for_a_missing_version_is_refused_and_changes_nothing(api: Api) -> None:
    two_versions(api)
    api.route("support", {"1": 100})
    assert api.route("support", {"9": 100}).status_code == 400
    assert [rule["agent_version"] for rule in rules_of(api)] == ["1"]


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "Weighted", "agent_version": "1", "traffic_percentage": 100},
        {"type": "FixedRatio", "agent_version": 1, "traffic_percentage": 100},
        {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 101},
        {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 0.5},
        {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": True},
        "1",
    ],
)
def test_a_malformed_rule_is_a_400(api: Api, rule: object) -> None:
    api.create("support")
    patch = {"agent_endpoint": {"version_selector": {"version_selection_rules": [rule]}}}
    assert api.http.patch("/agents/support", json=patch).status_code == 400


def test_new_sessions_are_split_by_the_rules(api: Api) -> None:
    two_versions(api)
    api.route("support", {"1": 25, "2": 75})
    served = collections.Counter(api.served_by("support") for _ in range(200))
    assert 30 <= served["1"] <= 70, served
    assert served["1"] + served["2"] == 200


def test_a_version_with_0_percent_gets_no_session(api: Api) -> None:
    two_versions(api)
    api.route("support", {"1": 0, "2": 100})
    assert {api.served_by("support") for _ in range(30)} == {"2"}


def test_the_same_seed_splits_traffic_the_same_way(tmp_path: Path) -> None:
    def drawn(name: str) -> list[str]:
        with LocalAzure(tmp_path / name, seed=7) as azure:
            project = azure.seed_project("shop")
            image = azure.push_image(project)
            with azure.client("shop") as http:
                for tier in (("0.5", "1Gi"), ("1", "2Gi")):
                    definition = {
                        "kind": "hosted",
                        "cpu": tier[0],
                        "memory": tier[1],
                        "container_configuration": {"image": image},
                        "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
                    }
                    made = http.post("/agents/a/versions", json={"definition": definition}).json()["version"]
                    azure.wait_until(is_active(http, "a", made))
                rules = [
                    {"type": "FixedRatio", "agent_version": version, "traffic_percentage": 50} for version in ("1", "2")
                ]
                http.patch(
                    "/agents/a",
                    json={"agent_endpoint": {"version_selector": {"version_selection_rules": rules}}},
                )
                return [
                    http.post("/agents/a/endpoint/protocols/openai/responses", json={"input": ""}).json()[
                        "agent_reference"
                    ]["version"]
                    for _ in range(20)
                ]

    assert drawn("one") == drawn("two")


def test_a_failed_latest_version_takes_no_traffic_from_the_one_before(api: Api) -> None:
    api.create("support")
    failed = api.create("support", container_configuration={"image": api.image.split("@")[0] + ":absent"})
    assert failed["status"] == "failed"
    assert api.served_by("support") == "1"


def test_a_disabled_agent_refuses_calls_and_sessions_until_it_is_enabled(api: Api) -> None:
    api.create("support")
    for _ in range(2):
        assert api.http.post("/agents/support:disable").status_code == 204
    assert api.http.get("/agents/support").json()["state"] == "disabled"
    assert api.ask("support").status_code == 403
    assert api.http.post("/agents/support/endpoint/sessions", json={}).status_code == 403
    for _ in range(2):
        assert api.http.post("/agents/support:enable").status_code == 204
    assert api.ask("support").status_code == 200


def test_an_agent_card_is_merged_and_shown(api: Api) -> None:
    api.create("support")
    api.http.patch("/agents/support", json={"agent_card": {"version": "1", "description": "d"}})
    agent = api.http.patch("/agents/support", json={"agent_card": {"description": None}}).json()
    assert agent["agent_card"] == {"version": "1"}
