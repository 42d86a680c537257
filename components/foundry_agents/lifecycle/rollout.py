"""Move an agent's traffic to a version in tested steps, verify each move, and restore the routing after a failure.

"Active" is not "serving": a new version gets no traffic from a pinned endpoint [recorded]. So a version is tested
before it gets traffic, then gets its share step by step; each step is read back and tested again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from foundry_agents.lifecycle.failure.deployment_errors import (
    RolloutError,
    SmokeTestError,
    TrafficConflictError,
    WaitTimeoutError,
)
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, headline, message
from foundry_agents.lifecycle.history import history_of, newest_active
from foundry_agents.lifecycle.ownership import (
    Identity,
    Owner,
    is_usable,
    no_other_claims,
    require_ownership,
    version_identity,
)
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll, retry_transient
from foundry_agents.lifecycle.retention import Kept, prune
from foundry_agents.lifecycle.rollout_messages import concurrent_change, failure, history_line
from foundry_agents.lifecycle.routing import Traffic
from foundry_agents.lifecycle.schema.durations import in_words
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.smoke import Check, Smoke, SmokeRunner, no_functions
from foundry_agents.lifecycle.views import LATEST, WHOLE, AgentView, Progress, Routing, VersionView

BAKE_LINES = 10
"""How many times a bake reads the routing and reports how much time is left."""
LONGEST_BAKE_PAUSE_S = 60.0


@dataclass(frozen=True)
class RolloutPlan:
    """What is wanted.

    Attributes:
        agent: Name of the agent.
        version: The version that is to get all traffic.
        protocols: Protocols that the endpoint must answer.
        patience: How long to read back, and how often.
        steps: Percentages on the way to 100, rising; 0 is a step before traffic.
        bake_s: How long each step lasts.
        smoke: What the version must answer, before any traffic and at each step.
        paused: Test the version, and do not move traffic.
        served: Versions that have had all traffic before. A rollback to one of them does not wait for steps and tests,
            and retention prefers to keep them.
        before: The version that served when the state was last written. Traffic goes back to it when an interrupted
            rollout has left the target with all traffic and the target fails its test.
        described: The version that the settings describe, where that is another one: a pin must not let it be pruned.
        keep: How many own versions stay; None keeps all.
        owner: Whose versions are ours.
        load_check: Return the function of a smoke test from its name; raise SmokeTestError when it can't.
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
    load_check: Callable[[str], Check] = no_functions
    claim: Callable[[Identity], None] = no_other_claims

    @property
    def proven(self) -> bool:
        """Whether the version has had all traffic before."""
        return self.version in self.served


@dataclass(frozen=True)
class RolledOut:
    """What serves now, and what served before.

    Attributes:
        agent: The agent as last read.
        target: The version that was asked for; it serves, unless the rollout is paused.
        previous: The version that had most traffic before; None for a first rollout or when nothing changed.
        changed: False when everything was as asked and nothing was written.
        history: Which versions stay and which were removed.
    """

    agent: AgentView
    target: VersionView
    previous: str | None
    changed: bool
    history: Kept = field(default_factory=Kept)


def roll_out(service: AgentService, plan: RolloutPlan, clock: Clock, progress: Progress) -> RolledOut:
    """Give the version all traffic, by its steps, and succeed only when a read confirms it.

    A rollout that was interrupted continues from what the endpoint says, never back.

    Raises:
        OwnershipError: Another stack has taken the agent over; nothing was changed.
        RolloutError: The target can't serve, did not pass its tests, or the routing was not accepted; the routing that
            was found is in force again, or the message says that it is not.
        ServiceError: The service refused before anything was changed.
    """
    found, target, check = _prepared(service, plan)
    versions = history_of(service, found, plan.patience, clock)
    _require_not_taken_over(plan, versions)
    plan.claim(version_identity(target))
    traffic = Traffic(service, found, plan.patience, clock)
    tests = None
    if plan.smoke and not plan.proven:
        tests = SmokeRunner(service, plan.agent, plan.version, plan.smoke, check, clock, plan.patience)
    missing = plan.protocols - found.protocols
    run = _Run(service, plan, clock, progress, traffic, tests, versions=versions, missing=missing)
    if not found.enabled:
        service.enable(plan.agent)
        progress(f"agent {plan.agent} was disabled; it is enabled again")
    try:
        now = run.pause(found) if plan.paused else run.move(found)
    except TrafficConflictError as error:
        raise concurrent_change(plan.agent, plan.version, error) from None
    except Exception as error:  # noqa: BLE001 (whatever failed, traffic must not stay between two steps)
        raise run.restored(found, error) from None
    history = run.pruned(now)
    progress(f"{run.summary(now)}{history_line(history)}")
    previous = found.routing.largest(but=plan.version) if traffic.moved else None
    return RolledOut(now, target, previous, traffic.moved or not found.enabled, history)


