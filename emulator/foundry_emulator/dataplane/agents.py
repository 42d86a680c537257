"""Agents and their versions (service-contract 2.4, 2.5, 3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from foundry_emulator.dataplane.definition import HOSTED
from foundry_emulator.dataplane.endpoint import LATEST, Endpoint
from foundry_emulator.dataplane.problem import (
    ServiceProblem,
    agent_not_found,
    bad_request,
    version_not_found,
)
from foundry_emulator.dataplane.wire import render
from foundry_emulator.settings import Dedup, Settings
from foundry_emulator.store import Document, Store

_MAX_VERSIONS = 1000


class VersionKey(NamedTuple):
    """Identifies one version in the whole local Azure."""

    project: str
    agent: str
    version: str

    def __str__(self) -> str:
        return f"{self.project}/{self.agent}/{self.version}"


class Version:
    """An agent version; its document is replaced, never changed."""

    def __init__(self, key: VersionKey, document: Document) -> None:
        self.key = key
        self.document = document
        self._rendered: bytes | None = None

    @property
    def id(self) -> str:
        """The id, ``name:version`` [recorded]."""
        return f"{self.key.agent}:{self.key.version}"

    @property
    def draft(self) -> bool:
        """Whether it is a draft: hidden in lists, never the latest, no target of routing rules [spec][docs]."""
        return self.document.get("draft") is True

    @property
    def number(self) -> int:
        """The version number; 0 for a draft, which has none."""
        return 0 if self.draft else int(self.key.version)

    @property
    def status(self) -> str:
        """The status: ``creating``, ``active`` or ``failed``."""
        return str(self.document["status"])

    @property
    def definition(self) -> Mapping[str, object]:
        """The definition as the service returns it."""
        definition = self.document["definition"]
        return definition if isinstance(definition, Mapping) else {}

    @property
    def error(self) -> Mapping[str, object] | None:
        """The error of a failed version: ``{"code", "message"}``."""
        error = self.document.get("error")
        return error if isinstance(error, Mapping) else None

    def replace(self, document: Document) -> None:
        """Replace the document."""
        self.document = document
        self._rendered = None

    def rendered(self) -> bytes:
        """Return the document as bytes; cached until it is replaced, because reads are the hot path."""
        if self._rendered is None:
            self._rendered = render(self.document)
        return self._rendered


@dataclass(slots=True)
class Agent:
    """An agent with its versions, oldest first.

    Attributes:
        project: Name of its project.
        name: Its name and id.
        kind: Set by the first version, [observed].
        guid: ``agent_guid``.
        identity: ``instance_identity``, ``blueprint`` and ``blueprint_reference``, equal in all versions unless
            `Settings.identity_per_version` is on, then the newest version's; empty for an old agent [recorded].
        counter: The highest number of a version so far; numbers are not reused.
        enabled: Whether it accepts calls and sessions.
        endpoint: Its routing rules.
        card: ``agent_card``, as patched.
        versions: By number.
    """

    project: str
    name: str
    kind: str
    guid: str
    identity: Document
    counter: int = 0
    enabled: bool = True
    endpoint: Endpoint = field(default_factory=Endpoint)
    card: Document | None = None
    versions: dict[str, Version] = field(default_factory=dict)

    @property
    def released(self) -> list[Version]:
        """The versions that are not drafts, newest first."""
        return [version for version in reversed(self.versions.values()) if not version.draft]

    @property
    def latest(self) -> Version | None:
        """The version with the highest number, drafts excluded."""
        return next((version for version in reversed(self.versions.values()) if not version.draft), None)

    def routes_to(self, number: str) -> bool:
        """Return whether a rule may name that version: it exists and is not a draft."""
        version = self.versions.get(number)
        return version is not None and not version.draft

    def version(self, number: str) -> Version:
        """Return the version ``number``; ``@latest`` works [observed].

        Raises:
            ServiceProblem: 404.
        """
        found = self.latest if number == LATEST else self.versions.get(number)
        if found is None:
            raise version_not_found(self.name, number)
        return found

    def item(self) -> dict[str, object]:
        """Return the agent as lists show it: no endpoint, no identities outside the latest version [recorded].

        An agent without a version, which is not recorded, has an empty ``versions`` [modelled].
        """
        latest = self.latest
        return {
            "object": "agent",
            "id": self.name,
            "name": self.name,
            "versions": {} if latest is None else {"latest": latest.document},
        }

    def details(self) -> dict[str, object]:
        """Return the agent as GET and PATCH show it.

        ``state`` is in the PATCH response of a hosted agent, not in the GET response of a prompt agent [recorded];
        here it depends on the kind [modelled].
        """
        item = self.item()
        versions = item.pop("versions")
        if self.kind == HOSTED:
            item["state"] = "enabled" if self.enabled else "disabled"
        item["versions"] = versions
        item["agent_endpoint"] = self.endpoint.document()
        if self.card is not None:
            item["agent_card"] = self.card
        return item | dict(self.identity)

    def stored(self) -> Document:
        """Return what the store keeps of the agent, without the versions."""
        return {
            "project": self.project,
            "name": self.name,
            "kind": self.kind,
            "guid": self.guid,
            "identity": self.identity,
            "counter": self.counter,
            "enabled": self.enabled,
            "endpoint": self.endpoint.patched,
            "card": self.card,
        }


class Agents:
    """All agents of all projects, durable through the store.

    Args:
        store: The store.
        settings: The settings ``dedup`` and ``dedup_failed``.
        clock: Unix seconds.
        new_guid: Returns a new random GUID.

    Attributes:
        on_delete: Called with each deleted agent.
    """

    def __init__(
        self,
        store: Store,
        *,
        settings: Settings,
        clock: Callable[[], float],
        new_guid: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        self.on_delete: list[Callable[[Agent], None]] = []
        self._settings = settings
        self._clock = clock
        self._new_guid = new_guid
        self._stored_agents = store.collection("agents")
        self._stored_versions = store.collection("versions")
        self._agents: dict[str, dict[str, Agent]] = {}
        for document in self._stored_agents.values():
            agent = _agent(document)
            self._agents.setdefault(agent.project, {})[agent.name] = agent
        for key, document in self._stored_versions.items():
            version = Version(VersionKey(*key.split("/")), document)
            owner = self._agents.get(version.key.project, {}).get(version.key.agent)
            if owner is not None:
                owner.versions[version.key.version] = version

    def all(self) -> Iterator[Agent]:
        """Yield every agent of every project."""
        for agents in list(self._agents.values()):
            yield from list(agents.values())

    def of_project(self, project: str) -> list[Agent]:
        """Return the agents of a project, oldest first."""
        return list(self._agents.get(project, {}).values())

    def find(self, project: str, name: str) -> Agent | None:
        """Return the agent, or None."""
        return self._agents.get(project, {}).get(name)

    def get(self, project: str, name: str) -> Agent:
        """Return the agent.

        Raises:
            ServiceProblem: 404.
        """
        agent = self.find(project, name)
        if agent is None:
            raise agent_not_found(name)
        return agent

    def create_version(
        self,
        *,
        project: str,
        name: str,
        definition: Document,
        description: str,
        metadata: Mapping[str, str],
        draft: bool = False,
    ) -> tuple[Version, bool]:
        """Create a version of agent ``name``, and the agent with its first version [recorded].

        A draft is called ``draft-{unix time}`` [spec], takes no number and is never deduplicated [modelled].

        Returns:
            The version, and whether it is new: False when it repeats the latest one (dedup, [docs]).

        Raises:
            ServiceProblem: 400 for another kind than the agent's [observed] or the 1001st version [docs].
        """
        kind = str(definition["kind"])
        agent = self.find(project, name)
        if agent is None:
            agent = self._new_agent(project, name, kind)
        elif agent.kind != kind:
            raise bad_request(f"Agent kind mismatch for '{name}'. Existing: {agent.kind}, New: {kind}.")
        latest = agent.latest
        if latest is not None and not draft and self._repeats(latest, definition, description, metadata):
            return latest, False
        if len(agent.versions) >= _MAX_VERSIONS:
            raise ServiceProblem(
                400, "UserError", f"Agent '{name}' has {_MAX_VERSIONS} versions, the most there can be."
            )
        if agent.counter and agent.identity and self._settings.identity_per_version:
            agent.identity = {**agent.identity, "instance_identity": self._instance()}
        if not draft:
            agent.counter += 1
        key = VersionKey(project, name, self._draft_name(agent) if draft else str(agent.counter))
        version = Version(
            key,
            {
                "metadata": dict(metadata),
                "object": "agent.version",
                "id": f"{name}:{key.version}",
                "name": name,
                "version": key.version,
                "description": description,
                "created_at": int(self._clock()),
                "definition": definition,
                **({"draft": True} if draft else {}),
                "status": "creating" if kind == HOSTED else "active",
                **agent.identity,
                "agent_guid": agent.guid,
            },
        )
        # The agent first: a kill between the two writes skips a number, and never uses one twice.
        self._save(agent)
        self._stored_versions.put(str(key), version.document)
        agent.versions[key.version] = version
        self._agents.setdefault(project, {})[name] = agent
        return version, True

    def set_status(self, key: VersionKey, status: str, error: Mapping[str, str] | None = None) -> bool:
        """Set the status of a version; return False when it was deleted meanwhile."""
        agent = self.find(key.project, key.agent)
        version = agent.versions.get(key.version) if agent else None
        if version is None:
            return False
        document = {**version.document, "status": status}
        document.pop("error", None)
        if error is not None:
            document["error"] = dict(error)
        self._stored_versions.put(str(key), document)
        version.replace(document)
        return True

    def update(self, agent: Agent, *, endpoint: Endpoint, card: Document | None) -> None:
        """Store an agent's new endpoint and card."""
        agent.endpoint, agent.card = endpoint, card
        self._save(agent)

    def enable(self, agent: Agent, *, enabled: bool) -> None:
        """Enable or disable calls to an agent."""
        agent.enabled = enabled
        self._save(agent)

    def delete_version(self, version: Version) -> None:
        """Remove a version; its agent stays, even without versions [modelled]."""
        agent = self.get(version.key.project, version.key.agent)
        self._stored_versions.delete(str(version.key))
        del agent.versions[version.key.version]

    def delete(self, agent: Agent) -> None:
        """Remove an agent with its versions. A later agent of that name is a new one, from version 1."""
        # The agent first: versions without an agent are not loaded.
        self._stored_agents.delete(f"{agent.project}/{agent.name}")
        for version in agent.versions.values():
            self._stored_versions.delete(str(version.key))
        del self._agents[agent.project][agent.name]
        for listener in self.on_delete:
            listener(agent)

    def _draft_name(self, agent: Agent) -> str:
        second = int(self._clock())
        while f"draft-{second}" in agent.versions:
            second += 1
        return f"draft-{second}"

    def _new_agent(self, project: str, name: str, kind: str) -> Agent:
        guid = str(self._new_guid())
        if not self._settings.agent_identities:
            return Agent(project, name, kind, guid, {})
        identity = {
            "instance_identity": self._instance(),
            "blueprint": {"principal_id": str(self._new_guid()), "client_id": str(self._new_guid())},
            "blueprint_reference": {
                "type": "ManagedAgentIdentityBlueprint",
                "blueprint_id": f"{name}-{guid[:5]}",
            },
        }
        return Agent(project, name, kind, guid, identity)

    def _instance(self) -> Document:
        instance = str(self._new_guid())
        return {"principal_id": instance, "client_id": instance}

    def _repeats(self, latest: Version, definition: Document, description: str, metadata: Mapping[str, str]) -> bool:
        dedup = self._settings.dedup
        if dedup is Dedup.OFF or (latest.status == "failed" and not self._settings.dedup_failed):
            return False
        if latest.definition != definition:
            return False
        return dedup is Dedup.DEFINITION or (
            latest.document["description"] == description and latest.document["metadata"] == metadata
        )

    def _save(self, agent: Agent) -> None:
        self._stored_agents.put(f"{agent.project}/{agent.name}", agent.stored())


def _agent(document: Document) -> Agent:
    def of(key: str) -> Document:
        value = document[key]
        return value if isinstance(value, Mapping) else {}

    counter = document["counter"]
    return Agent(
        project=str(document["project"]),
        name=str(document["name"]),
        kind=str(document["kind"]),
        guid=str(document["guid"]),
        identity=of("identity"),
        counter=counter if isinstance(counter, int) else 0,
        enabled=bool(document["enabled"]),
        endpoint=Endpoint(of("endpoint")),
        card=of("card") if document["card"] is not None else None,
    )
