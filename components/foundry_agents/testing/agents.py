"""The agents of a project, in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import (
    LATEST,
    AgentView,
    Answer,
    Route,
    SessionView,
    VersionView,
)


def echo(version: str, question: str) -> str:
    """Return the default answer of an agent in memory."""
    return f"{version}: {question}"


@dataclass
class MemoryService:
    """An AgentService that keeps everything in memory.

    Attributes:
        statuses: What successive reads of a new version say; the last one stays. Default: active at once.
        error: Code and message of a version that ends as failed.
        calls: Every call, in order, as its verb: "create_version support", "set_routes support 2=100".
        versions: By agent and number.
        routes: The rules of each agent; the default until they are set.
        protocols: What each endpoint answers; responses unless more was enabled.
        disabled: Agents that are disabled.
        sessions: Open sessions of each agent, with their version, by id.
        answers: What a version answers to a question.
        chance: Chooses the version of a fresh session.
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
        """Return the agent, with the default rule until routes are set."""
        self.calls.append(f"get_agent {agent}")
        if not (versions := self.versions.get(agent)):
            return None
        return self._view(agent, list(versions.values())[-1])

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        """Yield the versions, newest first."""
        self.calls.append(f"list_versions {agent}")
        yield from reversed(list(self.versions.get(agent, {}).values()))

    def get_version(self, agent: str, version: str) -> VersionView | None:
        """Return one version; each read advances its script."""
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
        """Create the next version."""
        del definition
        self.calls.append(f"create_version {agent}")
        number = str(self._numbers.get(agent, 0) + 1)
        self._numbers[agent] = int(number)
        made = VersionView(agent, number, "creating", dict(metadata), principal_id="principal", client_id="client")
        self.versions.setdefault(agent, {})[number] = made
        self._scripts[made.id] = list(self.statuses)
        return made

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        """Delete a version."""
        del force
        self.calls.append(f"delete_version {agent}:{version}")
        return self.versions.get(agent, {}).pop(version, None) is not None

    def delete_agent(self, agent: str, *, force: bool) -> bool:
        """Delete the agent."""
        del force
        self.calls.append(f"delete_agent {agent}")
        self.routes.pop(agent, None)
        return self.versions.pop(agent, None) is not None

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        """Replace the rules."""
        shares = " ".join(f"{route.version}={route.percent}" for route in routes)
        self.calls.append(f"set_routes {agent} {shares}")
        self.routes[agent] = tuple(routes)
        self.protocols[agent] = self._protocols(agent) | enable_protocols
        return self._view(agent, None)

    def enable(self, agent: str) -> None:
        """Enable the agent."""
        self.calls.append(f"enable {agent}")
        self.disabled.discard(agent)

    def list_sessions(self, agent: str) -> Iterator[SessionView]:
        """Yield the open sessions; all are active."""
        self.calls.append(f"list_sessions {agent}")
        for session, version in self.sessions.get(agent, {}).items():
            yield SessionView(session, version, "active")

    def create_session(self, agent: str, version: str) -> str:
        """Open a session on a version."""
        self.calls.append(f"create_session {agent}:{version}")
        return self._open(agent, version)

    def delete_session(self, agent: str, session: str) -> None:
        """Delete a session."""
        self.calls.append(f"delete_session {agent} {session}")
        self.sessions.get(agent, {}).pop(session, None)

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        """Answer as ``answers`` says, in the session's version or one that the rules choose."""
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
