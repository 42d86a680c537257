"""Accounts: their models, capability hosts and deletion."""

from __future__ import annotations

from typing import cast

import pytest

from foundry_emulator.arm.resource_id import parse
from tests.emulator.arm.azure import ACCOUNT, GROUP, PROJECT, Azure

DEPLOYMENT = f"{ACCOUNT}/deployments"
ACCOUNT_HOST = f"{ACCOUNT}/capabilityHosts"
PROJECT_HOST = f"{PROJECT}/capabilityHosts"
MODEL = {
    "sku": {"name": "GlobalStandard", "capacity": 10},
    "properties": {"model": {"format": "OpenAI", "name": "gpt-5-mini"}},
}
BODY = {"location": "eastus2", "kind": "AIServices", "sku": {"name": "S0"}, "identity": {"type": "SystemAssigned"}}
HOUR = 3600.0


def principal(resource: dict[str, object]) -> str:
    return str(cast("dict[str, object]", resource["identity"])["principalId"])


def state_of(resource: dict[str, object]) -> object:
    return cast("dict[str, object]", resource["properties"])["provisioningState"]


def test_an_account_accepts_one_model_deployment_at_a_time(azure: Azure) -> None:
    azure.deployment_s = 30
    azure.account()
    assert state_of(azure.put(f"{DEPLOYMENT}/first", MODEL)) == "Creating"
    assert azure.code("PUT", f"{DEPLOYMENT}/second", MODEL) == (409, "RequestConflict")
    assert azure.code("PUT", f"{DEPLOYMENT}/first", MODEL) == (409, "RequestConflict")
    azure.now += 30
    assert state_of(azure.send("GET", f"{DEPLOYMENT}/first")[1]) == "Succeeded"
    assert azure.send("PUT", f"{DEPLOYMENT}/second", MODEL)[0] == 201


def test_a_model_deployment_of_another_account_does_not_block(azure: Azure) -> None:
    azure.deployment_s = 30
    azure.account()
    other = ACCOUNT.replace("/acct", "/other")
    azure.put(other, BODY)
    azure.put(f"{DEPLOYMENT}/first", MODEL)
    assert azure.send("PUT", f"{other}/deployments/first", MODEL)[0] == 201


@pytest.mark.parametrize("child", [f"{DEPLOYMENT}/chat", PROJECT])
def test_an_account_with_children_cannot_be_deleted(azure: Azure, child: str) -> None:
    azure.project()
    azure.put(f"{DEPLOYMENT}/chat", MODEL)
    azure.send("DELETE", f"{DEPLOYMENT}/chat" if child == PROJECT else PROJECT)
    assert azure.code("DELETE", ACCOUNT) == (409, "CannotDeleteResource")
    azure.send("DELETE", child)
    assert azure.send("DELETE", ACCOUNT)[0] == 200


def test_deleting_a_resource_group_deletes_an_account_and_its_children(azure: Azure) -> None:
    azure.project()
    assert azure.send("DELETE", GROUP)[0] == 200
    assert azure.arm.project("demo") is None


def test_a_deleted_account_reserves_its_name_and_is_recovered_with_its_identity(azure: Azure) -> None:
    azure.account_retention_s = 48 * HOUR
    before = principal(azure.account())
    azure.send("DELETE", ACCOUNT)
    azure.now += 47 * HOUR
    assert azure.code("PUT", ACCOUNT, BODY) == (409, "FlagMustBeSetForRestore")
    restored = azure.put(ACCOUNT, {**BODY, "properties": {"restore": True}})
    assert principal(restored) == before
    assert "restore" not in cast("dict[str, object]", restored["properties"])


def test_a_deleted_account_cannot_be_recovered_after_its_retention(azure: Azure) -> None:
    azure.account_retention_s = 48 * HOUR
    before = principal(azure.account())
    azure.send("DELETE", ACCOUNT)
    azure.now += 48 * HOUR
    restore = {**BODY, "properties": {"restore": True}}
    assert azure.code("PUT", ACCOUNT, restore) == (409, "CanNotRestoreANonExistingResource")
    assert principal(azure.put(ACCOUNT, BODY)) != before


def test_a_recreated_resource_has_another_identity_without_roles(azure: Azure) -> None:
    """Also after a restart: an assignment of the old one gives the new one no right."""
    first = principal(azure.project())
    azure.arm.delete(parse(ACCOUNT))
    azure.restart()
    again = azure.project()
    view = azure.arm.project("demo")
    assert view is not None
    assert principal(again) == view.principal_id != first
    assert principal(azure.send("GET", PROJECT)[1]) == view.principal_id


def test_the_agents_network_is_set_when_the_account_is_created(azure: Azure) -> None:
    injections = [{"scenario": "agent", "subnetArmId": "/subnet"}]
    azure.account(networkInjections=injections)
    azure.account(networkInjections=injections, disableLocalAuth=True)
    assert azure.code("PUT", ACCOUNT, BODY) == (400, "BadRequest")


def test_a_projects_capability_host_requires_the_accounts(azure: Azure) -> None:
    azure.project()
    assert azure.code("PUT", f"{PROJECT_HOST}/agents", {"properties": {}}) == (400, "UserError")
    azure.put(f"{ACCOUNT_HOST}/agents", {"properties": {"capabilityHostKind": "Agents"}})
    azure.put(f"{PROJECT_HOST}/agents", {"properties": {}})


def test_there_is_one_capability_host_and_it_cannot_be_changed(azure: Azure) -> None:
    azure.project()
    body = {"properties": {"capabilityHostKind": "Agents"}}
    azure.put(f"{ACCOUNT_HOST}/agents", body)
    assert azure.send("PUT", f"{ACCOUNT_HOST}/agents", body)[0] == 200
    assert azure.code("PUT", f"{ACCOUNT_HOST}/more", body) == (409, "Conflict")
    changed = {"properties": {"capabilityHostKind": "Agents", "customerSubnet": "/subnet"}}
    assert azure.code("PUT", f"{ACCOUNT_HOST}/agents", changed) == (400, "UserError")


def test_a_capability_host_names_connections_that_the_project_has(azure: Azure) -> None:
    azure.project()
    azure.put(f"{ACCOUNT_HOST}/agents", {"properties": {"capabilityHostKind": "Agents"}})
    requested = {"properties": {"storageConnections": ["storage"]}}
    assert azure.code("PUT", f"{PROJECT_HOST}/agents", requested) == (400, "UserError")
    azure.put(f"{PROJECT}/connections/storage", {"properties": {"authType": "AAD", "category": "AzureBlob"}})
    azure.put(f"{PROJECT_HOST}/agents", requested)


@pytest.mark.parametrize(
    ("properties", "sku", "status"),
    [
        ({"policies": {"retentionPolicy": {"status": "enabled", "days": 7}}}, "Standard", 400),
        ({"policies": {"retentionPolicy": {"status": "enabled", "days": 7}}}, "Premium", 201),
        ({"policies": {"retentionPolicy": {"status": "disabled"}}}, "Basic", 201),
        ({"publicNetworkAccess": "Disabled"}, "Basic", 400),
        ({"publicNetworkAccess": "Disabled"}, "Premium", 201),
    ],
)
def test_some_options_of_a_registry_require_premium(
    azure: Azure, properties: dict[str, object], sku: str, status: int
) -> None:
    azure.group()
    registry = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acmereg"
    body = {"location": "eastus2", "sku": {"name": sku}, "properties": properties}
    assert azure.send("PUT", registry, body)[0] == status
