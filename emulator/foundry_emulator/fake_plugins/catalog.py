"""The resource types that the fake plugin can create, and their paths in Resource Manager."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from foundry_emulator.fake_plugins.values import Plain

# The keys of Resource Manager's envelope around a resource's properties [docs].
_ENVELOPE = ("location", "kind", "sku", "identity", "tags", "zones", "managedBy")
_ITEM_ENVELOPE = frozenset({"id", "name", "type", "etag"})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class AutoName(StrEnum):
    """How azure-native names a resource when its program does not."""

    RANDOM = "random"  # the logical name and 8 hex digits
    COPY = "copy"  # the logical name: a child's name is only unique in its parent
    UUID = "uuid"


@dataclass(frozen=True, slots=True)
class Modelled:
    """A resource type that the fake plugin can create.

    Attributes:
        token: Pulumi's type token.
        path: Resource Manager's path; a placeholder is an input of that name.
        api_version: The version from which the SDK's class was generated; the output ``azureApiVersion``.
        name_input: The input with its name.
        auto_name: How it is named when that input is missing.
        immutable: Inputs whose change replaces the resource, in addition to those in the path.
        wire_names: Resource Manager's name of a property, where the SDK's differs.
        envelope: The keys around its properties.
        nested_items: Lists whose items have nested properties in the API payload, which the SDK flattens.
    """

    token: str
    path: str
    api_version: str
    name_input: str
    auto_name: AutoName
    immutable: frozenset[str] = frozenset()
    wire_names: Mapping[str, str] = field(default_factory=dict)
    envelope: tuple[str, ...] = _ENVELOPE
    nested_items: frozenset[str] = frozenset()

    @property
    def path_inputs(self) -> list[str]:
        """The inputs that form the resource's id."""
        return [name for name in _PLACEHOLDER.findall(self.path) if name != "subscriptionId"]

    @property
    def has_location(self) -> bool:
        """Whether it has a region; the default is its resource group's."""
        return "location" in self.immutable and "resourceGroupName" in self.path_inputs

    @property
    def replaces_on(self) -> frozenset[str]:
        """Every input whose change replaces the resource."""
        return self.immutable | frozenset(self.path_inputs)

    def id(self, inputs: Mapping[str, Plain], subscription_id: str) -> str:
        """Return the resource's id."""
        values = {**inputs, "subscriptionId": subscription_id}
        path = _PLACEHOLDER.sub(lambda found: str(values.get(found[1], "")).strip("/"), self.path)
        return path.rstrip("/")

    def body(self, inputs: Mapping[str, Plain]) -> dict[str, Plain]:
        """Return the body for Resource Manager: inputs that are not in the path, properties apart from the envelope.

        The SDK flattens ``properties`` unless the API payload has an input of that name.
        """
        rest = {
            self.wire_names.get(key, key): self._on_the_wire(key, value)
            for key, value in inputs.items()
            if key not in self.path_inputs
        }
        if "properties" in rest:
            return rest
        envelope = {key: rest.pop(key) for key in self.envelope if key in rest}
        return {**envelope, "properties": rest} if rest else envelope

    def in_the_sdk(self, answer: Mapping[str, Plain]) -> dict[str, Plain]:
        """Return an object of Resource Manager with the SDK's names and nesting."""
        names = {wire: name for name, wire in self.wire_names.items()}
        return {
            names.get(key, key): [_lifted(item) for item in value]
            if key in self.nested_items and isinstance(value, list)
            else value
            for key, value in answer.items()
        }

    def _on_the_wire(self, key: str, value: Plain) -> Plain:
        if key not in self.nested_items or not isinstance(value, list):
            return value
        return [_nested(item) for item in value]

    def inputs_of_id(self, resource_id: str) -> dict[str, Plain]:
        """Return the inputs in an id, for resources that Pulumi did not create; empty when the id does not match."""
        pattern = re.escape(self.path)
        for name in self.path_inputs:
            each = r".+" if name == "scope" else r"[^/]+"
            pattern = pattern.replace(re.escape("{" + name + "}"), f"(?P<{name}>{each})")
        pattern = pattern.replace(re.escape("{subscriptionId}"), "[^/]+")
        found = re.fullmatch(pattern, resource_id, re.IGNORECASE)
        return dict(found.groupdict()) if found else {}


def _nested(item: Plain) -> Plain:
    if not isinstance(item, Mapping):
        return item
    outside = {key: value for key, value in item.items() if key in _ITEM_ENVELOPE}
    return {**outside, "properties": {key: value for key, value in item.items() if key not in _ITEM_ENVELOPE}}


def _lifted(item: Plain) -> Plain:
    if not isinstance(item, Mapping):
        return item
    properties = item.get("properties")
    outside = {key: value for key, value in item.items() if key != "properties"}
    return {**properties, **outside} if isinstance(properties, Mapping) else outside


_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_ACCOUNT = _GROUP + "/providers/Microsoft.CognitiveServices/accounts/{accountName}"
_PROJECT = _ACCOUNT + "/projects/{projectName}"
_REGISTRY = _GROUP + "/providers/Microsoft.ContainerRegistry/registries/{registryName}"
_WORKSPACE = _GROUP + "/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}"
_INSIGHTS = _GROUP + "/providers/Microsoft.Insights/components/{resourceName}"
_NETWORK = _GROUP + "/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}"
_ENDPOINT = _GROUP + "/providers/Microsoft.Network/privateEndpoints/{privateEndpointName}"
_ZONE = _GROUP + "/providers/Microsoft.Network/privateDnsZones/{privateZoneName}"
_ASSIGNMENT = "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}"
_LOCATED = frozenset({"location"})

