"""What the rest of the local Azure sees of an ARM resource."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A Foundry project.

    Attributes:
        id: ARM resource id, in the casing of its creation.
        name: the project's name, unique in this local Azure.
        account_id: ARM resource id of its account.
        account_name: name of its account.
        location: Azure region.
        principal_id: object id of the project's system-assigned identity, the one that pulls images
            (service-contract 8.2, [docs]); empty when the project has none.
        endpoint: the data plane's project endpoint.
    """

    id: str
    name: str
    account_id: str
    account_name: str
    location: str
    principal_id: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class RegistryView:
    """A container registry.

    Attributes:
        id: ARM resource id, in the casing of its creation.
        name: the registry's name.
        login_server: what image references of this registry begin with.
        arm_audience_enabled: ``policies.azureADAuthenticationAsArmPolicy.status`` is ``enabled``.
        role_assignment_mode: ``LegacyRegistryPermissions`` or ``AbacRepositoryPermissions``.
    """

    id: str
    name: str
    login_server: str
    arm_audience_enabled: bool
    role_assignment_mode: str
