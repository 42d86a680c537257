"""The other settings of a stack: models, telemetry, an existing registry, and promotion."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pytest

import foundry_agents as fa
from tests.stacks.stack_file import deployed, loaded, problems
from tests.support.program import ASSIGNMENT, ENDPOINT, LOGIN_SERVER, REGISTRY, VERSION

DIGEST = "sha256:" + "a" * 64
CANARY = "canary-4711"
GOOD = {"support": {"image": f"support@{DIGEST}"}}
MODEL = "azure-native:cognitiveservices:Deployment"
INSIGHTS = "azure-native:applicationinsights:Component"
WORKSPACE = "azure-native:operationalinsights:Workspace"


# --- Models -----------------------------------------------------------------------------------------------------------


def test_models_are_deployed_under_their_names() -> None:
    models = {"gpt-5-mini": {"version": "2025-08-07", "capacity": 50}, "small": {"model": "gpt-5-nano"}, "plain": None}
    assert loaded(GOOD, models=models).models == (
        fa.ModelDeployment("gpt-5-mini", version="2025-08-07", capacity=50),
        fa.ModelDeployment("small", "gpt-5-nano"),
        fa.ModelDeployment("plain"),
    )
    made = {one.name: one.inputs for one in deployed(GOOD, models=models).declared if one.type == MODEL}
    assert set(made) == {"agents-model-gpt-5-mini", "agents-model-small", "agents-model-plain"}
    assert made["agents-model-small"]["properties"]["model"]["name"] == "gpt-5-nano"


def test_problems_of_models_come_with_their_paths() -> None:
    models = {"a": {"capacity": "50"}, "b": {"modle": "x"}, "c": 7, "d": {"name": "e"}}
    assert [line.split(";")[0] for line in problems(GOOD, models=models)] == [
        "models.a.capacity must be a whole number",
        "models.b.modle is not a setting",
        "models.c must be a map of settings",
        "models.d.name is not a setting: the key d is the name",
    ]
    for wrong in (["gpt-5-mini"], "gpt-5-mini", True):
        assert problems(GOOD, models=wrong) == ["models must be a map with the name of each deployment as key"]


# --- Traces -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, fa.AppInsights()),
        (False, None),
        ({}, fa.AppInsights()),
        ({"retention_days": 90}, fa.AppInsights(retention_days=90)),
        ({"workspace_id": "/w"}, fa.AppInsights(workspace_id="/w")),
    ],
)
def test_telemetry_is_a_boolean_or_a_map_of_options(given: object, expected: fa.AppInsights | None) -> None:
    assert loaded(GOOD, telemetry=given).telemetry == expected
    assert (INSIGHTS in {one.type for one in deployed(GOOD, telemetry=given).declared}) == (expected is not None)


def test_the_options_of_telemetry_are_used() -> None:
    assert deployed(GOOD, telemetry={"retention_days": 90}).one(WORKSPACE).inputs["retentionInDays"] == 90
    assert WORKSPACE not in {one.type for one in deployed(GOOD, telemetry={"workspace_id": "/w"}).declared}


def test_without_telemetry_no_application_insights_is_declared() -> None:
    assert INSIGHTS not in {one.type for one in deployed(GOOD).declared}


@pytest.mark.parametrize("wrong", ["yes", 7, ["a"]])
def test_another_type_of_telemetry_is_refused(wrong: object) -> None:
    assert problems(GOOD, telemetry=wrong) == ["telemetry must be true, or a map of settings"]


def test_problems_of_telemetry_come_with_their_paths() -> None:
    assert [line.split(";")[0] for line in problems(GOOD, telemetry={"retention_days": "90", "retention": 1})] == [
        "telemetry.retention is not a setting",
        "telemetry.retention_days must be a whole number",
    ]


def test_models_and_telemetry_are_refused_for_an_existing_project() -> None:
    project = {"endpoint": ENDPOINT, "principal_id": "p"}
    registry = {"login_server": LOGIN_SERVER, "resource_id": "/images"}
    found = problems(GOOD, project=project, registry=registry, models={"a": {}}, telemetry=True)
    assert [line.split(":")[0] for line in found] == [
        "models and project exclude each other",
        "telemetry and project exclude each other",
    ]


# --- An existing registry ---------------------------------------------------------------------------------------------


def test_a_new_project_can_pull_from_an_existing_registry() -> None:
    registry = {"login_server": "shared.azurecr.io", "resource_id": "/shared"}
    made = deployed(GOOD, registry=registry)
    assert REGISTRY not in {one.type for one in made.declared}
    assert made.one(ASSIGNMENT).inputs["scope"] == "/shared"
    assert made.one(VERSION).inputs["image"] == f"shared.azurecr.io/support@{DIGEST}"
    assert made.one(VERSION).inputs["registry_id"] == "/shared"


# --- Promotion --------------------------------------------------------------------------------------------------------


def _published(image: str | None, *, stack: str = "staging", **more: str) -> dict[str, Mapping[str, object]]:
    known = ("agent_name", "endpoint", "responses_url", "version", "status", "serving_version", "traffic")
    agent = {**dict.fromkeys(known, "x"), "image": image, **more}
    registry = {"login_server": "localhost:5443/imagesdev"}
    contract = {"format": "1.0", "registry": registry, "agents": {"support": agent}}
    return {f"acme/foundry-agents/{stack}": {"contract": contract}}


@pytest.mark.parametrize("repository", ["support", "team/support"])
def test_a_promotion_uses_the_digest_of_the_contract(repository: str) -> None:
    """A built image, a tag and a pinned image are all a digest in the contract."""
    made = deployed(
        {"support": {}}, _published(f"localhost:5443/imagesdev/{repository}@{DIGEST}"), promoteFrom="staging"
    )
    assert made.one(VERSION).inputs["image"] == f"{LOGIN_SERVER}/{repository}@{DIGEST}"


PINNED = {"version": "8", "serving_version": "7"}


def test_a_stack_that_serves_another_version_than_its_settings_describe_promotes_nothing() -> None:
    """A pin in dev stops a bad release; staging must not promote it."""
    there = _published(f"localhost:5443/imagesdev/support@{DIGEST}", **PINNED)
    with pytest.raises(pulumi.RunError, match=r"(?s)serves version 7, but its settings describe 8: nothing to promote"):
        deployed({"support": {}}, there, promoteFrom="staging")


def test_without_promotion_a_pinned_stack_keeps_the_image_that_its_settings_describe() -> None:
    here = _published(f"localhost:5443/imagesdev/support@{DIGEST}", stack="dev", **PINNED)
    made = deployed({"support": {}}, here, promoteFrom="staging", promote="false")
    assert made.one(VERSION).inputs["image"] == f"{LOGIN_SERVER}/support@{DIGEST}"


def test_promoting_an_agent_from_source_code_is_refused_with_a_remedy() -> None:
    with pytest.raises(pulumi.RunError, match=r"(?s)runs it from source code.+set agents\.support\.code here too"):
        deployed({"support": {}}, _published(None), promoteFrom="staging")
