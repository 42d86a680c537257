"""The modelled resource types: what each demands of a request, and what Azure adds to it.

A document keeps what was asked for; what Azure computes is added when it is read, so that addresses are
right after the local Azure has moved to another port. Everything here is [modelled] after Azure's REST
reference [docs] unless a line says otherwise.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text, with_defaults
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId
from foundry_emulator.arm.urls import Urls
from foundry_emulator.identity import TENANT

_NAMESPACE = uuid.UUID("5a0f6a0e-6c1d-5b53-9d0a-0c3f4f1b7a11")  # any fixed one; principals derive from it


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One row of the catalog.

    Attributes:
        name: Azure's type name.
        names: what a resource of it may be called.
        validate: refuses a body that Azure refuses.
        computed: what Azure adds to the body, over what was asked for.
        tracked: has a location, which is required and can't change.
    """

    name: str
    names: re.Pattern[str]
    validate: Callable[[ResourceId, Json], None]
    computed: Callable[[ResourceId, Json, Urls], Json]
    tracked: bool = False


def identity_of(resource_id: str) -> str:
    """Object id of a resource's system-assigned identity.

    It derives from the id, so a resource made again gets its old principal back; Azure gives a new one.
    """
    return str(uuid.uuid5(_NAMESPACE, resource_id.lower()))


def normal_location(location: str) -> str:
    """``East US 2`` and ``eastus2`` are one region to Azure."""
    return location.replace(" ", "").lower()


def project_endpoint(urls: Urls, name: str) -> str:
    """The data plane's endpoint of a project."""
    return f"{urls.data_plane}/api/projects/{name}"


def login_server(urls: Urls, name: str) -> str:
    """What image references of a registry begin with.

    Azure gives each registry a host name. Names below ``localhost`` do not resolve on every system, so here each
    registry is the first path segment of one host instead.
    """
    return f"{urls.registry}/{name.lower()}"


def _nothing(_id: ResourceId, _body: Json) -> None:
    return None


def _identity(rid: ResourceId, body: Mapping[str, object]) -> Json:
    given = section(body, "identity")
    kind = text(given, "type")
    if "SystemAssigned" in kind:
        return {"identity": {**given, "principalId": identity_of(rid.id), "tenantId": TENANT}}
    return {"identity": given} if given else {}


def _provisioned(_id: ResourceId, body: Json, _urls: Urls) -> Json:
    return {"properties": {**section(body, "properties"), "provisioningState": "Succeeded"}}


def _check_account(_id: ResourceId, body: Json) -> None:
    _require(body, "kind")
    _require(section(body, "sku"), "name", path="sku.name")


def _account(rid: ResourceId, body: Json, urls: Urls) -> Json:
    defaults: Json = {
        "publicNetworkAccess": "Enabled",
        "allowProjectManagement": False,
        "disableLocalAuth": False,
        "isMigrated": False,
        "networkAcls": {"defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
        "privateEndpointConnections": [],
    }
    base = f"{urls.data_plane}/"
    properties = with_defaults(section(body, "properties"), defaults)
    properties |= {
        "endpoint": base,
        "endpoints": {"AI Foundry API": base} if text(body, "kind") == "AIServices" else {},
        "internalId": uuid.uuid5(_NAMESPACE, f"{rid.key}#internal").hex,
        "provisioningState": "Succeeded",
    }
    return {**_identity(rid, body), "properties": properties}


def _project(rid: ResourceId, body: Json, urls: Urls) -> Json:
    properties = {
        **section(body, "properties"),
        "endpoints": {"AI Foundry API": project_endpoint(urls, rid.name)},
        "isDefault": False,
        "provisioningState": "Succeeded",
    }
    return {**_identity(rid, body), "properties": properties}


def _check_connection(_id: ResourceId, body: Json) -> None:
    properties = section(body, "properties")
    _require(properties, "authType", path="properties.authType")


def _connection(_id: ResourceId, body: Json, _urls: Urls) -> Json:
    # Credentials can be written but are never read back [docs].
    properties = {k: v for k, v in section(body, "properties").items() if k != "credentials"}
    return {"properties": with_defaults(properties, {"isSharedToAll": False, "useWorkspaceManagedIdentity": False})}


def _check_deployment(_id: ResourceId, body: Json) -> None:
    model = section(section(body, "properties"), "model")
    _require(model, "name", path="properties.model.name")
    _require(section(body, "sku"), "name", path="sku.name")


def _check_registry(_id: ResourceId, body: Json) -> None:
    _require(section(body, "sku"), "name", path="sku.name")


def _registry(rid: ResourceId, body: Json, urls: Urls) -> Json:
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
    properties |= {"loginServer": login_server(urls, rid.name), "provisioningState": "Succeeded"}
    sku = section(body, "sku")
    return {**_identity(rid, body), "properties": properties, "sku": {**sku, "tier": sku.get("name")}}


def _check_role_assignment(_id: ResourceId, body: Json) -> None:
    properties = section(body, "properties")
    for key in ("roleDefinitionId", "principalId"):
        _require(properties, key, path=f"properties.{key}")
    try:
        uuid.UUID(text(properties, "principalId"))
    except ValueError:
        raise ArmError(
            400, "InvalidPrincipalId", f"The Principal ID '{text(properties, 'principalId')}' is not a GUID."
        ) from None


def _role_assignment(rid: ResourceId, body: Json, _urls: Urls) -> Json:
    properties = with_defaults(section(body, "properties"), {"principalType": "ServicePrincipal"})
    return {"properties": {**properties, "scope": rid.scope}}


def _require(holder: Mapping[str, object], key: str, *, path: str | None = None) -> None:
    if not text(holder, key):
        raise ArmError(400, "InvalidRequestContent", f"The request content is invalid: '{path or key}' is required.")


_FOUNDRY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,63}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

CATALOG = {
    row.name.lower(): row
    for row in (
        ResourceType(ids.RESOURCE_GROUP, re.compile(r"[\w().-]{0,89}[\w()-]"), _nothing, _provisioned, tracked=True),
        ResourceType(ids.ACCOUNT, _FOUNDRY_NAME, _check_account, _account, tracked=True),
        ResourceType(ids.PROJECT, _FOUNDRY_NAME, _nothing, _project, tracked=True),
        ResourceType(ids.CONNECTION, re.compile(r"[A-Za-z0-9][\w-]{2,32}"), _check_connection, _connection),
        ResourceType(ids.DEPLOYMENT, re.compile(r"[A-Za-z0-9][\w.-]{1,63}"), _check_deployment, _provisioned),
        ResourceType(ids.REGISTRY, re.compile(r"[A-Za-z0-9]{5,50}"), _check_registry, _registry, tracked=True),
        ResourceType(ids.ROLE_ASSIGNMENT, _GUID, _check_role_assignment, _role_assignment),
    )
}
"""Every modelled type, by its name in lower case."""
