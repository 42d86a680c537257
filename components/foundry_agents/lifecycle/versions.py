"""Create or adopt a version, wait until it is active, and retire it.

A version that this stack has posted before is found by its marks and adopted, so a run that was killed, timed out or
lost an answer leaves nothing behind that the next run does not pick up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_agents.lifecycle import remedies
from foundry_agents.lifecycle.definition import AgentDefinition
from foundry_agents.lifecycle.errors import (
    AnswerLost,
    FoundryAgentsError,
    NotOursError,
    ServiceError,
    VersionFailed,
)
from foundry_agents.lifecycle.fingerprint import Marks
from foundry_agents.lifecycle.ports import LATEST, AgentService, AgentView, Progress, Route, VersionView
from foundry_agents.lifecycle.waiting import Clock, Patience, wait_for_final

USABLE = frozenset({"active", "creating"})


class Outcome(StrEnum):
    """How a version came to be."""

    ADOPTED = "adopted"
    """Our mark, same fingerprint, usable: no POST."""
    CREATED = "created"
    """Nothing to adopt: one POST."""
    REPOSTED = "reposted"
    """Our earlier try had failed: one POST with the next attempt number."""


@dataclass(frozen=True)
class VersionPlan:
    """What is wanted.

    Attributes:
        agent: Name of the agent.
        definition: What the version is.
        marks: Fingerprint and owner; the attempt is worked out here.
        patience: How long to wait for `active`.
        take_over: Manage an agent that this stack has not made.
        pull_identity: Principal that pulls the image, for the error of a failed pull; "" when not known.
    """

    agent: str
    definition: AgentDefinition
    marks: Marks
    patience: Patience
    take_over: bool = False
    pull_identity: str = ""


@dataclass(frozen=True)
class Made:
    """The result: an active version and how it came to be."""

    version: VersionView
    outcome: Outcome


def create_or_adopt(service: AgentService, plan: VersionPlan, clock: Clock, progress: Progress) -> Made:
    """Makes sure that an active version with this definition exists, with at most one POST.

    Raises:
        NotOursError: The agent exists and another stack, or nobody known, has made it; nothing was changed.
        VersionFailed: The service gave up on the version; it was removed again.
        WaitTimeout: Not active in time; the version is left for the next run to adopt.
        ServiceError: The service refused; nothing was made unless the error says so.
    """
    agent = service.get_agent(plan.agent)
    history = list(service.list_versions(plan.agent)) if agent else []
    if agent:
        _refuse_foreign(plan, history)
    same = _own_with(history, plan.marks.fingerprint, plan.marks.owner)
    adopted = _first_usable(service, same)
    if adopted:
        made = Made(_wait(service, plan, adopted, clock, progress), Outcome.ADOPTED)
    else:
        made = _post(service, plan, clock, progress, agent=agent, history=history, same=same)
    _remove_failed(service, same, progress, keep=made.version)
    progress(f"adopted {made.version.id} (same definition, no POST)" if adopted else f"{made.version.id} active")
    return made


def _post(
    service: AgentService,
    plan: VersionPlan,
    clock: Clock,
    progress: Progress,
    *,
    agent: AgentView | None,
    history: Sequence[VersionView],
    same: Sequence[VersionView],
) -> Made:
    attempt = 1 + max((marks.attempt for version in same if (marks := Marks.of(version))), default=0)
    marks = Marks(plan.marks.fingerprint, plan.marks.owner, attempt)
    if agent:
        _pin_what_serves(service, agent, history, progress)
    posted = _post_once(service, plan, marks)
    progress(f"posted {posted.id} · {posted.status}")
    version = _wait(service, plan, posted, clock, progress)
    return Made(version, Outcome.REPOSTED if attempt > 1 else Outcome.CREATED)


def _post_once(service: AgentService, plan: VersionPlan, marks: Marks) -> VersionView:
    """One POST; when its answer is lost, what it may have made is looked for before one more is sent."""
    metadata = {**(plan.definition.metadata or {}), **marks.as_metadata()}
    try:
        return service.create_version(plan.agent, plan.definition, metadata)
    except AnswerLost:
        made = [v for v in service.list_versions(plan.agent) if Marks.of(v) == marks and v.status != "deleted"]
        return made[0] if made else service.create_version(plan.agent, plan.definition, metadata)


def _refuse_foreign(plan: VersionPlan, history: Sequence[VersionView]) -> None:
    marks = [Marks.of(version) for version in history]
    if any(version.hosted is False for version in history):
        raise NotOursError(plan.agent, owner=None, reason="it is an agent of another kind (not hosted)")
    if plan.take_over or not history or any(mark and mark.owner == plan.marks.owner for mark in marks):
        return
    owner = next((mark.owner for mark in marks if mark), None)
    reason = f'the stack "{owner}" manages it' if owner else "it carries no mark of this library"
    raise NotOursError(plan.agent, owner=owner, reason=reason)


def _own_with(history: Sequence[VersionView], fingerprint: str, owner: str) -> list[VersionView]:
    return [
        version
        for version in history
        if (marks := Marks.of(version)) and marks.fingerprint == fingerprint and marks.owner == owner
    ]


def _first_usable(service: AgentService, candidates: Sequence[VersionView]) -> VersionView | None:
    """The newest candidate that is usable by a single read: a list may be stale [observed]."""
    for candidate in candidates:
        seen = service.get_version(candidate.agent, candidate.version)
        if seen and seen.status in USABLE:
            return seen
    return None


def _pin_what_serves(
    service: AgentService, agent: AgentView, history: Sequence[VersionView], progress: Progress
) -> None:
    """Pins an endpoint that follows ``@latest``, so that the new version can't take traffic before its rollout.

    Narrows a race and does not close it: someone else may un-pin between this and the POST.
    """
    serving = next((version for version in history if version.status == "active"), None)
    if agent.follows_latest and serving:
        shares: dict[str, int] = {}
        for route in agent.routes or (Route(LATEST, 100),):
            version = serving.version if route.version == LATEST else route.version
            shares[version] = shares.get(version, 0) + route.percent
        service.set_routes(agent.name, [Route(version, percent) for version, percent in shares.items()])
        progress(f"pinned the endpoint to {serving.id} while the new version is made")


def _wait(
    service: AgentService, plan: VersionPlan, version: VersionView, clock: Clock, progress: Progress
) -> VersionView:
    shown = ""

    def show(seen: VersionView | None, waited_s: float) -> None:
        nonlocal shown
        line = f"{version.id} · {seen.status if seen else 'not visible yet'} · {waited_s:.0f} s"
        if line != shown:
            progress(line)
        shown = line

    final = wait_for_final(
        lambda: service.get_version(version.agent, version.version),
        subject=f"version {version.id}",
        patience=plan.patience,
        clock=clock,
        on_read=show,
    )
    if final.status == "active":
        return final
    raise _given_up(service, plan, final)


def _given_up(service: AgentService, plan: VersionPlan, failed: VersionView) -> VersionFailed:
    """Removes the failed version and says why it failed."""
    try:
        service.delete_version(failed.agent, failed.version, force=False)
        state = f"{failed.id} was removed"
    except FoundryAgentsError as error:
        # The failure is what matters; that the clean-up failed too is part of the state. The next run removes it.
        state = f"{failed.id} could not be removed ({str(error).splitlines()[0]})"
    serving = _who_serves(service, failed)
    code = failed.error_code or failed.status
    detail = failed.error_message or "no reason was given"
    return VersionFailed(
        remedies.version_failed(
            failed, image=plan.definition.image, pull_identity=plan.pull_identity, state=f"{state}; {serving}"
        ),
        code=code,
        detail=detail,
        last=failed,
    )


def _who_serves(service: AgentService, failed: VersionView) -> str:
    try:
        agent = service.get_agent(failed.agent)
    except FoundryAgentsError:
        return "what serves could not be read"
    shares = [f"{agent.name}:{route.version} serves {route.percent} %" for route in agent.routes] if agent else []
    return ", ".join(shares) or "no version of the agent serves"


def _remove_failed(
    service: AgentService, same: Sequence[VersionView], progress: Progress, *, keep: VersionView
) -> None:
    """Failed tries of the same definition go once it is active. Left-overs do no harm, so a refusal is only told."""
    for version in same:
        if version.version == keep.version:
            continue
        try:
            seen = service.get_version(version.agent, version.version)
            if seen and seen.status == "failed":
                service.delete_version(version.agent, version.version, force=False)
        except FoundryAgentsError as error:
            progress(f"{version.id} could not be removed: {str(error).splitlines()[0]}")


class Retired(StrEnum):
    """What became of a version that its resource no longer needs."""

    DELETED = "deleted"
    GONE = "was already gone"
    SERVES = "kept: the endpoint's rules give it traffic"


def retire(service: AgentService, agent: str, version: str, *, force: bool) -> Retired:
    """Deletes a version, unless the endpoint's rules name it with traffic.

    The rules are read just before; a rule that is set between the two calls is not seen.

    Raises:
        Conflict: Sessions use it and ``force`` is off.
    """
    view = service.get_agent(agent)
    if view is None:
        return Retired.GONE
    if view.percent_of(version):
        return Retired.SERVES
    try:
        return Retired.DELETED if service.delete_version(agent, version, force=force) else Retired.GONE
    except ServiceError as error:
        raise remedies.in_use(error, agent=agent, version=version) from None
