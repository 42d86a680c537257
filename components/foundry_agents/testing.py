"""For your own tests: services in memory and a clock that never waits.

service = MemoryService()
made = create_or_adopt(service, plan, FastClock(), progress=print)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from foundry_agents.lifecycle.definition import AgentDefinition
from foundry_agents.lifecycle.ports import LATEST, AgentView, Answer, Route, SessionView, VersionView
from foundry_agents.lifecycle.toolbox_ports import AgentEnvironment, ToolboxVersionView
from foundry_agents.lifecycle.vector_store_ports import FileView, StoredFile, VectorStoreView


def echo(version: str, question: str) -> str:
    """What an agent in memory answers unless it is told otherwise."""
    return f"{version}: {question}"


@dataclass
class FastClock:
    """Time that passes only when somebody sleeps."""

    seconds: float = 0.0

    def now(self) -> float:
        """Seconds slept so far."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Lets time pass at once."""
        self.seconds += seconds


@dataclass
class MemoryService:
    """An AgentService that keeps everything in memory.

    Attributes:
        statuses: What successive reads of a new version say; the last one stays. Default: active at once.
        error: Code and message of a version that ends as failed.
        calls: Every call, in order, as its verb: "create_version support", "set_routes support 2=100".
        versions: By agent and number.
        routes: The rules of each agent; the default until they are set.
        protocols: What each endpoint answers; responses unless more was switched on.
        disabled: Agents that somebody has switched off.
        sessions: Open sessions of each agent, with their version, by id.
        answers: What a version answers to a question.
        chance: Decides which version a fresh session gets.
    """

    statuses: Sequence[str] = ("active",)
    error: tuple[str, str] = ("ImageError", "Failed to pull container image.")
    calls: list[str] = field(default_factory=list)
    versions: dict[str, dict[str, VersionView]] = field(default_factory=dict)
    routes: dict[str, tuple[Route, ...]] = field(default_factory=dict)
    protocols: dict[str, frozenset[str]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: Callable[[str, str], str] = echo
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 (shares, no secrets)
    _scripts: dict[str, list[str]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _opened: int = 0

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if not call.startswith(("get_", "list_"))]

    @property
    def deployments(self) -> list[str]:
        """The writes that change the agent, without questions to it and their sessions."""
        return [call for call in self.writes if not call.startswith(("ask ", "create_session ", "delete_session "))]

    def get_agent(self, agent: str) -> AgentView | None:
        """The agent, with the default rule until routes are set."""
        self.calls.append(f"get_agent {agent}")
        if not (versions := self.versions.get(agent)):
            return None
        return self._view(agent, list(versions.values())[-1])

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        """Newest first."""
        self.calls.append(f"list_versions {agent}")
        yield from reversed(list(self.versions.get(agent, {}).values()))

    def get_version(self, agent: str, version: str) -> VersionView | None:
        """One version; each read moves its script on."""
        self.calls.append(f"get_version {agent}:{version}")
        seen = self.versions.get(agent, {}).get(version)
        script = self._scripts.get(f"{agent}:{version}")
        if seen is None or not script:
            return seen
        status = script.pop(0) if len(script) > 1 else script[0]
        code, words = self.error if status == "failed" else (None, None)
        seen = replace(seen, status=status, error_code=code, error_message=words)
        self.versions[agent][version] = seen
        return seen

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        """Makes the next version."""
        del definition
        self.calls.append(f"create_version {agent}")
        number = str(self._numbers.get(agent, 0) + 1)
        self._numbers[agent] = int(number)
        made = VersionView(agent, number, "creating", dict(metadata), principal_id="principal", client_id="client")
        self.versions.setdefault(agent, {})[number] = made
        self._scripts[made.id] = list(self.statuses)
        return made

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        """Takes a version away."""
        del force
        self.calls.append(f"delete_version {agent}:{version}")
        return self.versions.get(agent, {}).pop(version, None) is not None

    def delete_agent(self, agent: str, *, force: bool) -> bool:
        """Takes the agent away."""
        del force
        self.calls.append(f"delete_agent {agent}")
        self.routes.pop(agent, None)
        return self.versions.pop(agent, None) is not None

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        """Replaces the rules."""
        shares = " ".join(f"{route.version}={route.percent}" for route in routes)
        self.calls.append(f"set_routes {agent} {shares}")
        self.routes[agent] = tuple(routes)
        self.protocols[agent] = self._protocols(agent) | enable_protocols
        return self._view(agent, None)

    def enable(self, agent: str) -> None:
        """Switches the agent on."""
        self.calls.append(f"enable {agent}")
        self.disabled.discard(agent)

    def list_sessions(self, agent: str) -> Iterator[SessionView]:
        """All open sessions are active."""
        self.calls.append(f"list_sessions {agent}")
        for session, version in self.sessions.get(agent, {}).items():
            yield SessionView(session, version, "active")

    def create_session(self, agent: str, version: str) -> str:
        """Opens a session on a version."""
        self.calls.append(f"create_session {agent}:{version}")
        return self._open(agent, version)

    def delete_session(self, agent: str, session: str) -> None:
        """Forgets a session."""
        self.calls.append(f"delete_session {agent} {session}")
        self.sessions.get(agent, {}).pop(session, None)

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        """Answers as ``answers`` says, in the session's version or one that the rules choose."""
        del protocol, timeout_s
        self.calls.append(f"ask {agent} {session or 'endpoint'}")
        if session is None:
            session = self._open(agent, self._chosen(agent))
        version = self.sessions[agent][session]
        text = self.answers(version, question)
        return Answer(version, text, {"output": text}, session)

    def _open(self, agent: str, version: str) -> str:
        self._opened += 1
        self.sessions.setdefault(agent, {})[f"session-{self._opened}"] = version
        return f"session-{self._opened}"

    def _chosen(self, agent: str) -> str:
        routes = self.routes.get(agent, (Route(LATEST, 100),))
        (version,) = self.chance.choices([r.version for r in routes], [r.percent for r in routes])
        if version != LATEST:
            return version
        return next(v.version for v in reversed(self.versions[agent].values()) if v.status == "active")

    def _view(self, agent: str, latest: VersionView | None) -> AgentView:
        routes = self.routes.get(agent, (Route(LATEST, 100),))
        return AgentView(agent, latest, routes, self._protocols(agent), agent not in self.disabled)

    def _protocols(self, agent: str) -> frozenset[str]:
        return self.protocols.get(agent, frozenset({"responses"}))


@dataclass
class MemoryToolboxes:
    """A ToolboxService that keeps everything in memory.

    Attributes:
        calls: Every call, in order, as its verb: "create_version support", "promote support:2".
        versions: By toolbox and number.
        tools: What was posted, by ``toolbox:version``.
        defaults: Number of the default version of each toolbox.
        environments: Values of the variables of agents' versions, by ``agent:version``.
        connections: Names of the project's connections.
    """

    calls: list[str] = field(default_factory=list)
    versions: dict[str, dict[str, ToolboxVersionView]] = field(default_factory=dict)
    tools: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    environments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    connections: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if call.startswith(("create_", "promote ", "delete_"))]

    def default_version(self, toolbox: str) -> str | None:
        """The first version, until another is promoted [recorded]."""
        self.calls.append(f"default_version {toolbox}")
        return self.defaults.get(toolbox)

    def list_versions(self, toolbox: str) -> Iterator[ToolboxVersionView]:
        """Newest first."""
        self.calls.append(f"list_versions {toolbox}")
        yield from reversed(list(self.versions.get(toolbox, {}).values()))

    def get_version(self, toolbox: str, version: str) -> ToolboxVersionView | None:
        """One version."""
        self.calls.append(f"get_version {toolbox}:{version}")
        return self.versions.get(toolbox, {}).get(version)

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        """Makes the next version."""
        del description
        self.calls.append(f"create_version {toolbox}")
        number = self._numbers[toolbox] = self._numbers.get(toolbox, 0) + 1
        made = ToolboxVersionView(toolbox, str(number), dict(metadata))
        self.versions.setdefault(toolbox, {})[made.version] = made
        self.tools[made.id] = tools
        self.defaults.setdefault(toolbox, made.version)
        return made

    def promote(self, toolbox: str, version: str) -> None:
        """Makes a version the default."""
        self.calls.append(f"promote {toolbox}:{version}")
        self.defaults[toolbox] = version

    def delete_version(self, toolbox: str, version: str) -> bool:
        """Takes a version away."""
        self.calls.append(f"delete_version {toolbox}:{version}")
        return self.versions.get(toolbox, {}).pop(version, None) is not None

    def delete_toolbox(self, toolbox: str) -> bool:
        """Takes the toolbox away."""
        self.calls.append(f"delete_toolbox {toolbox}")
        self.defaults.pop(toolbox, None)
        return self.versions.pop(toolbox, None) is not None

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """What ``environments`` says."""
        self.calls.append("agent_environments")
        for version, values in self.environments.items():
            yield AgentEnvironment(version, values)

    def has_connection(self, name: str) -> bool:
        """What ``connections`` says."""
        self.calls.append(f"has_connection {name}")
        return name in self.connections


