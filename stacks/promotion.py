"""Finds the image of a promoted agent: the digest of the stack before, or the one that this stack published last."""

from __future__ import annotations

import pulumi

import foundry_agents as fa
from stacks.settings import Settings


def source_of(settings: Settings) -> fa.AgentContract | None:
    """Return the contract with the digests: of the stack before, or with promotion off of this stack.

    Returns:
        None if every agent names its own image or code. The stack before does not have to exist then.
    """
    if settings.promote_from is None or not any(agent.is_promoted for agent in settings.agents.values()):
        return None
    if settings.promote:
        return fa.AgentContract.from_stack(settings.promote_from)
    return fa.AgentContract.from_stack(_here())


def promoted(source: fa.AgentContract, agent: str) -> pulumi.Output[str]:
    """Return ``repository@sha256:…`` of an agent in the source, without the source's registry.

    A source that is pinned, paused or in the middle of a rollout serves another version than its settings describe.
    It promotes nothing until it serves that version.
    """
    elsewhere = source.stack != _here()

    def named(found: list[str | None]) -> str:
        image, registry, described, serving = found
        if elsewhere and described != serving:
            raise pulumi.RunError(
                f'agents.{agent}: stack "{source.stack}" serves version {serving}, but its settings describe '
                f"{described}: nothing to promote\n"
                f"  Do: finish its rollout, set promote: false, or set agents.{agent}.image here"
            )
        if image is None:
            raise pulumi.RunError(
                f'agents.{agent}: stack "{source.stack}" runs it from source code: no digest to promote\n'
                f"  Do: set agents.{agent}.code here too; the same folder of the same commit is the same code"
            )
        return image.removeprefix(f"{registry}/")

    published = source.agent(agent)
    return pulumi.Output.all(
        published.image, source.registry.login_server, published.version, published.serving_version
    ).apply(named)


def _here() -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