# Application Insights' own spelling [docs]; the SDK uses its usual one.
_INSIGHTS_NAMES = {
    "applicationType": "Application_Type",
    "flowType": "Flow_Type",
    "requestSource": "Request_Source",
    "hockeyAppId": "HockeyAppId",
    "samplingPercentage": "SamplingPercentage",
    "retentionInDays": "RetentionInDays",
    "disableIpMasking": "DisableIpMasking",
    "disableLocalAuth": "DisableLocalAuth",
    "immediatePurgeDataOn30Days": "ImmediatePurgeDataOn30Days",
    "forceCustomerStorageForProfiler": "ForceCustomerStorageForProfiler",
    "workspaceResourceId": "WorkspaceResourceId",
    "ingestionMode": "IngestionMode",
    "appId": "AppId",
    "applicationId": "ApplicationId",
    "instrumentationKey": "InstrumentationKey",
    "connectionString": "ConnectionString",
    "tenantId": "TenantId",
}

MODELLED = {
    row.token: row
    for row in (
        Modelled(
            "azure-native:resources:ResourceGroup", _GROUP, "2024-03-01", "resourceGroupName", AutoName.RANDOM, _LOCATED
        ),
        Modelled(
            "azure-native:cognitiveservices:Account", _ACCOUNT, "2025-06-01", "accountName", AutoName.RANDOM, _LOCATED
        ),
        Modelled(
            "azure-native:cognitiveservices:Project", _PROJECT, "2025-06-01", "projectName", AutoName.COPY, _LOCATED
        ),
        Modelled(
            "azure-native:cognitiveservices:ProjectConnection",
            _PROJECT + "/connections/{connectionName}",
            "2025-06-01",
            "connectionName",
            AutoName.COPY,
        ),
        Modelled(
            "azure-native:cognitiveservices:Deployment",
            _ACCOUNT + "/deployments/{deploymentName}",
            "2025-06-01",
            "deploymentName",
            AutoName.COPY,
        ),
        Modelled(
            "azure-native:cognitiveservices:AccountCapabilityHost",
            _ACCOUNT + "/capabilityHosts/{capabilityHostName}",
            "2025-06-01",
            "capabilityHostName",
            AutoName.COPY,
            wire_names={"capabilityHostProperties": "properties"},
        ),
        Modelled(
            "azure-native:cognitiveservices:ProjectCapabilityHost",
            _PROJECT + "/capabilityHosts/{capabilityHostName}",
            "2025-06-01",
            "capabilityHostName",
            AutoName.COPY,
            wire_names={"projectCapabilityHostProperties": "properties"},
        ),
        Modelled(
            "azure-native:operationalinsights:Workspace",
            _WORKSPACE,
            "2023-09-01",
            "workspaceName",
            AutoName.RANDOM,
            _LOCATED,
            envelope=("location", "identity", "tags"),
        ),
        Modelled(
            "azure-native:applicationinsights:Component",
            _INSIGHTS,
            "2020-02-02",
            "resourceName",
            AutoName.RANDOM,
            _LOCATED,
            wire_names=_INSIGHTS_NAMES,
        ),
        Modelled(
            "azure-native:network:VirtualNetwork",
            _NETWORK,
            "2024-05-01",
            "virtualNetworkName",
            AutoName.RANDOM,
            _LOCATED,
        ),
        Modelled(
            "azure-native:network:Subnet",
            _NETWORK + "/subnets/{subnetName}",
            "2024-05-01",
            "subnetName",
            AutoName.COPY,
            nested_items=frozenset({"delegations"}),
        ),
        Modelled(
            "azure-native:network:PrivateEndpoint",
            _ENDPOINT,
            "2024-05-01",
            "privateEndpointName",
            AutoName.RANDOM,
            _LOCATED,
            nested_items=frozenset({"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"}),
        ),
        Modelled(
            "azure-native:network:PrivateDnsZoneGroup",
            _ENDPOINT + "/privateDnsZoneGroups/{privateDnsZoneGroupName}",
            "2024-05-01",
            "privateDnsZoneGroupName",
            AutoName.COPY,
            nested_items=frozenset({"privateDnsZoneConfigs"}),
        ),
        Modelled(
            "azure-native:privatedns:PrivateZone",
            _ZONE,
            "2024-06-01",
            "privateZoneName",
            AutoName.RANDOM,
            _LOCATED,
        ),
        Modelled(
            "azure-native:containerregistry:Registry",
            _REGISTRY,
            "2023-01-01-preview",
            "registryName",
            AutoName.RANDOM,
            _LOCATED,
        ),
        Modelled(
            "azure-native:authorization:RoleAssignment",
            _ASSIGNMENT,
            "2022-04-01",
            "roleAssignmentName",
            AutoName.UUID,
            frozenset({"principalId", "roleDefinitionId", "delegatedManagedIdentityResourceId"}),
        ),
    )
}
"""Every modelled type, by token."""
