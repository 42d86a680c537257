"""AgentImage: where an agent's image comes from, always as a digest."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output

from foundry_agents.agent_registry import AgentRegistry


@dataclass(frozen=True)
class AgentImage:
    """An image that an agent can run.

    Attributes:
        reference: ``registry/repository@sha256:…``.
        depends_on: What must be there before the first pull, such as the pull role.
        pull_role_granted_at: When that role was granted, as ISO 8601; a new one takes minutes to be in effect.
        registry_id: ARM id of the registry, where the cause of a failed pull is looked for.
    """

    reference: Output[str]
    depends_on: tuple[pulumi.Resource, ...] = ()
    pull_role_granted_at: Output[str] | None = None
    registry_id: Output[str] | None = None

    @classmethod
    def pinned(cls, reference: Input[str], *, registry: AgentRegistry | None = None) -> AgentImage:
        """An image that is in a registry already.

        Args:
            reference: ``registry/repository@sha256:…``, or ``repository@sha256:…`` together with ``registry``.
            registry: The registry that the repository is in; its pull role comes before the first pull.
        """
        if registry is None:
            return cls(Output.from_input(reference))
        whole = Output.concat(registry.login_server, "/", reference)
        return cls(whole, (registry.pull_role,), registry.pull_role.created_on, registry.resource_id)
