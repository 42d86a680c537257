"""Which versions of an agent are deleted: after a rollout the oldest, on destroy this stack's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from foundry_agents.lifecycle import remedies
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, headline
from foundry_agents.lifecycle.failure.service_errors import ConflictError, ServiceError
from foundry_agents.lifecycle.history import history_of
from foundry_agents.lifecycle.ownership import Answer, Claim, Owner, agent_identity, is_usable
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.views import AgentView, VersionView


@dataclass(frozen=True)
class Kept:
    """The history after a rollout, newest first.

    Attributes:
        kept: Own versions that stay because they are new enough, serve, or are not settled yet.
        skipped: Own versions that stay only because something uses them, each with the reason.
        removed: Own versions that were deleted.
    """

    kept: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()


def prune(
    service: AgentService,
    agent: AgentView,
    *,
    versions: Sequence[VersionView],
    owner: Owner,
    keep: int | None,
    staying: frozenset[str],
    served: frozenset[str] = frozenset(),
) -> Kept:
    """Delete own versions beyond the newest ``keep``, and own failed ones; None keeps everything.

    ``versions`` is the agent's history, newest first, and complete.
    ``staying`` are versions that stay at any age: the one that serves and the one that the settings describe.

    Versions that have ``served`` before count as newer than those that never did: a release that failed its test must
    not displace the version for a rollback.

    Of an agent that was taken over, the newest version that this stack itself has made stays as long as others'
    versions do: without it nothing in the service would say that this stack owns the agent.

    Versions with traffic or a live session stay, and so do versions of other owners. A refused delete never fails the
    rollout: traffic has moved, and the next run tries again.
    """
    owner = owner.of(versions)
    own = [version for version in versions if owner.owns(version)]
    if keep is None:
        return Kept(kept=tuple(version.version for version in own if version.status != "failed"))
    usable = [version for version in own if is_usable(version)]
    by_worth = sorted(usable, key=lambda version: version.version not in served)
    settled = {version.version for version in by_worth[:keep]} | staying
    settled |= {version.version for version in usable if version.status != "active"}
    settled |= (serving := {version.version for version in own if agent.serves(version.version, versions)})
    if not all(map(owner.made, versions)):
        settled |= {version.version for version in list(filter(owner.made, usable))[:1]}
    going = [version for version in own if version.version not in settled and version.status not in _LEAVING]
    used = {session.version for session in service.list_sessions(agent.name) if session.live} if going else set()
    skipped = [(version.version, "traffic") for version in own if version.version in serving and version not in usable]
    removed: list[str] = []
    for version in going:
        reason = "live sessions" if version.version in used else _delete(service, version)
        if reason is None:
            removed.append(version.version)
        else:
            skipped.append((version.version, reason))
    kept = tuple(version.version for version in usable if version.version in settled)
    return Kept(kept, tuple(skipped), tuple(removed))


_LEAVING = frozenset({"deleting", "deleted"})


def _delete(service: AgentService, version: VersionView) -> str | None:
    """Delete a version; return the reason when that was refused."""
    try:
        service.delete_version(version.agent, version.version, force=False)
    except ConflictError:
        return "live sessions"
    except FoundryAgentsError as error:
        return headline(error)
    return None


@dataclass(frozen=True)
class Removed:
    """What became of an agent whose last resource was deleted.

    Attributes:
        agent: True when the agent itself is gone.
        versions: Numbers of own versions that were deleted one by one, because others share the agent.
        serving: Numbers of own versions that stay, because the endpoint's rules give them traffic.
        answer: Whether it was to be deleted at all; if not, nothing was deleted.
        reason: Why it stays.
    """

    agent: bool
    versions: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    answer: Answer = Answer.GOES
    reason: str = ""


def remove(
    service: AgentService, agent: str, *, owner: Owner, claim: Claim, force: bool, clock: Clock, patience: PollSettings
) -> Removed:
    """Delete this stack's part of an agent: the whole agent when it owns every version, else its own versions.

    The agent is deleted in one request, so that no call reaches an endpoint whose version is missing. Return when the
    service says that it is gone. Nothing is deleted without proof that this stack owns it.

    Raises:
        RemovalRefusedError: The run is limited to a part of the stack.
        ConflictError: Sessions are active and ``force`` is off; the text says what was deleted before, if anything.
        WaitTimeoutError: It was still there at the deadline.
    """
    view = service.get_agent(agent)
    if view is None:
        return Removed(agent=True)
    versions = history_of(service, view, patience, clock)
    decided = claim.on(agent_identity(view, versions))
    if decided.answer is not Answer.GOES:
        return Removed(agent=False, answer=decided.answer, reason=decided.reason)
    owner = owner.of(versions)
    own = [version for version in versions if owner.owns(version)]
    if len(own) == len(versions):
        try:
            service.delete_agent(agent, force=force)
        except ServiceError as error:
            raise remedies.in_use(error, agent=agent, version=None) from None
        _wait_until_gone(lambda: service.get_agent(agent) is None, f'agent "{agent}"', clock, patience)
        return Removed(agent=True)
    gone: list[str] = []
    serving: list[str] = []
    for version in own:
        if view.serves(version.version, versions):
            serving.append(version.version)
            continue
        try:
            service.delete_version(agent, version.version, force=force)
        except ServiceError as error:
            raise _stopped(error, version, gone) from None
        gone.append(version.version)
    for number in gone:
        _wait_until_gone(partial(_is_gone, service, agent, number), f"version {agent}:{number}", clock, patience)
    return Removed(agent=False, versions=tuple(gone), serving=tuple(serving))


def _stopped(error: ServiceError, version: VersionView, gone: Sequence[str]) -> ServiceError:
    """Return the error of a delete, and for a 409 what was deleted before it."""
    state = f"version {version.id} was not deleted; deleted before it: {', '.join(gone)}" if gone else None
    return remedies.in_use(error, agent=version.agent, version=version.version, state=state)


def _is_gone(service: AgentService, agent: str, number: str) -> bool:
    seen = service.get_version(agent, number)
    return seen is None or seen.status == "deleted"


def _wait_until_gone(is_gone: Callable[[], bool], subject: str, clock: Clock, patience: PollSettings) -> None:
    gone = Until[bool](
        subject,
        "gone",
        done=lambda is_gone: is_gone,
        describe=lambda _is_gone: "existing",
        do="run the same command again later",
        state="the service accepted the deletion and still shows it",
    )
    poll(is_gone, gone, clock, patience)
