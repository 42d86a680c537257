"""The service in memory, with the faults that a test asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from foundry_agents.lifecycle.failure.service_errors import ResponseLostError, ServiceError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import AgentView, Route, VersionView
from foundry_agents.testing import FastClock, MemoryService
from tests.support.settings import OWNER, seen


def lost() -> ResponseLostError:
    """Return the error of a 500 or of a dropped connection."""
    return ResponseLostError("the connection was reset", operation="POST …/versions", request_id="r-lost")


@dataclass
class FaultyService(MemoryService):
    """A MemoryService whose next calls go wrong.

    Attributes:
        create_faults: One for each coming POST: "lost" (not carried out), "committed" (carried out, answer lost) or
            "" (fine); none left means fine.
        list_statuses: What lists say of a version, whatever a single read says.
        failing: Errors by verb, or by verb and what it is called with: "delete_version support:1".
        failing_times: Errors by verb, each raised once, in order.
        metadata: What was sent at each creation.
        forced: Whether each delete was forced.
    """

    create_faults: list[str] = field(default_factory=list)
    list_statuses: dict[str, str] = field(default_factory=dict)
    failing: dict[str, ServiceError] = field(default_factory=dict)
    failing_times: dict[str, list[ServiceError]] = field(default_factory=dict)
    metadata: list[Mapping[str, str]] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)

    def has(
        self, number: str, status: str = "active", ownership: OwnershipMetadata | None = None, **more: object
    ) -> VersionView:
        """Put a version into the history, as if it had been there before."""
        view = seen(status, number, metadata=ownership.as_metadata() if ownership else {}, **more)
        self.versions.setdefault("support", {})[number] = view
        self._numbers["support"] = max(self._numbers.get("support", 0), int(number))
        return view

    def statuses_left(self) -> dict[str, str]:
        """Return the status of each version, by number."""
        return {number: view.status for number, view in self.versions.get("support", {}).items()}

    def count(self, verb: str) -> int:
        """Return how many calls of a verb there were."""
        return sum(call.startswith(f"{verb} ") for call in self.calls)

    def get_agent(self, agent: str) -> AgentView | None:
        self._fail("get_agent", agent)
        return super().get_agent(agent)

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        for view in super().list_versions(agent):
            yield replace(view, status=self.list_statuses.get(view.version, view.status))

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        self.metadata.append(metadata)
        self._fail("create_version", agent)
        fault = self.create_faults.pop(0) if self.create_faults else ""
        if fault == "lost":
            self.calls.append(f"create_version {agent}")
            raise lost()
        made = super().create_version(agent, definition, metadata)
        if fault == "committed":
            raise lost()
        return made

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        self.forced.append(force)
        self._fail("delete_version", f"{agent}:{version}", force=force)
        return super().delete_version(agent, version, force=force)

    def delete_agent(self, agent: str, *, force: bool) -> bool:
        self.forced.append(force)
        self._fail("delete_agent", agent, force=force)
        return super().delete_agent(agent, force=force)

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        self._fail("set_routes", agent)
        return super().set_routes(agent, routes, enable_protocols=enable_protocols)

    def _fail(self, verb: str, subject: str, *, force: bool = False) -> None:
        once = self.failing_times.get(verb)
        error = once.pop(0) if once else self.failing.get(f"{verb} {subject}") or self.failing.get(verb)
        if error is not None and not force:
            self.calls.append(f"{verb} {subject}")
            raise error


@dataclass
class WilfulService(FaultyService):
    """A service that does something else than it is asked to.

    Attributes:
        takes: What each coming call of set_routes puts into force; "nothing" leaves what is there. None left means
            that it does as it is asked.
        then_loses: Numbers of those calls whose answer is lost, from 1.
    """

    takes: list[tuple[Route, ...] | Literal["nothing"]] = field(default_factory=list)
    then_loses: frozenset[int] = frozenset()

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        before = self.routes.get(agent, ())
        takes = self.takes.pop(0) if self.takes else tuple(routes)
        view = super().set_routes(agent, routes, enable_protocols=enable_protocols)
        self.routes[agent] = before if takes == "nothing" else takes
        if self.count("set_routes") in self.then_loses:
            raise ResponseLostError("reset", operation="PATCH …/support", request_id="r-lost")
        return view


class LateRoleService(FaultyService):
    """Pulls fail until a role is in effect, some seconds after the first look."""

    def __init__(self, clock: FastClock, role_after_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._role_after_s = role_after_s

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        self.statuses = ["active"] if self._clock.now() >= self._role_after_s else ["failed"]
        return super().create_version(agent, definition, metadata)


class HandingBackService(FaultyService):
    """Has an equal version of another stack, and returns it for each POST."""

    def __init__(self) -> None:
        super().__init__()
        self.has("1")

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        del definition, metadata
        self.calls.append(f"create_version {agent}")
        return self.versions[agent]["1"]


def owned(fingerprint: str, *, owner: str = OWNER, attempt: int = 1) -> OwnershipMetadata:
    """Return our ownership metadata."""
    return OwnershipMetadata(fingerprint, owner, attempt)