def _require_not_taken_over(plan: RolloutPlan, versions: Sequence[VersionView]) -> None:
    """Refuse a stack from which another one has taken the agent over; a stack that only moves traffic may do that.

    Raises:
        OwnershipError: Nothing was changed.
    """
    history = list(filter(is_usable, versions))
    if any(map(plan.owner.made, history)):
        require_ownership(plan.owner.of(history), history, plan.agent, take_over=False)


def _prepared(service: AgentService, plan: RolloutPlan) -> tuple[AgentView, VersionView, Check | None]:
    """Return the agent, the target and the function of the smoke test.

    Raises:
        RolloutError: Everything that can be known to be wrong before the first write.
    """
    found = service.get_agent(plan.agent)
    target = service.get_version(plan.agent, plan.version)
    wrong: list[str] = []
    if found is None or target is None or target.status != "active":
        seen = "does not exist" if target is None else f'is "{target.status}"'
        wrong.append(f"version {plan.agent}:{plan.version} {seen}, so it can't serve")
    unfit = bool(wrong)
    check = None
    try:
        if plan.smoke and plan.smoke.kind == "check":
            check = plan.load_check(plan.smoke.wanted)
    except SmokeTestError as error:
        wrong.append(f"smoke.check: {' '.join(str(error).split())}")
    if wrong or found is None or target is None:
        now = found.routing.describe() if found else "the agent does not exist"
        raise RolloutError(
            message(
                "\n".join(wrong),
                state=f"no traffic was moved; {now}",
                do="set an active version, or run `pulumi refresh` and `pulumi up` to create it again"
                if unfit
                else "correct the function's name, or make it importable where the program runs",
            ),
            restored=True,
        )
    return found, target, check