@dataclass
class MemoryVectorStores:
    """A VectorStoreService that keeps everything in memory.

    Attributes:
        reads_until_indexed: How many reads of a new store show it in progress.
        unreadable: Parts of the names of files that can't be indexed.
        calls: Every call, in order, as its verb: "create_store docs", "upload faq.3a44c0ffee123456.md".
        stores: By id, oldest first.
        contents: Ids of the files of each store.
        files: Names by id.
        searched: Stores that versions of toolboxes search.
        environments: Values of the variables of agents, by version: "support:1".
    """

    reads_until_indexed: int = 0
    unreadable: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list)
    stores: dict[str, VectorStoreView] = field(default_factory=dict)
    contents: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    searched: set[str] = field(default_factory=set)
    environments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _made: int = 0
    _reads: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if call.startswith(("create_", "upload ", "delete_"))]

    def list_stores(self) -> Iterator[VectorStoreView]:
        """Newest first."""
        self.calls.append("list_stores")
        yield from reversed([self._seen(store) for store in self.stores])

    def get_store(self, store: str) -> VectorStoreView | None:
        """One store; each read brings its index on."""
        self.calls.append(f"get_store {store}")
        self._reads[store] = self._reads.get(store, 0) + 1
        return self._seen(store) if store in self.stores else None

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """Makes a store."""
        self.calls.append(f"create_store {name}")
        made = VectorStoreView(self._next("vs"), name, "in_progress", dict(metadata), total=len(files))
        self.stores[made.id] = made
        self.contents[made.id] = list(files)
        return made

    def delete_store(self, store: str) -> bool:
        """Takes a store away; its files stay."""
        self.calls.append(f"delete_store {store}")
        self.contents.pop(store, None)
        return self.stores.pop(store, None) is not None

    def files_of(self, store: str) -> Iterator[StoredFile]:
        """The files of a store."""
        self.calls.append(f"files_of {store}")
        for file in self.contents.get(store, []):
            yield StoredFile(file, "failed", "not a text") if self._fails(file) else StoredFile(file, "completed")

    def list_files(self) -> Iterator[FileView]:
        """All files."""
        self.calls.append("list_files")
        for file, name in self.files.items():
            yield FileView(file, name)

    def upload(self, filename: str, path: Path) -> FileView:
        """Keeps the name."""
        del path
        self.calls.append(f"upload {filename}")
        made = FileView(self._next("file"), filename)
        self.files[made.id] = filename
        return made

    def delete_file(self, file: str) -> bool:
        """Takes a file away."""
        self.calls.append(f"delete_file {file}")
        return self.files.pop(file, None) is not None

    def stores_in_toolboxes(self) -> Iterator[str]:
        """What ``searched`` says."""
        self.calls.append("stores_in_toolboxes")
        yield from self.searched

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """What ``environments`` says."""
        self.calls.append("agent_environments")
        for version, values in self.environments.items():
            yield AgentEnvironment(version, values)

    def _seen(self, store: str) -> VectorStoreView:
        kept = self.stores[store]
        if self._reads.get(store, 0) <= self.reads_until_indexed:
            return kept
        failed = sum(map(self._fails, self.contents[store]))
        return replace(kept, status="completed", done=kept.total - failed, failed=failed)

    def _fails(self, file: str) -> bool:
        return any(part in self.files.get(file, "") for part in self.unreadable)

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"
