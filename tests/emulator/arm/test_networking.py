"""Private endpoints and telemetry, and what they require."""

from __future__ import annotations

from typing import cast

import pytest

from tests.emulator.arm.azure import ACCOUNT, GROUP, REGISTRY, Azure

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net"
SUBNET = f"{NETWORK}/subnets/endpoints"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/private"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
ZONES = f"{ENDPOINT}/privateDnsZoneGroups/default"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
INSIGHTS = f"{GROUP}/providers/Microsoft.Insights/components/traces"


def endpoint(target: str, group: str, subnet: str = SUBNET) -> dict[str, object]:
    connection = {"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
    return {
        "location": "eastus2",
        "properties": {"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]},
    }


def network(azure: Azure) -> None:
    azure.put(NETWORK, {"location": "eastus2", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    azure.put(SUBNET, {"properties": {"addressPrefix": "10.0.1.0/24"}})


def test_a_private_endpoint_is_the_only_way_to_an_account_closed_to_the_public_network(azure: Azure) -> None:
    azure.project()
    network(azure)
    azure.account(publicNetworkAccess="Disabled")
    assert not reachable(azure)
    made = azure.put(ENDPOINT, endpoint(ACCOUNT, "account"))
    assert reachable(azure)
    properties = cast("dict[str, list[dict[str, dict[str, dict[str, str]]]]]", made["properties"])
    state = properties["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"]
    assert state["status"] == "Approved"
    azure.send("DELETE", ENDPOINT)
    assert not reachable(azure)


def reachable(azure: Azure) -> bool:
    view = azure.arm.project("demo")
    assert view is not None
    return view.is_reachable


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (endpoint(ACCOUNT, "registry"), "PrivateEndpointGroupIdInvalid"),
        (endpoint(REGISTRY, "registry"), "PrivateEndpointNotSupported"),
        (endpoint(f"{ACCOUNT}x", "account"), "InvalidResourceReference"),
        (endpoint(ACCOUNT, "account", f"{SUBNET}x"), "InvalidResourceReference"),
    ],
)
def test_an_endpoint_requires_a_subnet_and_a_supported_target(azure: Azure, body: dict[str, object], code: str) -> None:
    azure.account()
    azure.registry()
    network(azure)
    assert azure.code("PUT", ENDPOINT, body) == (400, code)


def test_a_subnet_stays_while_an_endpoint_is_in_it(azure: Azure) -> None:
    azure.account()
    network(azure)
    azure.put(ENDPOINT, endpoint(ACCOUNT, "account"))
    assert azure.code("DELETE", SUBNET) == (400, "InUseSubnetCannotBeDeleted")
    assert azure.code("DELETE", NETWORK) == (400, "InUseSubnetCannotBeDeleted")
    azure.send("DELETE", ENDPOINT)
    assert azure.send("DELETE", SUBNET)[0] == 200


def test_an_address_requires_an_existing_zone(azure: Azure) -> None:
    azure.account()
    network(azure)
    azure.put(ENDPOINT, endpoint(ACCOUNT, "account"))
    body = {"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": ZONE}}]}}
    assert azure.code("PUT", ZONES, body) == (400, "InvalidResourceReference")
    azure.put(ZONE, {"location": "global"})
    azure.put(ZONES, body)


def test_application_insights_requires_an_existing_workspace(azure: Azure) -> None:
    azure.group()
    body = {
        "location": "eastus2",
        "kind": "web",
        "properties": {"Application_Type": "web", "WorkspaceResourceId": WORKSPACE},
    }
    assert azure.code("PUT", INSIGHTS, body) == (400, "BadRequest")
    azure.put(WORKSPACE, {"location": "eastus2", "properties": {"retentionInDays": 30}})
    properties = cast("dict[str, str]", azure.put(INSIGHTS, body)["properties"])
    assert properties["ConnectionString"].startswith(f"InstrumentationKey={properties['InstrumentationKey']};")


def test_a_workspaces_retention_must_be_one_that_azure_allows(azure: Azure) -> None:
    azure.group()
    body = {"location": "eastus2", "properties": {"retentionInDays": 7}}
    assert azure.code("PUT", WORKSPACE, body) == (400, "InvalidParameter")


def test_application_insights_requires_a_kind_and_a_type(azure: Azure) -> None:
    azure.group()
    body: dict[str, object] = {"location": "eastus2", "properties": {"Application_Type": "web"}}
    assert azure.code("PUT", INSIGHTS, body) == (400, "InvalidRequestContent")
    assert azure.code("PUT", INSIGHTS, {"location": "eastus2", "kind": "web"}) == (400, "InvalidRequestContent")
