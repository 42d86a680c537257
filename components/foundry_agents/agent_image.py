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
        depends_on: What must be there before the first pull.
        registry: The registry that it is in; the project of an agent that runs it gets the right to pull.
    """

    reference: Output[str]
    depends_on: tuple[pulumi.Resource, ...] = ()
    registry: AgentRegistry | None = None

    @classmethod
    def pinned(cls, reference: Input[str], *, registry: AgentRegistry | None = None) -> AgentImage:
        """An image that is in a registry already.

        Args:
            reference: ``registry/repository@sha256:…``, or ``repository@sha256:…`` together with ``registry``.
            registry: The registry that the repository is in. The project of every agent that runs the image gets the
                right to pull, before the first pull.
        """
        if registry is None:
            return cls(Output.from_input(reference))
        whole = Output.concat(registry.login_server, "/", reference)
        return cls(whole, registry=registry)
