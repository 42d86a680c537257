"""Move an agent's traffic to a version in tested steps, prove that it moved, and put it back when it did not.

"Active" is not "serving": a new version takes no traffic from a pinned endpoint [recorded]. So a version is tested in
the dark first, then gets its share step by step, each step proved by reading back and tested again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from foundry_agents.lifecycle.failure.errors import (
    FoundryAgentsError,
    RolloutError,
    SmokeTestError,
    TrafficConflictError,
    WaitTimeoutError,
    message,
)
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.ownership import Identity, Owner, no_other_claims, version_identity
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll, retry_transient
from foundry_agents.lifecycle.retention import Kept, prune
from foundry_agents.lifecycle.rollout_messages import failure, left_alone, told
from foundry_agents.lifecycle.routing import (
    WHOLE,
    Traffic,
    describe,
    live_target,
    most_traffic,
    resolved,
    same,
    shares,
    traffic,
    whole,
    without,
)
from foundry_agents.lifecycle.schema.durations import in_words
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.smoke import Smoke, SmokeRunner, load_check
from foundry_agents.lifecycle.views import LATEST, AgentView, Progress, Route, VersionView

__all__ = [
    "ROLLOUT_FIELDS",
    "Kept",
    "RolledOut",
    "RolloutPlan",
    "describe",
    "live_target",
    "most_traffic",
    "roll_out",
    "traffic",
]

BAKE_LINES = 10
"""How often a bake looks at the routing and says how much is left."""
LONGEST_BAKE_PAUSE_S = 60.0


@dataclass(frozen=True)
class RolloutPlan:
    """What is wanted.

    Attributes:
        agent: Name of the agent.
        version: The version that shall serve everything.
        protocols: Protocols that the endpoint shall answer.
        patience: How long to go on reading back.
        steps: Percentages on the way to 100, rising; 0 is a step in the dark.
        bake_s: How long each step lasts.
        smoke: What the version must answer, before any traffic and at each step.
        paused: Test, and leave traffic where it is.
        served: Versions that have served everything before. The way back to one of them is not made to wait for steps
            and tests, and they are worth keeping.
        before: The version that served when the state was last written: where to go back to when an interrupted
            rollout has left the target with everything and it fails its test.
        described: The version that the settings describe, where that is another one: a pin must not let it be pruned.
        keep: How many own versions stay; None keeps all.
        owner: Whose versions are ours.
        claim: Called with the identity of the target's agent before anything is changed; raises when another rollout of
            the program has the same one.
    """

    agent: str
    version: str
    protocols: frozenset[str]
    patience: PollSettings
    steps: tuple[int, ...] = ()
    bake_s: float = 0
    smoke: Smoke | None = None
    paused: bool = False
    served: frozenset[str] = frozenset()
    before: str | None = None
    described: str | None = None
    keep: int | None = None
    owner: Owner = field(default_factory=lambda: Owner(""))
    claim: Callable[[Identity], None] = no_other_claims

    @property
    def proven(self) -> bool:
        """Whether the version has served everything before."""
        return self.version in self.served


@dataclass(frozen=True)
class RolledOut:
    """What serves now, and what served before.

    Attributes:
        agent: The agent as last read.
        target: The version that was asked for; it serves, unless the rollout is paused.
        previous: The version that had most traffic before; None for a first rollout or when nothing changed.
        changed: False when everything was as asked and nothing was written.
        history: Which versions stay and went.
    """

    agent: AgentView
    target: VersionView
    previous: str | None
    changed: bool
    history: Kept = field(default_factory=Kept)


def roll_out(service: AgentService, plan: RolloutPlan, clock: Clock, progress: Progress) -> RolledOut:
    """Gives the version all traffic, by its steps, and succeeds only when the service says so on reading back.

    A rollout that was killed goes on from what the endpoint says, never back.

    Raises:
        RolloutError: The target can't serve, did not prove itself, or the routing did not take; the routing that was
            found is in force again, or the message says that it is not.
        ServiceError: The service refused before anything was changed.
    """
    found = service.get_agent(plan.agent)
    target = service.get_version(plan.agent, plan.version)
    run = _Run(service, plan, clock, progress)
    found, target = run.prepared(found, target)
    previous = most_traffic(found.routes, but=plan.version)
    if not found.enabled:
        service.enable(plan.agent)
        progress(f"agent {plan.agent} was switched off; it is on again")
    try:
        now = run.pause(found) if plan.paused else run.move(found)
    except TrafficConflictError as error:
        raise left_alone(plan.agent, plan.version, error) from None
    except Exception as error:  # noqa: BLE001 (whatever went wrong, traffic must not stay half way)
        raise run.put_back(found, error) from None
    history = run.tidied(now)
    progress(f"{run.ended(now)}{told(history)}")
    changed = run.moved or not found.enabled
    return RolledOut(now, target, previous if run.moved else None, changed, history)


class _Run:
    """One rollout: what it needs at every step, and what it has done so far."""

    def __init__(self, service: AgentService, plan: RolloutPlan, clock: Clock, progress: Progress) -> None:
        self._service = service
        self._plan = plan
        self._clock = clock
        self._progress = progress
        self._traffic: Traffic | None = None
        self._prover: SmokeRunner | None = None
        self._stable: str | None = None
        self._found_live: tuple[Route, ...] = ()
        self._missing: frozenset[str] = frozenset()

    @property
    def moved(self) -> bool:
        """Whether the routing was written."""
        return self._traffic is not None and self._traffic.moved

    def prepared(self, found: AgentView | None, target: VersionView | None) -> tuple[AgentView, VersionView]:
        """Checks what can be known before the first write, all of it at once."""
        plan = self._plan
        wrong: list[str] = []
        if found is None or target is None or target.status != "active":
            seen = "is not there" if target is None else f'is "{target.status}"'
            wrong.append(f"version {plan.agent}:{plan.version} {seen}, so it can't serve")
        check = None
        try:
            check = load_check(plan.smoke)
        except SmokeTestError as error:
            wrong.append(f"smoke.check: {' '.join(str(error).split())}")
        if wrong or found is None or target is None:
            raise RolloutError(
                message(
                    "\n".join(wrong),
                    state=f"no traffic was moved; {describe(found.routes) if found else 'the agent is not there'}",
                    do="name an active version, or run `pulumi refresh` and `pulumi up` to make it again"
                    if found is None or target is None or target.status != "active"
                    else "mend the function's name, or make it importable where the program runs",
                ),
                restored=True,
            )
        plan.claim(version_identity(target))
        self._missing = plan.protocols - found.protocols
        self._traffic = Traffic(self._service, found, plan.patience, self._clock)
        if plan.smoke and not plan.proven:
            self._prover = SmokeRunner(
                self._service, plan.agent, plan.version, plan.smoke, check, self._clock, plan.patience
            )
        return found, target

    def pause(self, found: AgentView) -> AgentView:
        """Tests the version and moves nothing, but for an endpoint that follows ``@latest``: it is pinned."""
        assert self._traffic is not None
        plan = self._plan
        live = self._live(found)
        if found.follows_latest and _share(live, plan.version):
            self._progress(f"{plan.agent}:{plan.version} can't be dark: the endpoint followed @latest; pinning it")
        if found.follows_latest or self._missing:
            self._traffic.move(live, enable_protocols=self._missing)
        self._test_in_the_dark()
        return self._service.get_agent(plan.agent) or found

    def move(self, found: AgentView) -> AgentView:
        """Takes the version to all traffic."""
        assert self._traffic is not None
        plan = self._plan
        wanted = shares(plan.version, WHOLE, None)
        if same(found.routes, wanted):
            self._found_live = found.routes
            if plan.before and plan.before != plan.version and self._prover and self._is_active(plan.before):
                self._stable = plan.before
            now = self._traffic.move(wanted, enable_protocols=self._missing) if self._missing else found
            self._test_through_the_endpoint(WHOLE)
            return now
        self._found_live = live = self._live(found)
        self._stable = self._stable_side(live)
        if self._stable is None:
            # Whatever the endpoint says, no other version answers: traffic can't wait for a test.
            self._progress(f"{plan.agent}:{plan.version} can't be dark: no other version answers; pinning it")
        elif not plan.proven:
            self._test_in_the_dark()
            for percent in plan.steps:
                # A killed rollout goes on from its share, never back.
                if percent >= _share(live, plan.version):
                    self._step(percent)
        if not plan.steps:
            self._progress(f"moving traffic: 100 % on {plan.version}")
        now = self._traffic.move(wanted, enable_protocols=self._missing)
        self._test_through_the_endpoint(WHOLE)
        return now

    def tidied(self, now: AgentView) -> Kept:
        """The history after the rollout. What can't be tidied now is left to the next one."""
        try:
            return prune(
                self._service,
                now,
                owner=self._plan.owner,
                keep=self._plan.keep,
                staying=frozenset(filter(None, (self._plan.version, self._plan.described))),
                served=self._plan.served,
            )
        except FoundryAgentsError as error:
            self._progress(f"old versions could not be looked at: {str(error).splitlines()[0]}")
            return Kept()

    def ended(self, now: AgentView) -> str:
        """The last line."""
        if self._plan.paused:
            return f"paused: {self._plan.agent}:{self._plan.version} is ready; {describe(now.routes)}"
        return f"100 % on {self._plan.version}, verified"

    def put_back(self, found: AgentView, error: Exception) -> RolloutError:
        """Puts the former routing back and gives the error that tells what failed and what the state is."""
        assert self._traffic is not None
        plan = self._plan
        former = whole(found.routes)
        blamed = isinstance(error, SmokeTestError)
        if plan.paused or (blamed and self._stable is None):
            # Nothing was moved but a pin on what serves anyway, which is safer than an endpoint that follows @latest.
            state = f"who serves was not changed: {describe(self._traffic.last)}"
            return RolloutError(failure(plan.agent, plan.version, error, state), restored=True)
        if blamed and self._stable is not None and _share(self._found_live, plan.version):
            # The share that an interrupted rollout left the version with is not given back to it.
            former = without(self._found_live, plan.version, self._stable)
        as_found = same(former, whole(found.routes))
        reason = self._traffic.put_back(former) if self.moved or not as_found else None
        if reason is not None:
            state = f"the routing could NOT be put back to {describe(former)}: {reason}"
        elif not as_found:
            state = f"{plan.agent}:{plan.version} gets no traffic any more; {describe(former)}"
        elif blamed and not self.moved:
            state = f"{plan.agent}:{plan.version} got no traffic; {describe(former)}"
        else:
            state = f"the routing is as it was found: {describe(former)}"
        return RolloutError(failure(plan.agent, plan.version, error, state), restored=reason is None)

    def _step(self, percent: int) -> None:
        assert self._traffic is not None
        if percent:
            self._traffic.move(shares(self._plan.version, percent, self._stable), enable_protocols=self._missing)
            self._missing = frozenset()
        self._bake(percent)
        if percent:
            self._test_through_the_endpoint(percent)
        elif self._plan.bake_s:
            self._test_in_the_dark()
        self._still_active()

    def _at(self, percent: int) -> str:
        return f"{percent} % on {self._plan.version}, {WHOLE - percent} % on {self._stable}"

    def _bake(self, percent: int) -> None:
        """Watch the routing for the bake time, and stop as soon as someone else changes it."""
        bake_s = self._plan.bake_s
        if not bake_s:
            return
        traffic = self._traffic
        assert traffic is not None

        def show(_seen: AgentView | None, waited_s: float) -> None:
            if waited_s < bake_s:
                self._progress(f"{self._at(percent)} · baking {in_words(bake_s - waited_s)} left")

        changed = Until[AgentView]("the routing", "changed", lambda _seen: False, lambda seen: describe(seen.routes))
        pause = min(max(bake_s / BAKE_LINES, self._plan.patience.interval_s), LONGEST_BAKE_PAUSE_S)
        try:
            # The deadline is the good end. `look` itself retries transient errors.
            poll(traffic.look, changed, self._clock, PollSettings(bake_s, pause), retried=(), on_read=show)
        except WaitTimeoutError:
            return

    def _test_in_the_dark(self, percent: int = 0) -> None:
        if self._prover is None:
            return
        took = self._prover.on_pinned_session(percent)
        self._progress(f"{self._prover.subject} passed ({took:.1f} s)")

    def _test_through_the_endpoint(self, percent: int) -> None:
        if self._prover is None:
            return
        if self._prover.through_the_endpoint(percent):
            self._progress(f"{self._prover.subject} passed through the endpoint at {percent} %")
        else:
            self._progress(
                f"chance gave {self._plan.version} none of the fresh sessions at {percent} %: asking it alone"
            )
            self._test_in_the_dark(percent)

    def _still_active(self) -> None:
        seen = retry_transient(
            lambda: self._service.get_version(self._plan.agent, self._plan.version), self._plan.patience, self._clock
        )
        if seen is None or seen.status != "active":
            status = f'is "{seen.status}"' if seen else "is gone"
            raise SmokeTestError(f"{self._plan.agent}:{self._plan.version}", f"it was active and now {status}")

    def _live(self, found: AgentView) -> tuple[Route, ...]:
        """The routing with ``@latest`` resolved to the version that it serves now."""
        newest = self._newest_active() if found.follows_latest else None
        return resolved(found.routes, newest) if newest else whole(found.routes)

    def _stable_side(self, live: Sequence[Route]) -> str | None:
        """The version that keeps what the target does not get: the largest active one that was found."""
        for route in sorted(live, key=lambda route: -route.percent):
            if route.percent and route.version not in {self._plan.version, LATEST} and self._is_active(route.version):
                return route.version
        return None

    def _newest_active(self) -> str | None:
        # A list may be stale [observed]: a single read has the last word.
        for version in self._service.list_versions(self._plan.agent):
            if version.status == "active" and self._is_active(version.version):
                return version.version
        return None

    def _is_active(self, number: str) -> bool:
        seen = self._service.get_version(self._plan.agent, number)
        return seen is not None and seen.status == "active"


def _share(routes: Sequence[Route], version: str) -> int:
    return sum(route.percent for route in routes if route.version == version)
