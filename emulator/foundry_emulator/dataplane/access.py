"""Access to the data plane: tokens and rights (service-contract 8.2)."""

from __future__ import annotations

from enum import Enum

from foundry_emulator.arm import ArmStore, ProjectView
from foundry_emulator.arm.roles import (
    COGNITIVE_SERVICES_USER,
    FOUNDRY_AGENT_CONSUMER,
    FOUNDRY_OWNER,
    FOUNDRY_PROJECT_MANAGER,
    FOUNDRY_USER,
)
from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.identity import Identity, TokenProblem

AUDIENCE = "https://ai.azure.com"
"""The resource of the scope that every call's token has (service-contract 1.1, [sdk])."""

_WRITERS = frozenset({FOUNDRY_USER, FOUNDRY_PROJECT_MANAGER, FOUNDRY_OWNER, COGNITIVE_SERVICES_USER})


class Right(Enum):
    """The right that an operation needs, by data action."""

    READ = "Microsoft.CognitiveServices/accounts/AIServices/agents/read"
    WRITE = "Microsoft.CognitiveServices/accounts/AIServices/agents/write"
    INVOKE = "Microsoft.CognitiveServices/accounts/AIServices/agents/endpoints/invoke/action"
    TOOLS = "Microsoft.CognitiveServices/accounts/AIServices/toolboxes/invoke/action"


_ROLES = {
    Right.READ: _WRITERS | {FOUNDRY_AGENT_CONSUMER},
    Right.WRITE: _WRITERS,
    Right.INVOKE: _WRITERS | {FOUNDRY_AGENT_CONSUMER},
    Right.TOOLS: _WRITERS,  # an agent needs Foundry User for them [docs]; the right to invoke is not enough
}


class Access:
    """Checks tokens with the identity service, and rights with the role assignments in ARM.

    The codes and texts of 401 and 403, and the names of all actions but ``agents/write``, are [modelled]; which
    roles have ``agents/write`` is [docs].
    """

    def __init__(self, arm: ArmStore, identity: Identity) -> None:
        self._arm = arm
        self._identity = identity

    def principal(self, authorization: str | None) -> str:
        """Return the caller's object id.

        Raises:
            ServiceProblem: 401.
        """
        try:
            return self._identity.verify(authorization, AUDIENCE).object_id
        except TokenProblem as problem:
            raise ServiceProblem(401, problem.code, problem.message, headers={"www-authenticate": "Bearer"}) from None

    def project(self, name: str) -> ProjectView:
        """Return the project called ``name``.

        Raises:
            ServiceProblem: 404 with the text of service-contract 8.1, [azd]; 403 with that of 8.4, [docs], when the
                account is closed to the public network and has no private endpoint.
        """
        project = self._arm.project(name)
        if project is None:
            raise ServiceProblem(404, "not_found", "The project does not exist")
        if not project.is_reachable:
            raise ServiceProblem(
                403, "PublicAccessDisabled", "Public access is disabled. Please configure private endpoint."
            )
        return project

    def check(self, principal: str, project: ProjectView, right: Right, operation: str, agent: str | None) -> None:
        """Refuse a principal without a sufficient role on the project, above it, or for calls on the agent.

        Raises:
            ServiceProblem: 403, naming principal, data action and scope.
        """
        if self._arm.has_role(principal, _ROLES[right], project.id):
            return
        if right is Right.INVOKE and agent is not None:
            agent_scope = f"{project.id}/agents/{agent}"  # [observed]
            if self._arm.has_role(principal, _ROLES[right], agent_scope):
                return
        raise ServiceProblem(
            403,
            "PermissionDenied",
            f"The principal '{principal}' lacks the data action '{right.value}' that {operation} needs "
            f"on scope '{project.id}'.",
        )
