"""Networks, private endpoints and private DNS, as far as accounts and registries need them. All [modelled].

Nothing is routed: an endpoint exists, and its target counts as reachable from here.
"""

from __future__ import annotations

import re
import uuid

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId, parse
from foundry_emulator.arm.resource_type import NAMESPACE, Made, ResourceType, anything, provisioned
from foundry_emulator.store import Document

GROUP_IDS = {ids.ACCOUNT: "account", ids.REGISTRY: "registry"}
"""The subresources of each target type that a private endpoint can connect to [docs]."""

_NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,78}\w)?")
_ZONE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def targets(body: Json) -> list[tuple[str, str]]:
    """Return the targets of a private endpoint: the resource's id and the group id."""
    listed = section(body, "properties").get("privateLinkServiceConnections")
    found = []
    for item in listed if isinstance(listed, list) else []:
        properties = section(item, "properties") if isinstance(item, dict) else {}
        groups = properties.get("groupIds")
        group = str(groups[0]) if isinstance(groups, list) and len(groups) == 1 else ""
        found.append((text(properties, "privateLinkServiceId"), group))
    return found


def check_private_endpoint(body: Json, documents: dict[str, Document]) -> None:
    """Refuse an endpoint whose subnet or target is missing, or whose group id the target lacks."""
    subnet = text(section(section(body, "properties"), "subnet"), "id")
    _require(subnet, documents, "subnet")
    for target, group in targets(body):
        _require(target, documents, "private link service")
        kind = parse(target).type
        if GROUP_IDS.get(kind) != group:
            raise ArmError(
                400,
                "PrivateEndpointGroupIdInvalid",
                f"Call to {kind} failed: the group id '{group}' is not one of '{GROUP_IDS.get(kind, '')}'.",
            )
        sku = text(section(section(documents[target.lower()], "body"), "sku"), "name")
        if kind == ids.REGISTRY and sku.lower() != "premium":
            raise ArmError(
                400,
                "PrivateEndpointNotSupported",
                f"Private endpoints are supported by Premium registries; '{parse(target).name}' is {sku}.",
            )


def check_dns_zone_group(body: Json, documents: dict[str, Document]) -> None:
    """Refuse a group of DNS zones of which one is missing."""
    listed = section(body, "properties").get("privateDnsZoneConfigs")
    for item in listed if isinstance(listed, list) else []:
        _require(text(section(item, "properties"), "privateDnsZoneId"), documents, "private DNS zone")


def check_subnet_is_free(rid: ResourceId, documents: dict[str, Document]) -> None:
    """Refuse to delete a subnet, or its network, while an endpoint is in it."""
    for key, document in documents.items():
        if parse(key).type != ids.PRIVATE_ENDPOINT:
            continue
        body = section(document, "body")
        subnet = text(section(section(body, "properties"), "subnet"), "id").lower()
        if subnet == rid.key or ids.is_below(subnet, rid.id):
            raise ArmError(
                400,
                "InUseSubnetCannotBeDeleted",
                f"Subnet {parse(subnet).name} is in use by {parse(key).name} and cannot be deleted.",
            )


def _require(resource_id: str, documents: dict[str, Document], what: str) -> None:
    if resource_id.lower() not in documents:
        raise ArmError(
            400, "InvalidResourceReference", f"The {what} '{resource_id}' that the request refers to was not found."
        )


def _private_endpoint(rid: ResourceId, body: Json, made: Made) -> Json:
    properties = section(provisioned(rid, body, made), "properties")
    listed = properties.get("privateLinkServiceConnections")
    state = {"status": "Approved", "description": "", "actionsRequired": "None"}
    properties["privateLinkServiceConnections"] = [
        {**item, "properties": {**section(item, "properties"), "privateLinkServiceConnectionState": state}}
        for item in (listed if isinstance(listed, list) else [])
    ]
    nic = uuid.uuid5(NAMESPACE, rid.key)
    group = rid.id.partition("/providers/")[0]
    properties["networkInterfaces"] = [
        {"id": f"{group}/providers/Microsoft.Network/networkInterfaces/{rid.name}.nic.{nic}"}
    ]
    return {"properties": properties}


ROWS = (
    ResourceType(ids.VIRTUAL_NETWORK, _NAME, anything, provisioned, tracked=True),
    ResourceType(ids.SUBNET, _NAME, anything, provisioned),
    ResourceType(ids.PRIVATE_ENDPOINT, _NAME, anything, _private_endpoint, tracked=True),
    ResourceType(ids.DNS_ZONE_GROUP, _NAME, anything, provisioned),
    ResourceType(ids.PRIVATE_DNS_ZONE, _ZONE, anything, provisioned, tracked=True),
)
"""The catalog's rows for networking."""
