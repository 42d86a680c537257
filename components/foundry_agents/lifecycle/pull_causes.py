"""Why an image could not be pulled: the service says ImageError for every cause, so the registry is asked.

What a registry's settings and roles mean for a pull [docs, observed]:
- ``azureADAuthenticationAsArmPolicy`` disabled: every pull of the platform is refused, whatever the roles.
- ``roleAssignmentMode`` AbacRepositoryPermissions: only the roles for repositories count, AcrPull does not.
- else AcrPull, or any role that includes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, headline
from foundry_agents.lifecycle.failure.service_errors import ServiceError
from foundry_agents.lifecycle.remedies import Cause
from foundry_agents.lifecycle.roles import ACR_PULL, ACR_PUSH, REPOSITORY_READER, REPOSITORY_WRITER
from foundry_agents.lifecycle.views import PullAccess

REPOSITORY_ROLES: Mapping[str, str] = {
    REPOSITORY_READER: "Container Registry Repository Reader",
    REPOSITORY_WRITER: "Container Registry Repository Writer",
}
PULL_ROLES: Mapping[str, str] = {ACR_PULL: "AcrPull", ACR_PUSH: "AcrPush", **REPOSITORY_ROLES}
"""Roles that include pulling, by GUID. A custom role may include it too; it is not recognised."""

_CHECKED = "checked: AcrPull, Container Registry Repository Reader"
_AGAIN = "then run `pulumi up` again"


@dataclass(frozen=True)
class Pull:
    """A pull that failed.

    Attributes:
        image: What was pulled.
        identity: Principal id of the project's identity, which pulled; "" when not known.
    """

    image: str
    identity: str

    def cause_with(self, access: PullAccess) -> Cause:
        """Return the cause that the registry's settings and roles show."""
        registry = _name(access.registry_id)
        if not access.takes_arm_tokens:
            return Cause(
                f'registry "{registry}" refuses tokens for the ARM audience, with which the platform pulls '
                "(its policy azureADAuthenticationAsArmPolicy is disabled); no role changes that",
                "AgentRegistry keeps the policy enabled; else "
                f"`az acr config authentication-as-arm update --registry {registry} --status enabled`, {_AGAIN}",
                lasting=True,
            )
        counting = REPOSITORY_ROLES if access.repository_permissions else PULL_ROLES
        if access.roles & counting.keys():
            return self._role_is_there(access, counting)
        if void := [name for role, name in PULL_ROLES.items() if role in access.roles]:
            return Cause(
                f'registry "{registry}" has repository permissions (ABAC): there {" and ".join(void)} does not count, '
                f"and {self._who()} has no role for repositories (checked: Container Registry Repository Reader)",
                f"{_grant(self.identity, REPOSITORY_READER, access.registry_id)}, {_AGAIN}",
                lasting=True,
            )
        role = REPOSITORY_READER if access.repository_permissions else ACR_PULL
        return Cause(
            f'{self._who()} has no pull role on registry "{registry}" ({_CHECKED})',
            f"AgentRegistry(…, pulled_by=project), or {_grant(self.identity, role, access.registry_id)}, {_AGAIN}",
        )

    def usual_causes(self, unread: FoundryAgentsError | None = None) -> Cause:
        """Return the causes, most common first, where the registry was not asked or could not be read."""
        registry = self.image.partition("/")[0]
        why = (
            f'Azure could not pull the image. Usually {self._who()} has no pull role on registry "{registry}" '
            "(AcrPull, or Container Registry Repository Reader where the registry has repository permissions); else "
            "the digest is not there, its platform is not linux/amd64, or the registry refuses ARM-audience tokens"
        )
        if unread is not None:
            why += f". Roles and policies of the registry could not be checked: {_briefly(unread)}"
        return Cause(
            why,
            f"AgentRegistry(…, pulled_by=project), or {_grant(self.identity, ACR_PULL, '<id of the registry>')}, "
            f"{_AGAIN}",
        )

    def _role_is_there(self, access: PullAccess, counting: Mapping[str, str]) -> Cause:
        held = sorted(access.roles & counting.keys())
        named = " and ".join(f"{counting[role]} ({role})" for role in held)
        limit = "; that holds under a condition, which may leave this repository out"
        return Cause(
            f"{self._who()} has {named} on {access.registry_id}{limit if access.conditional.issuperset(held) else ''}, "
            "and the registry accepts tokens for the ARM audience. So the role assignment is new, the digest is "
            "not in the registry, its platform is not linux/amd64, or the registry's network blocks the platform",
            f"check that the registry has {self.image} for linux/amd64, {_AGAIN}; a new role assignment takes minutes "
            "to be in effect",
        )

    def _who(self) -> str:
        return f"the project's identity {self.identity}" if self.identity else "the project's identity"


def _briefly(error: FoundryAgentsError) -> str:
    """Return the error without its remedy: a role on the data plane does not help on Resource Manager."""
    if not isinstance(error, ServiceError):
        return headline(error)
    status = f"HTTP {error.status} " if error.status else ""
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"{status}{error.detail.rstrip('.')}{request}"


def _grant(identity: str, role: str, scope: str) -> str:
    return (
        f"`az role assignment create --assignee-object-id {identity or '<principal id of the project>'} "
        f"--assignee-principal-type ServicePrincipal --role {role} --scope {scope}`"
    )


def _name(registry_id: str) -> str:
    return registry_id.rpartition("/")[2]
