"""Two deployers at once on one agent, in memory: a seed decides whose call comes next."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.views import AgentView, Route
from tests.support.rollouts import plan, run, service_with
from tests.support.service import FaultyService

INTERLEAVINGS = 100


@dataclass
class Turns:
    """Lets two threads go on call by call, in an order that a seed decides."""

    chance: random.Random
    ready: threading.Condition = field(default_factory=threading.Condition)
    waiting: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=lambda: {"a", "b"})
    turn: str = ""

    def take(self, who: str) -> None:
        """Wait for the turn of this deployer."""
        with self.ready:
            self.waiting.add(who)
            self._next()
            self.ready.wait_for(lambda: self.turn == who, timeout=20)
            self.turn = ""
            self.waiting.discard(who)

    def leave(self, who: str) -> None:
        """Note that this deployer has ended."""
        with self.ready:
            self.alive.discard(who)
            self._next()

    def _next(self) -> None:
        if not self.turn and self.waiting == self.alive and self.alive:
            self.turn = self.chance.choice(sorted(self.alive))
            self.ready.notify_all()


@dataclass
class Shared(FaultyService):
    """A service that two deployers share; every call waits for its turn."""

    turns: Turns | None = None
    history: list[tuple[Route, ...]] = field(default_factory=list)

    def get_agent(self, agent: str) -> AgentView | None:
        self._wait()
        return super().get_agent(agent)

    def set_routes(self, agent: str, routes: object, *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        self._wait()
        view = super().set_routes(agent, routes, enable_protocols=enable_protocols)  # type: ignore[arg-type]  # passed through
        self.history.append(self.routes[agent])
        return view

    def _wait(self) -> None:
        if self.turns is not None:
            self.turns.take(threading.current_thread().name)


def interleave(seed: int, targets: tuple[str, str] = ("2", "3")) -> tuple[Shared, dict[str, FoundryAgentsError | None]]:
    """Run two canaries at once on one agent."""
    service = service_with(Route("1", 100), kind=Shared)
    assert isinstance(service, Shared)
    turns = service.turns = Turns(random.Random(seed))
    service.history.append(service.routes["support"])
    ended: dict[str, FoundryAgentsError | None] = {}

    def deploy(who: str, target: str) -> None:
        try:
            ended[who] = run(service, plan(target, bake_s=3)).error
        finally:
            turns.leave(who)

    threads = [
        threading.Thread(target=deploy, args=pair, name=pair[0]) for pair in zip(("a", "b"), targets, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return service, ended


def flips(history: list[tuple[Route, ...]]) -> int:
    """Return how often a routing came back that another one had replaced."""
    distinct = [frozenset(routes) for routes in history]
    changed = [state for position, state in enumerate(distinct) if not position or state != distinct[position - 1]]
    return len(changed) - len(set(changed))
