"""Which image an agent runs when its stack promotes: the digest that the stack before it runs, or the one kept here."""

from __future__ import annotations

import pulumi

import foundry_agents as fa
from stacks.settings import Settings


def source_of(settings: Settings) -> fa.AgentContract | None:
    """Where digests come from: the stack before this one, or, with promotion off, what this one published last.

    None for a stack whose agents all have their own: it needs no other one to be there.
    """
    if settings.promote_from is None or not any(agent.is_promoted for agent in settings.agents.values()):
        return None
    if settings.promote:
        return fa.AgentContract.from_stack(settings.promote_from)
    return fa.AgentContract.from_stack(_here())


def promoted(source: fa.AgentContract, agent: str) -> pulumi.Output[str]:
    """``repository@sha256:…`` as the source runs it, without its registry: this stack has its own, or shares that.

    A source that is pinned, paused or half way serves another version than its settings describe: nothing is promoted
    until it serves what it describes.
    """
    elsewhere = source.stack != _here()

    def named(found: list[str | None]) -> str:
        image, registry, described, serving = found
        if elsewhere and described != serving:
            raise pulumi.RunError(
                f'agents.{agent}: stack "{source.stack}" serves version {serving}, and its settings describe '
                f"{described}: nothing to promote\n"
                f"  Do: let it serve what it describes, set promote: false, or name agents.{agent}.image here"
            )
        if image is None:
            raise pulumi.RunError(
                f'agents.{agent}: stack "{source.stack}" runs it from a folder of code: no digest to promote\n'
                f"  Do: give agents.{agent}.code here, too: the same folder of the same commit is the same code"
            )
        return image.removeprefix(f"{registry}/")

    there = source.agent(agent)
    return pulumi.Output.all(there.image, source.registry.login_server, there.version, there.serving_version).apply(
        named
    )


def _here() -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
