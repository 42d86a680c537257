"""ARM resources as the rest of the local Azure sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from foundry_emulator.arm.documents import Json, section, text
from foundry_emulator.arm.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A Foundry project.

    Attributes:
        id: ARM resource id, in the casing of its creation.
        name: The project's name, unique in this local Azure.
        account_id: ARM resource id of its account.
        account_name: Name of its account.
        location: Azure region.
        principal_id: Object id of the project's system-assigned identity, the one that pulls images
            (service-contract 8.2, [docs]); empty when the project has none.
        endpoint: The data plane's project endpoint.
        is_reachable: The account is open to the public network, or has a private endpoint.
    """

    id: str
    name: str
    account_id: str
    account_name: str
    location: str
    principal_id: str
    endpoint: str
    is_reachable: bool

    @classmethod
    def of(
        cls,
        rid: ResourceId,
        body: Json,
        *,
        account: ResourceId,
        principal_id: str,
        endpoint: str,
        is_reachable: bool,
    ) -> Self:
        """Return the view of a project from its request body."""
        has_identity = "SystemAssigned" in text(section(body, "identity"), "type")
        return cls(
            id=rid.id,
            name=rid.name,
            account_id=account.id,
            account_name=account.name,
            location=text(body, "location"),
            principal_id=principal_id if has_identity else "",
            endpoint=endpoint,
            is_reachable=is_reachable,
        )


@dataclass(frozen=True, slots=True)
class RegistryView:
    """A container registry.

    Attributes:
        id: ARM resource id, in the casing of its creation.
        name: The registry's name.
        login_server: The start of its image references.
        arm_audience_enabled: ``policies.azureADAuthenticationAsArmPolicy.status`` is ``enabled``.
        role_assignment_mode: ``LegacyRegistryPermissions`` or ``AbacRepositoryPermissions``.
    """

    id: str
    name: str
    login_server: str
    arm_audience_enabled: bool
    role_assignment_mode: str

    @classmethod
    def of(cls, rid: ResourceId, resource: Json) -> Self:
        """Return the view of a registry from what Resource Manager shows."""
        properties = section(resource, "properties")
        policy = section(section(properties, "policies"), "azureADAuthenticationAsArmPolicy")
        return cls(
            id=rid.id,
            name=rid.name,
            login_server=text(properties, "loginServer"),
            arm_audience_enabled=text(policy, "status").lower() == "enabled",
            role_assignment_mode=text(properties, "roleAssignmentMode"),
        )
