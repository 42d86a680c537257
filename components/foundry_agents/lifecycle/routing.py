"""Traffic: routing is checked before it is sent, and moved with a read before and after each write."""

from __future__ import annotations

from foundry_agents.lifecycle.failure.deployment_errors import RolloutError, TrafficConflictError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import InputError, Problem, headline
from foundry_agents.lifecycle.failure.service_errors import ResponseLostError
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll, retry_throttled, retry_transient
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.views import WHOLE, AgentView, Routing

PUT_BACK_TRIES = 3


def checked(routing: Routing) -> Routing:
    """Return the routing if it may be sent. The service itself accepts a sum of 74 [recorded].

    Raises:
        InputError: A share out of range, a version named twice, or a sum other than 100; every problem is named.
    """
    routes = routing.routes
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
    return routing


class Traffic:
    """Moves one agent's traffic, and stops as soon as someone else changes it too.

    Reading before each write narrows that race; it is not a lock.

    Args:
        service: The data plane.
        found: The agent as it was found.
        patience: How long to read back, and how often.
        clock: The source of time.
    """

    def __init__(self, service: AgentService, found: AgentView, patience: PollSettings, clock: Clock) -> None:
        self._service = service
        self._agent = found.name
        self._known: list[Routing] = [found.routing]
        self._patience = patience
        self._clock = clock

    @property
    def last(self) -> Routing:
        """The routing that was found, or was set last."""
        return self._known[-1]

    @property
    def moved(self) -> bool:
        """Whether anything was set."""
        return len(self._known) > 1

    def move(self, wanted: Routing, *, enable_protocols: frozenset[str] = frozenset()) -> AgentView:
        """Put the routing into force and read it back; send nothing when it is in force.

        Raises:
            TrafficConflictError: Someone else changes the traffic; nothing was sent, or nothing more.
            RolloutError: The endpoint did not accept the routing in time.
            ServiceError: The service refused.
        """
        wanted = checked(wanted)
        now = self.look()
        if not now.routing.same_as(wanted) or enable_protocols - now.protocols:
            self._known.append(wanted)
            try:
                self._send(wanted, enable_protocols)
            except ResponseLostError:
                # It may be in force anyway. A merge patch of the same rules may be repeated.
                if not self.look().routing.same_as(wanted):
                    self._send(wanted, enable_protocols)
        return self._read_back(wanted)

    def look(self) -> AgentView:
        """Read the agent; retry transient errors until the deadline.

        Raises:
            TrafficConflictError: Two reads in a row show a routing that is neither what was found nor what was set.
            RolloutError: The agent does not exist any more.
        """
        seen = self._read()
        if self._is_known(seen.routing):
            return seen
        # One read may be stale.
        self._clock.sleep(self._patience.interval_s)
        seen = self._read()
        if self._is_known(seen.routing):
            return seen
        raise TrafficConflictError(self._agent, seen=seen.routing.describe(), expected=self.last.describe())

    def put_back(self, former: Routing) -> str | None:
        """Put the former routing into force again; return the reason when that failed.

        There are a few tries, because the error that ended the rollout may occur here too.
        """
        reason = ""
        for attempt in range(PUT_BACK_TRIES):
            if attempt:
                self._clock.sleep(self._patience.interval_s)
            try:
                self.move(former.whole())
            except TrafficConflictError as error:
                return str(error)
            except Exception as error:  # noqa: BLE001 (whatever it is, the rollout's error must still say the state)
                reason = headline(error)
            else:
                return None
        return reason

    def _is_known(self, routing: Routing) -> bool:
        return any(routing.same_as(known) for known in self._known)

    def _send(self, routing: Routing, protocols: frozenset[str]) -> None:
        retry_throttled(
            lambda: self._service.set_routes(self._agent, routing.routes, enable_protocols=protocols),
            self._patience,
            self._clock,
        )

    def _read(self) -> AgentView:
        seen = retry_transient(lambda: self._service.get_agent(self._agent), self._patience, self._clock)
        if seen is None:
            raise RolloutError("the agent does not exist any more", restored=False)
        return seen

    def _read_back(self, wanted: Routing) -> AgentView:
        in_force = Until[AgentView](
            "the routing",
            "in force",
            done=lambda seen: seen.routing.same_as(wanted),
            describe=lambda seen: seen.routing.describe(),
        )
        try:
            # `look` itself retries transient errors.
            return poll(self.look, in_force, self._clock, self._patience, retried=())
        except WaitTimeoutError as timeout:
            seen = timeout.last.routing.describe() if isinstance(timeout.last, AgentView) else "nothing"
            raise RolloutError(
                f"the endpoint still shows {seen} after {timeout.waited_s:.0f} s ({timeout.polls} reads)",
                restored=False,
            ) from None
