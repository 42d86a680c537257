"""Routing: the shares of an endpoint's traffic, said in words, checked before they are sent, and moved with proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foundry_agents.lifecycle.failure.errors import (
    InputError,
    Problem,
    ResponseLostError,
    RolloutError,
    TrafficConflictError,
    WaitTimeoutError,
)
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll, retry_throttled, retry_transient
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.views import LATEST, AgentView, Route

WHOLE = 100
"""Percent. The service accepts other sums [recorded]; we never send one."""

PUT_BACK_TRIES = 3


def describe(routes: Sequence[Route]) -> str:
    """Routing for people: ``90 % on 7, 10 % on 8``."""
    shares = sorted(routes, key=lambda route: -route.percent) or [Route(LATEST, WHOLE)]
    return ", ".join(f"{route.percent} % on {route.version}" for route in shares)


def traffic(agent: AgentView) -> dict[str, int]:
    """The routing as a table of percent by version; ``@latest`` where the default is in force."""
    table: dict[str, int] = {}
    for route in agent.routes or (Route(LATEST, WHOLE),):
        table[route.version] = table.get(route.version, 0) + route.percent
    return table


def live_target(table: Mapping[str, int]) -> str:
    """What the ``version`` input would have to say to describe this traffic; not a number when it is split."""
    busy = {version: percent for version, percent in table.items() if percent}
    if len(busy) == 1 and set(busy.values()) == {WHOLE}:
        return next(iter(busy))
    return ", ".join(f"{version}: {percent} %" for version, percent in sorted(busy.items())) or "none"


def most_traffic(routes: Sequence[Route], *, but: str) -> str | None:
    """The numbered version with the largest share, other than ``but``."""
    others = [route for route in routes if route.version not in {but, LATEST} and route.percent]
    return max(others, key=lambda route: route.percent).version if others else None


def shares(target: str, percent: int, stable: str | None) -> tuple[Route, ...]:
    """``percent`` for the target and the rest for the stable version; all for the target when there is no other."""
    if stable is None or percent == WHOLE:
        return (Route(target, WHOLE),)
    return (Route(target, percent), Route(stable, WHOLE - percent))


def checked(routes: Sequence[Route]) -> tuple[Route, ...]:
    """The routes as they may be sent: every problem is named first, since the service takes a sum of 74 [recorded].

    Raises:
        InputError: A share out of range, a version named twice, or a sum other than 100.
    """
    problems = [
        Problem(f"routes[{position}].percent", f'"{route.percent}": 0 to 100')
        for position, route in enumerate(routes)
        if not 0 <= route.percent <= WHOLE
    ]
    versions = [route.version for route in routes]
    problems += [
        Problem(f"routes[{position}].version", f'"{version}" is named twice')
        for position, version in enumerate(versions)
        if version in versions[:position]
    ]
    total = sum(route.percent for route in routes)
    if total != WHOLE:
        problems.append(Problem("routes", f"the shares sum to {total}, and must sum to {WHOLE}"))
    if problems:
        raise InputError("the routing", problems)
    return tuple(routes)


def whole(routes: Sequence[Route]) -> tuple[Route, ...]:
    """What was found, fit to be sent: the default where there are no rules, the sum brought to 100 at the largest."""
    if not any(route.percent for route in routes):
        return (Route(LATEST, WHOLE),)
    table = traffic(AgentView("", None, tuple(routes)))
    largest = max(table, key=lambda version: table[version])
    table[largest] += WHOLE - sum(table.values())
    if table[largest] < 0:
        return (Route(largest, WHOLE),)
    return tuple(Route(version, percent) for version, percent in table.items())


def resolved(routes: Sequence[Route], newest: str) -> tuple[Route, ...]:
    """The routes with ``@latest`` replaced by the version that it stands for now."""
    table: dict[str, int] = {}
    for version, percent in traffic(AgentView("", None, whole(routes))).items():
        number = newest if version == LATEST else version
        table[number] = table.get(number, 0) + percent
    return tuple(Route(version, percent) for version, percent in table.items())


def without(routes: Sequence[Route], version: str, stable: str) -> tuple[Route, ...]:
    """The routes with the version's share given to the stable one."""
    table = traffic(AgentView("", None, whole(routes)))
    table[stable] = table.get(stable, 0) + table.pop(version, 0)
    return tuple(Route(number, percent) for number, percent in table.items())


