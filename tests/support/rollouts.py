"""Rollouts in memory: an agent with two versions, a service that can be killed, and a record of every instant."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from foundry_agents.lifecycle.failure.deployment_errors import RolloutError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import AccessDeniedError, NotReadyError, ResponseLostError
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.rollout import RolledOut, RolloutPlan, roll_out
from foundry_agents.lifecycle.smoke import Smoke
from foundry_agents.lifecycle.views import LATEST, AgentView, Answer, Route, VersionView
from foundry_agents.testing import FastClock
from tests.support.service import FaultyService, owned
from tests.support.settings import OWNER

T = TypeVar("T")

PONG = Smoke("ping", "contains", "ping")
"""What the agent in memory answers."""

WRONG = Smoke("ping", "contains", "pong")
"""What it does not answer."""


def plan(version: str = "2", **more: object) -> RolloutPlan:
    """Return a canary to a version in steps of 10 and 50 %, with a bake time of 2 minutes."""
    given = {"steps": (10, 50), "bake_s": 120, "smoke": PONG, "owner": Owner(OWNER)} | more
    patience = PollSettings(30, 1)
    return RolloutPlan("support", version, frozenset({"responses"}), patience, **given)  # type: ignore[arg-type]  # tests pass fitting types


def service_with(*routes: Route, kind: type[FaultyService] = FaultyService, **more: object) -> FaultyService:
    """Return a service with three active versions of ours and this routing."""
    service = kind(**more)  # type: ignore[arg-type]  # tests pass fitting types
    for number in ("1", "2", "3"):
        service.has(number, ownership=owned(f"v1:{number}"))
    if routes:
        service.routes["support"] = routes
    return service


@dataclass
class Ran:
    """A rollout that was run: what it gave or raised, and its lines."""

    done: RolledOut | None = None
    error: FoundryAgentsError | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def failure(self) -> RolloutError:
        """The error that it raised; fails when there is none."""
        assert isinstance(self.error, RolloutError)
        return self.error


def run(service: FaultyService, wanted: RolloutPlan, clock: FastClock | None = None) -> Ran:
    """Run a rollout until it ends or fails."""
    ran = Ran()
    try:
        ran.done = roll_out(service, wanted, clock or FastClock(), ran.lines.append)
    except FoundryAgentsError as error:
        ran.error = error
    return ran


def moves(service: FaultyService) -> list[str]:
    """Return every routing that was sent: "2=10 1=90"."""
    return [call.removeprefix("set_routes support ") for call in service.calls if call.startswith("set_routes")]


class Killed(BaseException):
    """The process was killed: none of its code runs any more."""


@dataclass
class Watched(FaultyService):
    """Notes, after every call, whether an active version is routed; and does at one call what a fault says.

    Attributes:
        fault_at: Number of the call at which the fault happens, from 1; 0 is never.
        fault: "kill before", "kill after", "lost", "committed", "refused", "not ready", "wrong answer", "stale".
        unserved: Instants at which no active version was routed.
        strays: Questions through the endpoint that a version answered which is not active.
    """

    fault_at: int = 0
    fault: str = ""
    unserved: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    _count: int = 0
    _dead: bool = False
    _last_view: AgentView | None = None

    def revive(self) -> None:
        """A new process comes along; no more faults."""
        self._dead, self.fault_at = False, 0

    def get_agent(self, agent: str) -> AgentView | None:
        view = self._guarded("get_agent", lambda: super(Watched, self).get_agent(agent))
        if self._stale() and self._last_view is not None:
            return self._last_view
        self._last_view = view
        return view

    def get_version(self, agent: str, version: str) -> VersionView | None:
        return self._guarded("get_version", lambda: super(Watched, self).get_version(agent, version))

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        return self._guarded(
            "set_routes", lambda: super(Watched, self).set_routes(agent, routes, enable_protocols=enable_protocols)
        )

    def create_session(self, agent: str, version: str) -> str:
        return self._guarded("create_session", lambda: super(Watched, self).create_session(agent, version))

    def delete_session(self, agent: str, session: str) -> None:
        self._guarded("delete_session", lambda: super(Watched, self).delete_session(agent, session))

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        answer = self._guarded(
            "ask",
            lambda: super(Watched, self).ask(agent, question, protocol=protocol, session=session, timeout_s=timeout_s),
        )
        if session is None and self.statuses_left().get(answer.version) != "active":
            self.strays.append(answer.version)
        if self.fault == "wrong answer" and 0 < self.fault_at <= self._count:
            return Answer(answer.version, "something else", {}, answer.session)
        return answer

    def _guarded(self, verb: str, call: Callable[[], T]) -> T:
        if self._dead:
            raise Killed
        self._count += 1
        now = self._count == self.fault_at
        if now and self.fault == "kill before":
            self._dead = True
            raise Killed
        if now and self.fault == "refused":
            raise AccessDeniedError("no", operation=verb, status=403, request_id="r-403")
        if now and self.fault == "lost":
            raise ResponseLostError("reset", operation=verb, request_id="r-lost")
        if now and self.fault == "not ready" and verb in {"ask", "create_session"}:
            raise NotReadyError("starting", operation=verb, status=424, code="session_not_ready")
        result = call()
        self._look()
        if now and self.fault == "kill after":
            self._dead = True
            raise Killed
        if now and self.fault == "committed":
            raise ResponseLostError("reset", operation=verb, request_id="r-lost")
        return result

    def _stale(self) -> bool:
        return self.fault == "stale" and 0 < self.fault_at <= self._count < self.fault_at + 4

    def _look(self) -> None:
        statuses = self.statuses_left()
        routes = self.routes.get("support", (Route(LATEST, 100),))
        serving = [r for r in routes if r.percent and (r.version == LATEST or statuses.get(r.version) == "active")]
        if not serving:
            self.unserved.append(str(routes))


def faults(seed: int, calls: int) -> tuple[int, str]:
    """Choose a fault, and the call at which it happens, for a rollout of this many calls."""
    chance = random.Random(seed)
    kinds = ("kill before", "kill after", "lost", "committed", "refused", "not ready", "wrong answer", "stale")
    # Every kind has its turn; the seed chooses the call.
    return chance.randint(1, calls), kinds[seed % len(kinds)]
