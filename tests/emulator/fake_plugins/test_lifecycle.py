from __future__ import annotations

from typing import cast

import pytest
from pulumi.provider.experimental.property_value import PropertyValue

from foundry_emulator.fake_plugins.arm_client import ArmRefusalError, PluginError
from foundry_emulator.fake_plugins.values import UNKNOWN, plain_map
from tests.emulator.arm.azure import ACCOUNT as ACCOUNT_ID
from tests.emulator.arm.azure import GROUP as GROUP_ID
from tests.emulator.arm.azure import PROJECT as PROJECT_ID
from tests.emulator.arm.azure import REGISTRY as REGISTRY_ID
from tests.emulator.fake_plugins.engine import Engine, Json
from tests.emulator.fake_plugins.types import ACCOUNT, ASSIGNMENT, CONNECTION, GROUP, PROJECT, REGISTRY

ROLE = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
OTHER = "11111111-1111-1111-1111-111111111111"
REGISTRY_INPUTS: dict[str, object] = {
    "resourceGroupName": "rg",
    "registryName": "acmereg",
    "location": "eastus2",
    "sku": {"name": "Basic"},
    "tags": {"team": "support"},
}
PROJECT_INPUTS: dict[str, object] = {
    "resourceGroupName": "rg",
    "accountName": "acct",
    "projectName": "demo",
    "location": "eastus2",
    "identity": {"type": "SystemAssigned"},
    "properties": {"displayName": "Demo"},
}


def test_a_registrys_outputs_have_the_sdks_names(engine: Engine) -> None:
    engine.azure.group()
    resource_id, state = engine.made(REGISTRY, REGISTRY_INPUTS)
    assert resource_id == REGISTRY_ID
    assert (state["name"], state["loginServer"]) == ("acmereg", "localhost:5000/acmereg")
    assert state["type"] == "Microsoft.ContainerRegistry/registries"
    assert "properties" not in state
    assert "roleAssignmentMode" not in state  # this version of the SDK's class does not have it


def test_a_project_keeps_its_properties_and_gets_an_identity(engine: Engine) -> None:
    engine.azure.account()
    _, state = engine.made(PROJECT, PROJECT_INPUTS)
    properties = cast("dict[str, object]", state["properties"])
    assert properties["endpoints"] == {"AI Foundry API": "https://localhost:8443/api/projects/demo"}
    view = engine.azure.arm.project("demo")
    assert view is not None
    assert cast("dict[str, object]", state["identity"])["principalId"] == view.principal_id


def test_a_role_assignment_is_created_at_its_scope(engine: Engine) -> None:
    engine.azure.registry()
    inputs = {"scope": REGISTRY_ID, "principalId": OTHER, "roleDefinitionId": ROLE}
    resource_id, state = engine.made(ASSIGNMENT, inputs)
    assert resource_id.startswith(f"{REGISTRY_ID}/providers/Microsoft.Authorization/roleAssignments/")
    assert (state["principalId"], state["scope"]) == (OTHER, REGISTRY_ID)
    assert engine.azure.arm.has_role(OTHER, {ROLE.rpartition("/")[2]}, REGISTRY_ID)


def test_a_preview_creates_nothing_and_knows_only_the_inputs(engine: Engine) -> None:
    engine.azure.account()
    predicted = plain_map(engine.create(PROJECT, engine.checked(PROJECT, PROJECT_INPUTS), preview=True).properties)
    assert engine.azure.arm.project("demo") is None
    assert predicted["name"] == "demo"
    properties = cast("dict[str, object]", predicted["properties"])
    assert (properties["displayName"], properties["endpoints"]) == ("Demo", UNKNOWN)
    assert cast("dict[str, object]", predicted["identity"])["principalId"] is UNKNOWN


def test_a_preview_of_an_update_keeps_name_and_region_only(engine: Engine) -> None:
    engine.azure.group()
    resource_id, state = engine.made(REGISTRY, REGISTRY_INPUTS)
    predicted = engine.update(REGISTRY, resource_id, state, {**REGISTRY_INPUTS, "tags": {}}, preview=True)
    assert (predicted["name"], predicted["location"], predicted["loginServer"]) == ("acmereg", "eastus2", UNKNOWN)
    assert engine.azure.send("GET", REGISTRY_ID)[1]["tags"] == {"team": "support"}


def test_an_existing_resource_is_not_taken_over(engine: Engine) -> None:
    engine.azure.registry()
    with pytest.raises(PluginError, match="cannot create already existing resource"):
        engine.made(REGISTRY, REGISTRY_INPUTS)


