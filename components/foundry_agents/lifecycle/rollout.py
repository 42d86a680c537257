"""Move an agent's traffic to a version, prove that it moved, and put it back when it did not.

"Active" is not "serving": a new version takes no traffic from a pinned endpoint [recorded]. First cut: all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_agents.lifecycle import remedies
from foundry_agents.lifecycle.definition import IDENTITY_FIELDS, OURS_FIELDS
from foundry_agents.lifecycle.errors import FoundryAgentsError, RolloutFailed, ServiceError, message
from foundry_agents.lifecycle.fields import Field, FieldTable, OnChange, Report, flag, number, shown
from foundry_agents.lifecycle.fingerprint import Marks
from foundry_agents.lifecycle.ports import LATEST, AgentService, AgentView, Progress, Route, VersionView
from foundry_agents.lifecycle.waiting import Clock, Patience

WHOLE = 100
"""Percent. The service accepts other sums [recorded]; we never send one."""


def _version(path: str, raw: object, report: Report) -> str | None:
    text = f"{raw:g}" if isinstance(raw, float) else str(raw)
    if text.isdigit() and int(text) > 0:
        return text
    report.add(path, f'{shown(raw)}: a version is a number, for example "8"')
    return None


def _protocol_names(path: str, raw: object, report: Report) -> list[str] | None:
    if isinstance(raw, (list, tuple)) and all(isinstance(name, str) or report.is_unknown(name) for name in raw):
        return sorted({name for name in raw if isinstance(name, str)}) or None
    report.add(path, 'must be a list of protocol names, for example ["responses"]')
    return None


ROLLOUT_FIELDS = FieldTable(
    "the rollout's settings",
    (
        *IDENTITY_FIELDS,
        Field(
            "version",
            _version,
            "The version that serves: a number of the agent's own history.",
            "service",
            on_change=OnChange.UPDATE,
            required=True,
        ),
        Field(
            "protocols",
            _protocol_names,
            "Protocols to switch on at the endpoint; what others switched on stays on.",
            "sdk",
            on_change=OnChange.UPDATE,
        ),
        *OURS_FIELDS,
        Field(
            "timeout_s",
            number(least=1, unit=" s"),
            "Give up proving that traffic has moved after this many seconds.",
            "ours",
            on_change=OnChange.IGNORE,
            default=120,
        ),
        Field(
            "poll_interval_s",
            number(least=0.1, most=60, unit=" s"),
            "Pause between two looks at the routing.",
            "ours",
            on_change=OnChange.IGNORE,
            default=1,
        ),
        Field(
            "keep_agent",
            flag,
            "On destroy leave the agent and its versions as they are.",
            "ours",
            on_change=OnChange.IGNORE,
            default=False,
        ),
    ),
)
"""Inputs of AgentRollout."""


@dataclass(frozen=True)
class RolloutPlan:
    """What is wanted.

    Attributes:
        agent: Name of the agent.
        version: The version that shall serve everything.
        protocols: Protocols that the endpoint shall answer.
        patience: How long to go on reading back.
    """

    agent: str
    version: str
    protocols: frozenset[str]
    patience: Patience


@dataclass(frozen=True)
class RolledOut:
    """What serves now, and what served before.

    Attributes:
        agent: The agent as last read.
        target: The version that serves.
        previous: The version that had most traffic before; None for a first rollout or when nothing changed.
        changed: False when everything was as asked and nothing was written.
    """

    agent: AgentView
    target: VersionView
    previous: str | None
    changed: bool


def roll_out(service: AgentService, plan: RolloutPlan, clock: Clock, progress: Progress) -> RolledOut:
    """Gives the version all traffic, and succeeds only when the service says so on reading back.

    Raises:
        RolloutFailed: The target can't serve, or the routing did not take; the routing that was found is in force
            again, or the message says that it is not.
        ServiceError: The service refused before anything was changed.
    """
    found = service.get_agent(plan.agent)
    target = service.get_version(plan.agent, plan.version)
    if found is None or target is None or target.status != "active":
        raise RolloutFailed(_unusable(plan, found, target), restored=True)
    wanted = (Route(plan.version, WHOLE),)
    missing = plan.protocols - found.protocols
    if found.routes == wanted and not missing:
        progress(f"100 % on {plan.version}, verified")
        return RolledOut(found, target, previous=None, changed=False)
    try:
        progress(f"moving traffic: 100 % on {plan.version}")
        service.set_routes(plan.agent, wanted, enable_protocols=missing)
        now = _read_back(service, plan, wanted, clock)
    except FoundryAgentsError as error:
        raise _put_back(service, plan, found, error) from None
    progress(f"100 % on {plan.version}, verified")
    return RolledOut(now, target, previous=most_traffic(found.routes, but=plan.version), changed=True)


def most_traffic(routes: Sequence[Route], *, but: str) -> str | None:
    """The numbered version with the largest share, other than ``but``."""
    others = [route for route in routes if route.version not in {but, LATEST} and route.percent]
    return max(others, key=lambda route: route.percent).version if others else None


def _read_back(service: AgentService, plan: RolloutPlan, wanted: tuple[Route, ...], clock: Clock) -> AgentView:
    start = clock.now()
    while True:
        seen = service.get_agent(plan.agent)
        if seen is not None and seen.routes == wanted:
            return seen
        if clock.now() - start >= plan.patience.timeout_s:
            shown_routes = describe(seen.routes) if seen else "the agent is gone"
            raise RolloutFailed(f"the endpoint still says: {shown_routes}", restored=False)
        clock.sleep(plan.patience.interval_s)


def _put_back(service: AgentService, plan: RolloutPlan, found: AgentView, error: FoundryAgentsError) -> RolloutFailed:
    former = found.routes or (Route(LATEST, WHOLE),)
    try:
        now = service.get_agent(plan.agent)
        if now is not None and now.routes != found.routes:
            service.set_routes(plan.agent, former)
        restored, state = True, f"the routing is as it was found: {describe(former)}"
    except FoundryAgentsError as second:
        restored = False
        state = f"the routing could NOT be put back to {describe(former)}: {str(second).splitlines()[0]}"
    return RolloutFailed(
        message(
            f"traffic of agent {plan.agent} was not moved to version {plan.version}",
            why=str(error).replace("\n", "\n  "),
            state=state,
            do="mend the cause and run `pulumi up` again: it goes on from what the endpoint says",
        ),
        restored=restored,
    )


def _unusable(plan: RolloutPlan, agent: AgentView | None, target: VersionView | None) -> str:
    seen = "is not there" if target is None else f'is "{target.status}"'
    serving = describe(agent.routes) if agent else "the agent is not there"
    return message(
        f"version {plan.agent}:{plan.version} {seen}, so it can't serve",
        state=f"no traffic was moved; {serving}",
        do="name an active version, or run `pulumi refresh` and `pulumi up` to make it again",
    )


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


@dataclass(frozen=True)
class Removed:
    """What a destroyed rollout took away.

    Attributes:
        agent: True when the agent itself is gone.
        versions: Numbers of own versions that were deleted one by one, because others share the agent.
    """

    agent: bool
    versions: tuple[str, ...] = ()


def remove(service: AgentService, agent: str, *, owner: str, force: bool) -> Removed:
    """Removes this stack's part of an agent: the whole agent when every version is ours, else our versions only.

    The agent goes in one request, so that no call meets an endpoint whose version is missing.

    Raises:
        Conflict: Sessions are active and ``force`` is off; nothing was deleted.
    """
    view = service.get_agent(agent)
    if view is None:
        return Removed(agent=True)
    versions = list(service.list_versions(agent))
    own = [version for version in versions if (marks := Marks.of(version)) and marks.owner == owner]
    try:
        if len(own) == len(versions):
            service.delete_agent(agent, force=force)
            return Removed(agent=True)
        gone: list[str] = []
        for version in own:
            if not view.percent_of(version.version):
                service.delete_version(agent, version.version, force=force)
                gone.append(version.version)
        return Removed(agent=False, versions=tuple(gone))
    except ServiceError as error:
        raise remedies.in_use(error, agent=agent, version=None) from None
