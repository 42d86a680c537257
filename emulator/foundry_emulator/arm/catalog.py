"""The modelled resource types: what each requires of a request, and what Azure adds to it.

A document keeps the request; Azure's computed values are added on reading, so that addresses are
correct after the ports of the local Azure have changed. Everything here is [modelled] after Azure's REST
reference [docs] unless a line says otherwise.
"""

from __future__ import annotations

import re
import uuid

from foundry_emulator.arm import networking, telemetry
from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text, with_defaults
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId
from foundry_emulator.arm.resource_type import (
    NAMESPACE,
    Made,
    ResourceType,
    anything,
    identity,
    provisioned,
    require,
)
from foundry_emulator.arm.urls import Urls


def normal_location(location: str) -> str:
    """Return the name that Azure uses for a region: ``East US 2`` and ``eastus2`` are the same one."""
    return location.replace(" ", "").lower()


def project_endpoint(urls: Urls, name: str) -> str:
    """Return the data plane's endpoint of a project."""
    return f"{urls.data_plane}/api/projects/{name}"


def login_server(urls: Urls, name: str) -> str:
    """Return the login server of a registry, the start of its image references.

    Azure gives each registry a host name. Names below ``localhost`` do not resolve on every system, so here each
    registry is the first path segment of one host instead.
    """
    return f"{urls.registry}/{name.lower()}"


def _check_account(_id: ResourceId, body: Json) -> None:
    require(body, "kind")
    require(section(body, "sku"), "name", path="sku.name")


def _account(rid: ResourceId, body: Json, made: Made) -> Json:
    defaults: Json = {
        "publicNetworkAccess": "Enabled",
        "allowProjectManagement": False,
        "disableLocalAuth": False,
        "isMigrated": False,
        "networkAcls": {"defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
        "privateEndpointConnections": [],
    }
    base = f"{made.urls.data_plane}/"
    properties = with_defaults(section(body, "properties"), defaults)
    properties.pop("restore", None)
    properties |= {
        "endpoint": base,
        "endpoints": {"AI Foundry API": base} if text(body, "kind") == "AIServices" else {},
        "internalId": uuid.uuid5(NAMESPACE, f"{rid.key}#internal").hex,
        "provisioningState": "Succeeded",
    }
    return {**identity(body, made), "properties": properties}


def _project(rid: ResourceId, body: Json, made: Made) -> Json:
    properties = {
        **section(body, "properties"),
        "endpoints": {"AI Foundry API": project_endpoint(made.urls, rid.name)},
        "isDefault": False,
        "provisioningState": "Succeeded",
    }
    return {**identity(body, made), "properties": properties}


def _check_connection(_id: ResourceId, body: Json) -> None:
    properties = section(body, "properties")
    require(properties, "authType", path="properties.authType")


def _connection(_id: ResourceId, body: Json, _made: Made) -> Json:
    # Credentials can be written but are never returned [docs].
    properties = {k: v for k, v in section(body, "properties").items() if k != "credentials"}
    return {"properties": with_defaults(properties, {"isSharedToAll": False, "useWorkspaceManagedIdentity": False})}


def _check_deployment(_id: ResourceId, body: Json) -> None:
    model = section(section(body, "properties"), "model")
    require(model, "name", path="properties.model.name")
    require(section(body, "sku"), "name", path="sku.name")


def _check_registry(_id: ResourceId, body: Json) -> None:
    sku = section(body, "sku")
    require(sku, "name", path="sku.name")
    properties = section(body, "properties")
    retention = section(section(properties, "policies"), "retentionPolicy")
    requested = {
        "the retention policy": text(retention, "status").lower() == "enabled",
        "switching public network access off": text(properties, "publicNetworkAccess").lower() == "disabled",
    }
    for what, is_wanted in requested.items():
        if is_wanted and text(sku, "name").lower() != "premium":
            raise ArmError(
                400, "InvalidSku", f"The SKU '{text(sku, 'name')}' is invalid: {what} needs a Premium registry."
            )


def _registry(rid: ResourceId, body: Json, made: Made) -> Json:
    defaults: Json = {
        "adminUserEnabled": False,
        "anonymousPullEnabled": False,
        "dataEndpointEnabled": False,
        "dataEndpointHostNames": [],
        "encryption": {"status": "disabled"},
        "networkRuleBypassOptions": "AzureServices",
        "policies": {
            "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
            "exportPolicy": {"status": "enabled"},
            "quarantinePolicy": {"status": "disabled"},
            "retentionPolicy": {"days": 7, "status": "disabled"},
            "softDeletePolicy": {"retentionDays": 7, "status": "disabled"},
            "trustPolicy": {"status": "disabled", "type": "Notary"},
        },
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "roleAssignmentMode": "LegacyRegistryPermissions",
        "zoneRedundancy": "Disabled",
    }
    properties = with_defaults(section(body, "properties"), defaults)
    properties |= {"loginServer": login_server(made.urls, rid.name), "provisioningState": "Succeeded"}
    sku = section(body, "sku")
    return {**identity(body, made), "properties": properties, "sku": {**sku, "tier": sku.get("name")}}


def _check_role_assignment(_id: ResourceId, body: Json) -> None:
    properties = section(body, "properties")
    for key in ("roleDefinitionId", "principalId"):
        require(properties, key, path=f"properties.{key}")
    try:
        uuid.UUID(text(properties, "principalId"))
    except ValueError:
        raise ArmError(
            400, "InvalidPrincipalId", f"The Principal ID '{text(properties, 'principalId')}' is not a GUID."
        ) from None


def _role_assignment(rid: ResourceId, body: Json, _made: Made) -> Json:
    properties = with_defaults(section(body, "properties"), {"principalType": "ServicePrincipal"})
    return {"properties": {**properties, "scope": rid.scope}}


_FOUNDRY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,63}")
_HOST_NAME = re.compile(r"[A-Za-z0-9][\w@-]{1,253}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

CATALOG = {
    row.name.lower(): row
    for row in (
        ResourceType(ids.RESOURCE_GROUP, re.compile(r"[\w().-]{0,89}[\w()-]"), anything, provisioned, tracked=True),
        ResourceType(ids.ACCOUNT, _FOUNDRY_NAME, _check_account, _account, tracked=True),
        ResourceType(ids.PROJECT, _FOUNDRY_NAME, anything, _project, tracked=True),
        ResourceType(ids.CONNECTION, re.compile(r"[A-Za-z0-9][\w-]{2,32}"), _check_connection, _connection),
        ResourceType(ids.ACCOUNT_CAPABILITY_HOST, _HOST_NAME, anything, provisioned),
        ResourceType(ids.PROJECT_CAPABILITY_HOST, _HOST_NAME, anything, provisioned),
        ResourceType(ids.DEPLOYMENT, re.compile(r"[A-Za-z0-9][\w.-]{1,63}"), _check_deployment, provisioned),
        ResourceType(ids.REGISTRY, re.compile(r"[A-Za-z0-9]{5,50}"), _check_registry, _registry, tracked=True),
        ResourceType(ids.ROLE_ASSIGNMENT, _GUID, _check_role_assignment, _role_assignment),
        *networking.ROWS,
        *telemetry.ROWS,
    )
}
"""Every modelled type, by its name in lower case."""