def test_a_refusal_names_request_status_and_code(engine: Engine) -> None:
    with pytest.raises(ArmRefusalError, match=r'PUT .*acmereg: Status=404 Code="ResourceGroupNotFound"'):
        engine.made(REGISTRY, REGISTRY_INPUTS)


def test_an_update_replaces_the_body(engine: Engine) -> None:
    engine.azure.group()
    resource_id, state = engine.made(REGISTRY, REGISTRY_INPUTS)
    new = engine.update(REGISTRY, resource_id, state, {**REGISTRY_INPUTS, "adminUserEnabled": True, "tags": None})
    assert new["adminUserEnabled"] is True
    assert "tags" not in new


def test_a_transient_conflict_is_retried_three_times(engine: Engine) -> None:
    """Case 52, as azure-native does it: pulumi-azure-native#4693."""
    connection = _connection(engine)
    engine.azure.parent_busy = 3
    engine.delete(CONNECTION, connection)
    assert engine.azure.send("GET", connection)[0] == 404
    assert len(engine.pauses) == 3


def test_a_fourth_transient_conflict_is_an_error(engine: Engine) -> None:
    connection = _connection(engine)
    engine.azure.parent_busy = 4
    with pytest.raises(ArmRefusalError, match='Status=409 Code="TransientError"'):
        engine.delete(CONNECTION, connection)


def test_a_busy_project_is_an_error_at_once_as_in_azure_native(engine: Engine) -> None:
    """Case 52: azure-native does not retry a 412."""
    engine.delete(CONNECTION, _connection(engine))
    engine.azure.parent_busy = 1
    with pytest.raises(ArmRefusalError, match='Status=412 Code="IfMatchPreconditionFailed"'):
        engine.delete(PROJECT, PROJECT_ID)
    assert engine.pauses == []


def _connection(engine: Engine) -> str:
    engine.azure.project()
    path = f"{PROJECT_ID}/connections/search"
    engine.azure.put(path, {"properties": {"authType": "AAD", "category": "AzureBlob"}})
    return path


def test_a_deleted_resource_is_gone_and_can_be_deleted_again(engine: Engine) -> None:
    engine.azure.registry()
    engine.delete(REGISTRY, REGISTRY_ID)
    engine.delete(REGISTRY, REGISTRY_ID)
    gone = engine.read(REGISTRY, REGISTRY_ID, {}, REGISTRY_INPUTS)
    assert (gone.resource_id, gone.properties, gone.inputs) == ("", {}, {})


def test_reading_without_a_change_keeps_the_inputs(engine: Engine) -> None:
    engine.azure.group()
    inputs = {**REGISTRY_INPUTS, "location": "East US 2", "__createBeforeDelete": True}
    resource_id, state = engine.made(REGISTRY, inputs)
    read = engine.read(REGISTRY, resource_id, state, inputs)
    assert plain_map(read.properties) == state
    assert plain_map(read.inputs) == {**REGISTRY_INPUTS, "location": "East US 2"}
    assert "__createBeforeDelete" in read.inputs


def test_only_changes_in_azure_reach_the_inputs(engine: Engine) -> None:
    engine.azure.group()
    inputs = {**REGISTRY_INPUTS, "policies": {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}}}
    resource_id, state = engine.made(REGISTRY, inputs)
    change = {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}
    engine.azure.send("PATCH", REGISTRY_ID, {"properties": change, "tags": {"by": "hand"}})
    read = plain_map(engine.read(REGISTRY, resource_id, state, inputs).inputs)
    assert read == {**inputs, **change, "tags": {"team": "support", "by": "hand"}}


def test_an_address_that_azure_computes_is_not_drift_of_inputs(engine: Engine) -> None:
    engine.azure.account()
    resource_id, state = engine.made(PROJECT, PROJECT_INPUTS)
    engine.azure.urls = type(engine.azure.urls)("https://localhost:9999", "localhost:5000")
    read = engine.read(PROJECT, resource_id, state, PROJECT_INPUTS)
    assert plain_map(read.inputs) == PROJECT_INPUTS
    assert "9999" in str(read.properties)


def test_a_resource_created_elsewhere_is_read_with_its_inputs(engine: Engine) -> None:
    engine.azure.project()
    read = plain_map(engine.read(PROJECT, PROJECT_ID, {}, {}).inputs)
    expected = {"resourceGroupName": "rg", "accountName": "acct", "projectName": "demo", "location": "eastus2"}
    assert expected.items() <= read.items()


def test_a_secret_input_stays_secret_in_the_outputs(engine: Engine) -> None:
    engine.azure.group()
    inputs = engine.checked(REGISTRY, REGISTRY_INPUTS)
    inputs["tags"] = PropertyValue({"team": PropertyValue("canary", is_secret=True)})
    for preview in (True, False):
        tags = engine.create(REGISTRY, inputs, preview=preview).properties["tags"]
        assert tags.contains_secret()
        assert cast("dict[str, PropertyValue]", tags.value)["team"].is_secret