class _Run:
    """One rollout: what it needs at every step, and what it has done so far.

    Args:
        service: The data plane.
        plan: What is wanted.
        clock: The source of time.
        progress: Called with each step.
        traffic: Moves the agent's traffic.
        tests: Tests the version; None when there is nothing to test.
        versions: The agent's history when the rollout began, newest first.
        missing: Protocols to enable with the first move.
    """

    def __init__(  # noqa: PLR0917 (what it works with, each once)
        self,
        service: AgentService,
        plan: RolloutPlan,
        clock: Clock,
        progress: Progress,
        traffic: Traffic,
        tests: SmokeRunner | None,
        *,
        versions: Sequence[VersionView],
        missing: frozenset[str],
    ) -> None:
        self._service = service
        self._plan = plan
        self._clock = clock
        self._progress = progress
        self._traffic = traffic
        self._tests = tests
        self._versions = versions
        self._missing = missing
        self._stable: str | None = None
        self._found_live = Routing()

    def pause(self, found: AgentView) -> AgentView:
        """Test the version and move nothing. An endpoint that follows ``@latest`` is pinned."""
        plan = self._plan
        live = self._live(found)
        if found.follows_latest and live.percent_of(plan.version):
            self._progress(
                f"cannot test {plan.agent}:{plan.version} before it takes traffic: the endpoint followed @latest; "
                "pinning it"
            )
        if found.follows_latest or self._missing:
            self._traffic.move(live, enable_protocols=self._missing)
        self._test_before_traffic()
        return self._service.get_agent(plan.agent) or found

    def move(self, found: AgentView) -> AgentView:
        """Give the version all traffic."""
        plan = self._plan
        wanted = Routing.to(plan.version)
        if found.routing.same_as(wanted):
            self._found_live = found.routing
            if plan.before and plan.before != plan.version and self._tests and self._is_active(plan.before):
                self._stable = plan.before
            now = self._traffic.move(wanted, enable_protocols=self._missing) if self._missing else found
            self._test_through_the_endpoint(WHOLE)
            return now
        self._found_live = live = self._live(found)
        self._stable = self._stable_side(live)
        if self._stable is None:
            # Whatever the endpoint says, no other version answers: traffic can't wait for a test.
            untested = " before it is tested" if plan.smoke else ""
            self._progress(f"no other version is active: {plan.agent}:{plan.version} gets the traffic{untested}")
        elif not plan.proven:
            self._test_before_traffic()
            for percent in plan.steps:
                # An interrupted rollout continues from its share, never back.
                if percent >= live.percent_of(plan.version):
                    self._step(percent)
        if not plan.steps:
            self._progress(f"moving traffic: 100 % on {plan.version}")
        now = self._traffic.move(wanted, enable_protocols=self._missing)
        self._test_through_the_endpoint(WHOLE)
        return now

    def pruned(self, now: AgentView) -> Kept:
        """Delete old versions and return the history. What can't be deleted now is left to the next rollout."""
        try:
            return prune(
                self._service,
                now,
                versions=history_of(self._service, now, self._plan.patience, self._clock),
                owner=self._plan.owner,
                keep=self._plan.keep,
                staying=frozenset(filter(None, (self._plan.version, self._plan.described))),
                served=self._plan.served,
            )
        except FoundryAgentsError as error:
            self._progress(f"old versions could not be listed: {headline(error)}")
            return Kept()

    def summary(self, now: AgentView) -> str:
        """Return the last line of the progress."""
        if self._plan.paused:
            return f"paused: {self._plan.agent}:{self._plan.version} is ready; {now.routing.describe()}"
        return f"100 % on {self._plan.version}, verified"

    def restored(self, found: AgentView, error: Exception) -> RolloutError:
        """Restore the former routing and return the error that says what failed and what the state is."""
        plan = self._plan
        as_found = found.routing.whole()
        blamed = isinstance(error, SmokeTestError)
        if plan.paused or (blamed and self._stable is None):
            # Nothing was moved but a pin on what serves anyway, which is safer than an endpoint that follows @latest.
            state = f"the serving version was not changed: {self._traffic.last.describe()}"
            return RolloutError(failure(plan.agent, plan.version, error, state), restored=True)
        former = as_found
        if blamed and self._stable is not None and self._found_live.percent_of(plan.version):
            # The share that an interrupted rollout left the version with is not given back to it.
            former = self._found_live.without(plan.version, rest=self._stable)
        moved, is_as_found = self._traffic.moved, former.same_as(as_found)
        reason = self._traffic.put_back(former) if moved or not is_as_found else None
        if reason is not None:
            state = f"the routing could NOT be restored to {former.describe()}: {reason}"
        elif not is_as_found:
            state = f"{plan.agent}:{plan.version} gets no traffic any more; {former.describe()}"
        elif blamed and not moved:
            state = f"{plan.agent}:{plan.version} got no traffic; {former.describe()}"
        else:
            state = f"the routing is as it was found: {former.describe()}"
        return RolloutError(failure(plan.agent, plan.version, error, state), restored=reason is None)

    def _step(self, percent: int) -> None:
        if percent:
            routing = Routing.to(self._plan.version, percent, rest=self._stable)
            self._traffic.move(routing, enable_protocols=self._missing)
            self._missing = frozenset()
        self._bake(percent)
        if percent:
            self._test_through_the_endpoint(percent)
        elif self._plan.bake_s:
            self._test_before_traffic()
        self._require_active()

    def _bake(self, percent: int) -> None:
        """Watch the routing for the bake time, and stop as soon as someone else changes it."""
        bake_s = self._plan.bake_s
        if not bake_s:
            return
        shares = f"{percent} % on {self._plan.version}, {WHOLE - percent} % on {self._stable}"

        def show(_seen: AgentView | None, waited_s: float) -> None:
            if waited_s < bake_s:
                self._progress(f"{shares} · baking {in_words(bake_s - waited_s)} left")

        never = Until[AgentView]("the routing", "changed", lambda _seen: False, lambda seen: seen.routing.describe())
        pause = min(max(bake_s / BAKE_LINES, self._plan.patience.interval_s), LONGEST_BAKE_PAUSE_S)
        try:
            # `look` itself retries transient errors, and raises when someone else changes the routing.
            poll(self._traffic.look, never, self._clock, PollSettings(bake_s, pause), retried=(), on_read=show)
        except WaitTimeoutError:
            return  # the bake time is over, and nothing happened

    def _test_before_traffic(self, percent: int = 0) -> None:
        if self._tests is None:
            return
        took = self._tests.on_pinned_session(percent)
        self._progress(f"{self._tests.subject} passed ({took:.1f} s)")

    def _test_through_the_endpoint(self, percent: int) -> None:
        if self._tests is None:
            return
        if self._tests.through_the_endpoint(percent):
            self._progress(f"{self._tests.subject} passed through the endpoint at {percent} %")
        else:
            self._progress(
                f"no sampled session got a correct answer from version {self._plan.version} at {percent} %; testing it "
                "in a pinned session"
            )
            self._test_before_traffic(percent)

    def _require_active(self) -> None:
        seen = retry_transient(
            lambda: self._service.get_version(self._plan.agent, self._plan.version), self._plan.patience, self._clock
        )
        if seen is None or seen.status != "active":
            status = f'is now "{seen.status}"' if seen else "does not exist any more"
            raise SmokeTestError(f"{self._plan.agent}:{self._plan.version}", f"it was active and {status}")

    def _live(self, found: AgentView) -> Routing:
        """Return the routing with ``@latest`` resolved to the version that it serves now."""
        if not found.follows_latest:
            return found.routing.resolved(None)
        newest = newest_active(self._service, self._versions)
        return found.routing.resolved(newest.version if newest else None)

    def _stable_side(self, live: Routing) -> str | None:
        """Return the version that keeps the rest of the traffic: the active one with the largest share."""
        for route in sorted(live.routes, key=lambda route: -route.percent):
            if route.percent and route.version not in {self._plan.version, LATEST} and self._is_active(route.version):
                return route.version
        return None

    def _is_active(self, number: str) -> bool:
        seen = self._service.get_version(self._plan.agent, number)
        return seen is not None and seen.status == "active"
