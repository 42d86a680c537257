"""Which image an agent runs when its stack promotes: the digest that the stack before it runs, or the one kept here."""

from __future__ import annotations

import pulumi

import foundry_agents as fa
from stacks.settings import Settings


def source_of(settings: Settings) -> fa.AgentContract | None:
    """Where digests come from: the stack before this one, or, with promotion off, what this one published last.

    None for a stack whose images all stand in its own file: it needs no other one to be there.
    """
    if settings.promote_from is None or all(agent.image is not None for agent in settings.agents.values()):
        return None
    if settings.promote:
        return fa.AgentContract.from_stack(settings.promote_from)
    here = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    return fa.AgentContract.from_stack(here)


def promoted(source: fa.AgentContract, agent: str) -> pulumi.Output[str]:
    """``repository@sha256:…`` as the source runs it, without its registry: this stack has its own, or shares that."""
    image, registry = source.agent(agent).image, source.registry.login_server
    return pulumi.Output.all(image, registry).apply(lambda found: str(found[0]).removeprefix(f"{found[1]}/"))