def test_an_object_that_is_secret_as_a_whole_stays_so(engine: Engine) -> None:
    engine.azure.group()
    inputs = engine.checked(REGISTRY, REGISTRY_INPUTS)
    inputs["tags"] = PropertyValue({"team": PropertyValue("canary")}, is_secret=True)
    assert engine.create(REGISTRY, inputs).properties["tags"].is_secret


def test_credentials_stay_in_the_inputs_and_out_of_the_outputs(engine: Engine) -> None:
    engine.azure.project()
    properties = {"authType": "ApiKey", "category": "ApiKey", "credentials": {"key": "canary"}}
    inputs = {
        "resourceGroupName": "rg",
        "accountName": "acct",
        "projectName": "demo",
        "connectionName": "search",
        "properties": properties,
    }
    resource_id, state = engine.made(CONNECTION, inputs)
    assert "canary" not in str(state)
    assert plain_map(engine.read(CONNECTION, resource_id, state, inputs).inputs) == inputs


@pytest.mark.parametrize(
    ("token", "before_after", "found"),
    [
        (GROUP, ({"location": "East US 2"}, {"location": "eastus2"}), ([], [])),
        (GROUP, ({"location": "eastus2"}, {"location": "westus"}), (["location"], ["location"])),
        (GROUP, ({"tags": {"a": "1", "b.c": "2"}}, {"tags": {"a": "2"}}), (["tags.a", 'tags["b.c"]'], [])),
        (GROUP, ({"tags": None}, {}), ([], [])),
        (GROUP, ({}, {"tags": {"a": "1"}}), (["tags"], [])),
        (GROUP, ({"azureApiVersion": "1"}, {"azureApiVersion": "2"}), ([], [])),
        (
            REGISTRY,
            ({"resourceGroupName": "a"}, {"resourceGroupName": "b"}),
            (["resourceGroupName"], ["resourceGroupName"]),
        ),
        (REGISTRY, ({"policies": {"p": {"days": 7}}}, {"policies": {"p": {"days": 7.0}}}), ([], [])),
        (REGISTRY, ({"sku": {"name": "Basic"}}, {"sku": {"name": "Premium"}}), (["sku.name"], [])),
        (PROJECT, ({"accountName": "a"}, {"accountName": UNKNOWN}), (["accountName"], ["accountName"])),
        (ASSIGNMENT, ({"principalId": "a"}, {"principalId": "b"}), (["principalId"], ["principalId"])),
        (ASSIGNMENT, ({"scope": "/a"}, {"scope": "/b"}), (["scope"], ["scope"])),
        (ASSIGNMENT, ({"description": "a"}, {"description": "b"}), (["description"], [])),
    ],
)
def test_a_change_updates_or_replaces(
    engine: Engine, token: str, before_after: tuple[Json, Json], found: tuple[list[str], list[str]]
) -> None:
    changed, replaces = found
    answer = engine.diff(token, *before_after)
    assert (answer.changes, list(answer.detailed_diff), answer.replaces) == (bool(changed), changed, replaces)
    assert answer.delete_before_replace == bool(replaces)


def test_with_a_generated_name_the_replacement_comes_first(engine: Engine) -> None:
    named = {"location": "eastus2", "__createBeforeDelete": True}
    assert not engine.diff(GROUP, named, {**named, "location": "westus"}).delete_before_replace


def test_getters_return_existing_resources(engine: Engine) -> None:
    engine.azure.registry()
    found = engine.invoke(
        "azure-native:containerregistry:getRegistry", {"resourceGroupName": "rg", "registryName": "acmereg"}
    )
    assert (found["id"], found["loginServer"]) == (REGISTRY_ID, "localhost:5000/acmereg")
    with pytest.raises(PluginError, match="was not found"):
        engine.invoke("azure-native:cognitiveservices:getAccount", {"resourceGroupName": "rg", "accountName": "no"})
    who = engine.invoke("azure-native:authorization:getClientConfig", {})
    assert who["objectId"] == "00000000-0000-0000-0000-0000000000de"
    assert GROUP_ID.startswith(f"/subscriptions/{who['subscriptionId']}/")


def test_a_token_is_renewed_before_it_expires(engine: Engine) -> None:
    engine.azure.account()
    assert engine.read(ACCOUNT, ACCOUNT_ID, {}, {}).resource_id == ACCOUNT_ID
    engine.azure.now += 24 * 3600
    assert engine.read(ACCOUNT, ACCOUNT_ID, {}, {}).resource_id == ACCOUNT_ID