def same(one: Sequence[Route], other: Sequence[Route]) -> bool:
    """Whether two routings give the same versions the same shares; order and shares of 0 mean nothing."""
    return _busy(one) == _busy(other)


def _busy(routes: Sequence[Route]) -> dict[str, int]:
    return {version: share for version, share in traffic(AgentView("", None, tuple(routes))).items() if share}


class Traffic:
    """Moves one agent's traffic, and stops as soon as somebody else does too.

    Reading before each write narrows that race; it is not a lock.

    Args:
        service: The data plane.
        found: The agent as it was found.
        patience: How long to go on reading back, and how often.
        clock: Where time comes from.
    """

    def __init__(self, service: AgentService, found: AgentView, patience: PollSettings, clock: Clock) -> None:
        self._service = service
        self._agent = found.name
        self._known: list[tuple[Route, ...]] = [found.routes]
        self._patience = patience
        self._clock = clock

    @property
    def last(self) -> tuple[Route, ...]:
        """The routing that was found, or was set last."""
        return self._known[-1]

    @property
    def moved(self) -> bool:
        """Whether anything was set."""
        return len(self._known) > 1

    def move(self, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        """Puts the routes into force and proves it by reading back; sends nothing when they are in force.

        Raises:
            TrafficConflictError: Somebody else moves traffic; nothing was sent, or nothing more.
            RolloutError: The endpoint did not take the routes in time.
            ServiceError: The service refused.
        """
        wanted = checked(routes)
        now = self.look()
        if not same(now.routes, wanted) or enable_protocols - now.protocols:
            self._known.append(wanted)
            try:
                self._send(wanted, enable_protocols)
            except ResponseLostError:
                # It may be in force all the same. A merge patch of the same rules may be repeated.
                if not same(self.look().routes, wanted):
                    self._send(wanted, enable_protocols)
        return self._read_back(wanted)

    def look(self) -> AgentView:
        """Reads the agent; survives lost answers until the deadline.

        Raises:
            TrafficConflictError: Two reads in a row show a routing that is neither what was found nor ours.
            RolloutError: The agent is gone.
        """
        seen = self._read()
        if self._is_known(seen.routes):
            return seen
        self._clock.sleep(self._patience.interval_s)
        seen = self._read()
        if self._is_known(seen.routes):
            return seen
        raise TrafficConflictError(self._agent, seen=describe(seen.routes), expected=describe(self.last))

    def put_back(self, former: Sequence[Route]) -> str | None:
        """Puts the former routing into force again; gives the reason when that did not work.

        Tries a few times, since whatever failed before may well fail here too.
        """
        reason = ""
        for attempt in range(PUT_BACK_TRIES):
            if attempt:
                self._clock.sleep(self._patience.interval_s)
            try:
                self.move(whole(former))
            except TrafficConflictError as error:
                return str(error)
            except Exception as error:  # noqa: BLE001 (whatever it is, the state of things must still be told)
                reason = str(error).splitlines()[0]
            else:
                return None
        return reason

    def _is_known(self, routes: Sequence[Route]) -> bool:
        return any(same(routes, known) for known in self._known)

    def _send(self, routes: tuple[Route, ...], protocols: frozenset[str]) -> None:
        retry_throttled(
            lambda: self._service.set_routes(self._agent, routes, enable_protocols=protocols),
            self._patience,
            self._clock,
        )

    def _read(self) -> AgentView:
        seen = retry_transient(lambda: self._service.get_agent(self._agent), self._patience, self._clock)
        if seen is None:
            raise RolloutError("the agent is gone", restored=False)
        return seen

    def _read_back(self, wanted: tuple[Route, ...]) -> AgentView:
        in_force = Until[AgentView](
            "the routing",
            "in force",
            done=lambda seen: same(seen.routes, wanted),
            describe=lambda seen: describe(seen.routes),
        )
        try:
            # `look` itself retries transient errors.
            return poll(self.look, in_force, self._clock, self._patience, retried=())
        except WaitTimeoutError as timeout:
            seen = describe(timeout.last.routes) if isinstance(timeout.last, AgentView) else "nothing"
            raise RolloutError(
                f"the endpoint still shows {seen} after {timeout.waited_s:.0f} s ({timeout.polls} reads)",
                restored=False,
            ) from None
