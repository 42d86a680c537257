"""The conversion between the SDK's spelling and Resource Manager's, in both directions."""

from __future__ import annotations

from typing import cast

import pytest

from foundry_emulator.arm.resource_id import parse
from foundry_emulator.fake_plugins.arm_client import ArmRefusalError
from foundry_emulator.fake_plugins.catalog import MODELLED
from tests.emulator.fake_plugins.engine import Engine
from tests.emulator.fake_plugins.types import ACCOUNT, PROJECT, REGISTRY

WORKSPACE = "azure-native:operationalinsights:Workspace"
INSIGHTS = "azure-native:applicationinsights:Component"
ACCOUNT_HOST = "azure-native:cognitiveservices:AccountCapabilityHost"
DEPLOYMENT = "azure-native:cognitiveservices:Deployment"
NETWORK = "azure-native:network:VirtualNetwork"
SUBNET = "azure-native:network:Subnet"
ENDPOINT = "azure-native:network:PrivateEndpoint"
ACCOUNT_INPUTS = {"resourceGroupName": "rg", "accountName": "acct"}

Json = dict[str, object]


def sent(engine: Engine, resource_id: str) -> Json:
    return engine.azure.arm.request_of(parse(resource_id))


def test_application_insights_is_spelled_as_azure_spells_it(engine: Engine) -> None:
    engine.azure.group()
    workspace, state = engine.made(WORKSPACE, {"resourceGroupName": "rg", "sku": {"name": "PerGB2018"}})
    assert sent(engine, workspace)["properties"] == {"sku": {"name": "PerGB2018"}}, "of a workspace the SKU is inside"
    assert state["sku"] == {"name": "PerGB2018"}
    inputs = {
        "resourceGroupName": "rg",
        "kind": "web",
        "applicationType": "web",
        "workspaceResourceId": workspace,
        "ingestionMode": "LogAnalytics",
    }
    insights, state = engine.made(INSIGHTS, inputs)
    body = sent(engine, insights)
    assert body["kind"] == "web"
    assert body["properties"] == {
        "Application_Type": "web",
        "WorkspaceResourceId": workspace,
        "IngestionMode": "LogAnalytics",
    }
    assert state["applicationType"] == "web"
    assert str(state["connectionString"]).startswith("InstrumentationKey=")


def test_a_capability_hosts_properties_have_a_name_of_their_own_in_the_sdk(engine: Engine) -> None:
    engine.azure.project()
    requested = {"capabilityHostKind": "Agents"}
    host, state = engine.made(
        ACCOUNT_HOST, {**ACCOUNT_INPUTS, "capabilityHostName": "agents", "capabilityHostProperties": requested}
    )
    assert sent(engine, host) == {"properties": requested}
    assert cast("Json", state["capabilityHostProperties"])["provisioningState"] == "Succeeded"


def test_items_of_a_list_have_nested_properties_in_the_payload(engine: Engine) -> None:
    account = str(engine.azure.account()["id"])
    engine.made(NETWORK, {"resourceGroupName": "rg", "virtualNetworkName": "net"})
    subnet, _ = engine.made(SUBNET, {"resourceGroupName": "rg", "virtualNetworkName": "net", "subnetName": "s"})
    connection = {"name": "c", "privateLinkServiceId": account, "groupIds": ["account"]}
    endpoint, state = engine.made(
        ENDPOINT,
        {"resourceGroupName": "rg", "subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]},
    )
    body = cast("dict[str, Json]", sent(engine, endpoint))
    assert body["properties"]["privateLinkServiceConnections"] == [
        {"name": "c", "properties": {"privateLinkServiceId": account, "groupIds": ["account"]}}
    ]
    (found,) = cast("list[Json]", state["privateLinkServiceConnections"])
    assert {name: found[name] for name in connection} == connection


def test_a_model_deployment_is_complete_when_azure_says_so(engine: Engine) -> None:
    """The next one may follow; at the same time it would be refused."""
    engine.azure.account()
    engine.azure.deployment_s = 0.5
    inputs = {**ACCOUNT_INPUTS, "sku": {"name": "Standard"}, "properties": {"model": {"name": "gpt-5-mini"}}}
    _, state = engine.made(DEPLOYMENT, {**inputs, "deploymentName": "first"})
    assert cast("Json", state["properties"])["provisioningState"] == "Succeeded"
    assert engine.pauses
    engine.made(DEPLOYMENT, {**inputs, "deploymentName": "second"})


def test_an_account_that_still_has_a_project_is_not_deleted(engine: Engine) -> None:
    account = str(engine.azure.account()["id"])
    engine.azure.project()
    with pytest.raises(ArmRefusalError, match="CannotDeleteResource"):
        engine.delete(ACCOUNT, account)


@pytest.mark.parametrize("token", [ACCOUNT, PROJECT, REGISTRY, WORKSPACE, INSIGHTS, NETWORK, ENDPOINT])
def test_another_region_is_another_resource(token: str) -> None:
    assert "location" in MODELLED[token].replaces_on
