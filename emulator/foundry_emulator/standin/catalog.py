"""Which resource types of the SDK the stand-in makes, and where Resource Manager has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from foundry_emulator.standin.values import Plain

# What a resource has beside its properties, in Resource Manager's envelope [docs].
_ENVELOPE = ("location", "kind", "sku", "identity", "tags", "zones", "managedBy")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class AutoName(StrEnum):
    """How azure-native names a resource whose program does not."""

    RANDOM = "random"  # the logical name and 8 hex digits
    COPY = "copy"  # the logical name: children live in their parent's name space
    UUID = "uuid"


@dataclass(frozen=True, slots=True)
class Modelled:
    """A resource type that the stand-in makes.

    Attributes:
        token: Pulumi's type token.
        path: Resource Manager's path; a placeholder is an input of that name.
        api_version: what the SDK's class was generated from; the output ``azureApiVersion``.
        name_input: the input that names it.
        auto_name: how it is named when that input is missing.
        immutable: inputs, beside those in the path, whose change replaces the resource.
    """

    token: str
    path: str
    api_version: str
    name_input: str
    auto_name: AutoName
    immutable: frozenset[str] = frozenset()

    @property
    def path_inputs(self) -> list[str]:
        """The inputs that make the resource's id."""
        return [name for name in _PLACEHOLDER.findall(self.path) if name != "subscriptionId"]

    @property
    def has_location(self) -> bool:
        """Whether it has a region, by default its resource group's."""
        return "location" in self.immutable and "resourceGroupName" in self.path_inputs

    @property
    def replaces_on(self) -> frozenset[str]:
        """Every input whose change replaces the resource."""
        return self.immutable | frozenset(self.path_inputs)

    def id(self, inputs: Mapping[str, Plain], subscription_id: str) -> str:
        """The resource's id."""
        values = {**inputs, "subscriptionId": subscription_id}
        path = _PLACEHOLDER.sub(lambda found: str(values.get(found[1], "")).strip("/"), self.path)
        return path.rstrip("/")

    def body(self, inputs: Mapping[str, Plain], *, flattened: bool) -> dict[str, Plain]:
        """Resource Manager's body: what is not in the path, properties apart from the envelope.

        Args:
            inputs: the resource's inputs.
            flattened: the SDK lifts ``properties`` to the top, as it does unless there is an input of that name.
        """
        rest = {key: value for key, value in inputs.items() if key not in self.path_inputs}
        if not flattened:
            return rest
        envelope = {key: rest.pop(key) for key in _ENVELOPE if key in rest}
        return {**envelope, "properties": rest} if rest else envelope

    def inputs_of_id(self, resource_id: str) -> dict[str, Plain]:
        """The inputs that an id holds, for resources that were not made by Pulumi; empty when it does not fit."""
        pattern = re.escape(self.path)
        for name in self.path_inputs:
            each = r".+" if name == "scope" else r"[^/]+"
            pattern = pattern.replace(re.escape("{" + name + "}"), f"(?P<{name}>{each})")
        pattern = pattern.replace(re.escape("{subscriptionId}"), "[^/]+")
        found = re.fullmatch(pattern, resource_id, re.IGNORECASE)
        return dict(found.groupdict()) if found else {}


_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_ACCOUNT = _GROUP + "/providers/Microsoft.CognitiveServices/accounts/{accountName}"
_PROJECT = _ACCOUNT + "/projects/{projectName}"
_REGISTRY = _GROUP + "/providers/Microsoft.ContainerRegistry/registries/{registryName}"
_ASSIGNMENT = "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}"
_LOCATED = frozenset({"location"})

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
