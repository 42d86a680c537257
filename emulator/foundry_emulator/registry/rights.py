"""Rights in a registry (service-contract 8.2, 8.3)."""

from __future__ import annotations

from enum import StrEnum

from foundry_emulator.arm import ArmStore, RegistryView, roles

_ABAC = "AbacRepositoryPermissions"


class Action(StrEnum):
    """An action in the scope of a token."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


_OF_REPOSITORIES = {
    Action.PULL: frozenset({roles.REPOSITORY_READER, roles.REPOSITORY_WRITER}),
    Action.PUSH: frozenset({roles.REPOSITORY_WRITER}),
    Action.DELETE: frozenset(),
}
_GENERAL = roles.WRITES_RESOURCES
_OF_REGISTRIES = {
    Action.PULL: _OF_REPOSITORIES[Action.PULL] | {roles.ACR_PULL, roles.ACR_PUSH} | _GENERAL,
    Action.PUSH: _OF_REPOSITORIES[Action.PUSH] | {roles.ACR_PUSH} | _GENERAL,
    Action.DELETE: _GENERAL,
}


def may(arm: ArmStore, registry: RegistryView, principal: str, action: Action) -> bool:
    """Return whether a principal may do this in a registry now; in ABAC mode only repository roles count [docs]."""
    return arm.has_role(principal, (_OF_REPOSITORIES if is_abac(registry) else _OF_REGISTRIES)[action], registry.id)


def is_abac(registry: RegistryView) -> bool:
    """Return whether the registry ignores AcrPull and similar roles."""
    return registry.role_assignment_mode == _ABAC


def ignored_by_abac(arm: ArmStore, registry: RegistryView, principal: str, action: Action) -> bool:
    """Return whether a principal has a role that would be enough in another mode."""
    return is_abac(registry) and arm.has_role(principal, _OF_REGISTRIES[action], registry.id)
