"""What the local Azure has and what the stack's state says, read from both themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from foundry_emulator.testing import LocalAzure

PROJECT = "agents"
"""The Foundry project that is there before the stack is."""
_TOOLBOX = re.compile(r"/toolboxes/([^/]+)/versions/([^/]+)/")
_LATEST = "@latest"


@dataclass(frozen=True)
class Agent:
    """An agent of the service.

    Attributes:
        guid: Of the agent itself; another one after it was deleted and made again.
        versions: Status by number.
        shares: Percent by number, of what serves.
        calls: Toolbox and version that its versions call.
    """

    guid: str
    versions: Mapping[str, str]
    shares: Mapping[str, int]
    calls: frozenset[tuple[str, str]]

    @property
    def serves(self) -> bool:
        """All traffic goes to versions that are active."""
        return sum(self.shares.values()) == 100 and all(self.versions.get(one) == "active" for one in self.shares)


@dataclass(frozen=True)
class World:
    """All that a stack of the matrix can make, as the service has it.

    Attributes:
        agents: By name.
        toolboxes: The store ids that each version searches, by toolbox and version.
        stores: Name by id.
        files: Ids of uploaded files.
        arm: Ids of ARM resources, in lower case.
    """

    agents: Mapping[str, Agent]
    toolboxes: Mapping[str, Mapping[str, frozenset[str]]]
    stores: Mapping[str, str]
    files: frozenset[str]
    arm: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, azure: LocalAzure) -> World:
        """Read it now."""
        return azure.run(lambda: cls._read(azure))

    @classmethod
    def _read(cls, azure: LocalAzure) -> World:
        emulator = azure.emulator
        agents = {one.name: _agent(one) for one in emulator.agents.of_project(PROJECT)}
        toolboxes = {
            one.name: {number: frozenset(_stores_in(document)) for number, document in one.versions.items()}
            for one in emulator.toolboxes.of_project(PROJECT)
        }
        stores = {str(one["id"]): str(one.get("name")) for one in emulator.vector_stores.of_project(PROJECT)}
        files = frozenset(str(one["id"]) for one in emulator.files.of_project(PROJECT))
        return cls(agents, toolboxes, stores, files, frozenset(arm_ids(azure)))

    @property
    def called(self) -> frozenset[tuple[str, str]]:
        """Versions of toolboxes that some version of an agent calls."""
        return frozenset(call for agent in self.agents.values() for call in agent.calls)

    @property
    def searched(self) -> frozenset[str]:
        """Stores that some version of a toolbox searches."""
        return frozenset(one for versions in self.toolboxes.values() for ids in versions.values() for one in ids)


def arm_ids(azure: LocalAzure) -> list[str]:
    """Return ids of all ARM resources, in lower case; on the local Azure's own thread."""
    return [str(one.get("id")).lower() for one in azure.emulator.arm.resources()]


def _agent(agent: Any) -> Agent:
    latest = agent.latest.key.version if agent.latest else ""
    shares: dict[str, int] = {}
    for rule in agent.endpoint.rules:
        if rule.percentage:
            number = latest if rule.version == _LATEST else rule.version
            shares[number] = shares.get(number, 0) + rule.percentage
    calls = frozenset(
        (found[1], found[2])
        for version in agent.versions.values()
        for value in (version.definition.get("environment_variables") or {}).values()
        if (found := _TOOLBOX.search(str(value)))
    )
    return Agent(agent.guid, {number: one.status for number, one in agent.versions.items()}, shares, calls)


def _stores_in(document: Mapping[str, Any]) -> Iterator[str]:
    for tool in document.get("tools") or []:
        yield from tool.get("vector_store_ids") or []


def missing(resource: Mapping[str, Any], world: World, *, exactly: bool) -> str | None:
    """Return where state differs from the service for a resource; None when it does not.

    Args:
        resource: As the exported state has it.
        world: What is there.
        exactly: Traffic is as the state says, too; after a run that ended well.
    """
    kind = str(resource["type"]).rpartition(":")[2]
    identity = str(resource.get("id", ""))
    name, _, number = identity.rpartition(":")
    said = f"state has {str(resource['urn']).rpartition('::')[2]} = {identity}"
    if kind == "AgentRollout":
        agent = world.agents.get(identity)
        traffic = {str(one): int(share) for one, share in (resource["outputs"].get("traffic") or {}).items()}
        if agent is not None and exactly and traffic != agent.shares:
            return f"{said} with {traffic}, and it is {agent.shares}"
        there = agent is not None
    elif kind == "HostedAgentVersion":
        there = name in world.agents and world.agents[name].versions.get(number) == "active"
    elif kind == "ToolboxVersion":
        there = number in world.toolboxes.get(name, {})
    elif kind == "VectorStore":
        there = identity in world.stores
    else:
        there = not str(resource["type"]).startswith("azure-native:") or identity.lower() in world.arm
    return None if there else f"{said}, which is not there"
