from __future__ import annotations

import re

import pytest
from pulumi.provider.experimental.property_value import PropertyValue

from foundry_emulator.fake_plugins.values import UNKNOWN, plain_map
from tests.emulator.fake_plugins.engine import Engine
from tests.emulator.fake_plugins.types import ACCOUNT, ASSIGNMENT, CONNECTION, GROUP, PROJECT, REGISTRY

GOOD: dict[str, dict[str, object]] = {
    GROUP: {"location": "eastus2"},
    ACCOUNT: {
        "resourceGroupName": "rg",
        "location": "eastus2",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "properties": {"allowProjectManagement": True, "networkAcls": {"ipRules": [{"value": "10.0.0.1"}]}},
        "tags": {"any name": "x"},
    },
    REGISTRY: {
        "resourceGroupName": "rg",
        "location": "eastus2",
        "sku": {"name": "Basic"},
        "policies": {"retentionPolicy": {"days": 7, "status": "enabled"}},
    },
    ASSIGNMENT: {"scope": "/subscriptions/s", "principalId": "p", "roleDefinitionId": "r", "principalType": "User"},
    CONNECTION: {
        "resourceGroupName": "rg",
        "accountName": "a",
        "projectName": "p",
        "properties": {"authType": "ApiKey", "category": "ApiKey", "credentials": {"key": "k"}},
    },
}


@pytest.mark.parametrize("token", GOOD)
def test_inputs_that_the_sdk_knows_pass(engine: Engine, token: str) -> None:
    assert engine.failures(token, GOOD[token]) == {}


def test_all_problems_are_reported_at_once_with_their_paths(engine: Engine) -> None:
    failures = engine.failures(
        ACCOUNT,
        {
            "location": "eastus2",
            "kind": 5,
            "sku": {},
            "tags": ["a"],
            "properties": {
                "allowProjectManagment": True,
                "networkAcls": {"ipRules": [{"value": "ok"}, {"valu": "1"}]},
                "encryption": "yes",
            },
        },
    )
    assert failures == {
        "resourceGroupName": "missing required property 'resourceGroupName'",
        "kind": "expected a string, got a number",
        "sku.name": "missing required property 'name'",
        "tags": "expected an object, got a list",
        "properties.allowProjectManagment": (
            "'allowProjectManagment' is not a property of AccountPropertiesArgs; did you mean 'allowProjectManagement'?"
        ),
        "properties.networkAcls.ipRules[1].value": "missing required property 'value'",
        "properties.networkAcls.ipRules[1].valu": "'valu' is not a property of IpRuleArgs; did you mean 'value'?",
        "properties.encryption": "expected an object, got a string",
    }


def test_of_several_possible_types_the_closest_is_assumed(engine: Engine) -> None:
    properties = {"authType": "ApiKey", "category": "ApiKey", "credentials": {"key": "k", "clientId": "c"}}
    failures = engine.failures(CONNECTION, {**GOOD[CONNECTION], "properties": properties})
    assert len(failures) == 1


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("azure-native:cognitiveservices:Projekt", "not a resource type"),
        ("azure-native:nosuchmodule:Project", "not a resource type"),
        ("azure-native:cognitiveservices/v20250601:Project", "not a resource type"),
        ("azure-native:cognitiveservices:ProjectArgs", "not a resource type"),
        ("aws:s3:Bucket", "not a resource type"),
        ("azure-native:containerregistry:Webhook", "the local Azure does not model .*Webhook yet"),
    ],
)
def test_a_type_that_cannot_be_created_is_refused(engine: Engine, token: str, reason: str) -> None:
    failures = engine.failures(token, {})
    assert list(failures) == [""]
    assert re.search(reason, failures[""])


def test_unknown_and_secret_values_pass_and_stay(engine: Engine) -> None:
    inputs = {**GOOD[REGISTRY], "resourceGroupName": UNKNOWN, "policies": {"retentionPolicy": {"days": UNKNOWN}}}
    assert plain_map(engine.checked(REGISTRY, inputs))["resourceGroupName"] is UNKNOWN
    assert engine.failures(REGISTRY, {"resourceGroupName": UNKNOWN, "sku": UNKNOWN}) == {}


def test_a_null_is_a_missing_value(engine: Engine) -> None:
    assert "sku" in engine.failures(REGISTRY, {**GOOD[REGISTRY], "sku": None})
    assert engine.failures(REGISTRY, {**GOOD[REGISTRY], "tags": None}) == {}


def test_a_name_is_generated_once_and_kept(engine: Engine) -> None:
    first = engine.checked(GROUP, GOOD[GROUP], name="rg")
    name = first["resourceGroupName"].value
    assert re.fullmatch("rg[0-9a-f]{8}", str(name))
    again = engine.checked(GROUP, GOOD[GROUP], {"resourceGroupName": "kept"}, name="rg")
    assert again["resourceGroupName"].value == "kept"


def test_children_take_the_logical_name_and_assignments_a_guid(engine: Engine) -> None:
    parent = {"resourceGroupName": "rg", "accountName": "a", "location": "eastus2"}
    assert engine.checked(PROJECT, parent, name="support")["projectName"].value == "support"
    given = engine.checked(ASSIGNMENT, GOOD[ASSIGNMENT])["roleAssignmentName"].value
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(given))


def test_a_region_comes_from_old_inputs_then_configuration_then_the_group(engine: Engine) -> None:
    inputs = {"resourceGroupName": "rg", "sku": {"name": "Basic"}}
    assert "location" not in engine.checked(REGISTRY, inputs)
    assert plain_map(engine.checked(REGISTRY, {**inputs, "resourceGroupName": UNKNOWN}))["location"] is UNKNOWN
    engine.azure.group()
    assert engine.checked(REGISTRY, inputs)["location"] == PropertyValue("eastus2")
    engine.config = {"location": "westus"}
    engine.restart()
    assert engine.checked(REGISTRY, inputs)["location"] == PropertyValue("westus")
    assert engine.checked(REGISTRY, inputs, {"location": "ukwest"})["location"] == PropertyValue("ukwest")
