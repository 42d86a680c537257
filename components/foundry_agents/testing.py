"""For your own tests: a service in memory and a clock that never waits.

service = MemoryService()
made = create_or_adopt(service, plan, FastClock(), progress=print)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from foundry_agents.lifecycle.definition import AgentDefinition
from foundry_agents.lifecycle.ports import LATEST, AgentView, Route, VersionView


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
    """

    statuses: Sequence[str] = ("active",)
    error: tuple[str, str] = ("ImageError", "Failed to pull container image.")
    calls: list[str] = field(default_factory=list)
    versions: dict[str, dict[str, VersionView]] = field(default_factory=dict)
    routes: dict[str, tuple[Route, ...]] = field(default_factory=dict)
    _scripts: dict[str, list[str]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if not call.startswith(("get_", "list_"))]

    def get_agent(self, agent: str) -> AgentView | None:
        """The agent, with the default rule until routes are set."""
        self.calls.append(f"get_agent {agent}")
        if not (versions := self.versions.get(agent)):
            return None
        latest = list(versions.values())[-1]
        return AgentView(agent, latest, self.routes.get(agent, (Route(LATEST, 100),)), frozenset({"responses"}))

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
        del enable_protocols
        shares = " ".join(f"{route.version}={route.percent}" for route in routes)
        self.calls.append(f"set_routes {agent} {shares}")
        self.routes[agent] = tuple(routes)
        return AgentView(agent, None, tuple(routes), frozenset({"responses"}))
