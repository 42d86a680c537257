"""Ownership: who owns something in the service, and what may be deleted.

No other module decides whether an agent, toolbox or vector store may go; ``retention`` decides which old versions of an
owned agent do.

The rule is that destruction needs proof. A name, the text of an endpoint or a missing record proves nothing: a project
has several host names, a stack or a component can be renamed, a run with targets processes its targets only.
So an agent, toolbox or vector store is deleted only when

- the service's own identity of it is known, and it is the identity that the state to be deleted holds,
- nothing that this run has made, adopted or still declares has that identity,
- and this run has processed everything that could declare it.

``docs/decisions/0012-destruction-needs-proof.md`` says where each fact comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from foundry_agents.lifecycle.failure.errors import OwnershipError, RemovalRefusedError
from foundry_agents.lifecycle.fingerprint import HasMetadata, OwnershipMetadata
from foundry_agents.lifecycle.views import AgentView, ToolboxVersionView, VersionView

NO_OWNER = "nobody"  # in users' state: it stays
"""The owner of things without ownership metadata, such as versions that a portal or a script has made. Every other
owner has two slashes."""

T = TypeVar("T", bound=HasMetadata)

Identity = frozenset[str]
"""How the service itself identifies something. Two identities with a common part are of the same thing."""


@dataclass(frozen=True)
class Owner:
    """A stack as the owner of things in the service.

    Attributes:
        name: ``organization/project/stack`` as it was when the first thing was made. It stays when the stack, its
            project or its organization is renamed, because existing metadata can't be changed.
        former: Owners that this stack has taken over from. ``no owner until 3`` stands for versions without an owner up
            to number 3, and NO_OWNER alone, in the state of earlier releases, for those of any number.
        foreign: Ids of what is not this stack's although its owner is a former one.
    """

    name: str
    former: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()

    def owns(self, thing: HasMetadata) -> bool:
        """Return whether the thing is this stack's: made by it, or taken over."""
        return self.made(thing) or (thing.id not in self.foreign and self._has_taken_over(thing))

    def _has_taken_over(self, thing: HasMetadata) -> bool:
        owner = owner_in(thing)
        return owner in self.former or (owner == NO_OWNER and _until(self.former) is not None)

    def made(self, thing: HasMetadata) -> bool:
        """Return whether this stack itself has made the thing."""
        return owner_in(thing) == self.name

    def of(self, history: Sequence[HasMetadata]) -> Owner:
        """Return the same owner with the stacks that it has taken the thing over from before.

        No stack posts to a thing that another stack manages, unless it takes it over. So a stack that has made what is
        older than this stack's first version is a former owner, whether state says so or not.

        Once another stack has made something after this stack's newest version, it has taken the thing over, and this
        stack owns only what it has made itself.

        What has no ownership metadata can be made at any time. So it counts only if state says up to which number it
        was taken over, and if it is older than this stack's first version. Its age alone proves nothing, because this
        stack's own versions before it may be pruned.

        Args:
            history: All versions, newest first.
        """
        made = [place for place, thing in enumerate(history) if self.made(thing) and is_usable(thing)]
        newest, first = (made[0], made[-1]) if made else (len(history), len(history))
        is_taken_over = any(
            owner_in(thing) not in {self.name, NO_OWNER} for thing in filter(is_usable, history[:newest])
        )
        until = self._until(history, first)
        foreign = frozenset(
            thing.id
            for thing in history
            if is_taken_over or (owner_in(thing) == NO_OWNER and not 0 < _number(thing) <= until)
        )
        older = (thing for thing in history[first:] if owner_in(thing) != NO_OWNER)
        known = self.taking_over(older)
        if until and NO_OWNER in known.former:
            known = replace(known, former=known.former - {NO_OWNER} | {_spelled(until)})
        return replace(known, foreign=foreign)

    def _until(self, history: Sequence[HasMetadata], first: int) -> int:
        """Return up to which number versions without an owner are this stack's, by state and by the history.

        The state of an earlier release has no number. Then it is the one before this stack's first version, if no
        number before that is missing: a missing one may have been this stack's, and then the rest may be newer.
        """
        if not history[first:]:
            return 0
        before = _number(history[first]) - 1
        if (until := _until(self.former)) is not None:
            return min(until, before)
        return before if NO_OWNER in self.former and len(history[first:]) - 1 == before else 0

    def taking_over(self, things: Iterable[HasMetadata]) -> Owner:
        """Return the same owner once it has taken these things over."""
        seen = list(things)
        former = self.former | {owner_in(thing) for thing in seen} - {self.name, NO_OWNER}
        if numbers := [_number(thing) for thing in seen if owner_in(thing) == NO_OWNER]:
            others = frozenset(owner for owner in former if not _UNTIL.fullmatch(owner))
            former = others | {_spelled(max(numbers))}
        return Owner(self.name, former)


_UNTIL = re.compile(r"no owner until ([0-9]{1,18})")


def _spelled(number: int) -> str:
    return f"no owner until {number}"


def _until(former: Iterable[str]) -> int | None:
    """Return up to which number versions without an owner were taken over; None where state does not say it."""
    return max((int(match[1]) for match in map(_UNTIL.fullmatch, former) if match), default=None)


def _number(thing: HasMetadata) -> int:
    """Return the number of a version, from its id, such as ``support:3``; 0 where there is none."""
    number = thing.id.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() else 0


def is_usable(thing: HasMetadata) -> bool:
    """Return whether a version has not failed and is not deleted; only then does it say who manages the thing."""
    return not (isinstance(thing, VersionView) and thing.status in {"failed", "deleting", "deleted"})


def owner_in(thing: HasMetadata) -> str:
    """Return the owner that a thing's metadata names; NO_OWNER when there is none."""
    ownership = OwnershipMetadata.of(thing)
    return ownership.owner if ownership else NO_OWNER


def require_ownership(
    owner: Owner,
    history: Sequence[HasMetadata],
    name: str,
    *,
    take_over: bool,
    kind: str = "agent",
    name_input: str = "agent_name",
) -> None:
    """Refuse an agent or toolbox that this stack may not change: another one manages it, or has taken it over since.

    Args:
        owner: This stack.
        history: All versions, newest first.
        name: Its name.
        take_over: Whether it is to be taken over.
        kind: What it is.
        name_input: The input that names it.

    Raises:
        OwnershipError: This stack does not own it.
    """
    known = [each for each in history if owner_in(each) != NO_OWNER]
    if take_over or not history or owner.owns((known or history)[0]):
        return
    newest = owner_in(known[0]) if known else None
    if any(map(owner.owns, history)):
        reason = f'the stack "{newest}" has taken it over'
    else:
        reason = f'the stack "{newest}" manages it' if newest else "it carries no ownership metadata of this library"
    raise OwnershipError(name, owner=newest, reason=reason, kind=kind, name_input=name_input)


def recorded_fingerprint(thing: HasMetadata) -> str:
    """Return the fingerprint in a thing's metadata; "" when there is none."""
    ownership = OwnershipMetadata.of(thing)
    return ownership.fingerprint if ownership else ""


def is_recorded(owner: Owner, history: Sequence[HasMetadata]) -> bool:
    """Return whether the service says that the thing is this stack's: it has made the newest version with an owner.

    Where that is not so, a stack that takes the thing over has to post. If it adopted an existing version instead, the
    former owner would still be the owner by all that the service knows, and its destroy would delete everything.

    Args:
        owner: This stack.
        history: All versions, newest first.
    """
    known = [thing for thing in history if owner_in(thing) != NO_OWNER]
    # A list may call an active version failed [observed]; where nothing else is left to go by, it counts.
    known = list(filter(is_usable, known)) or known
    return bool(known) and owner.made(known[0])


def adoptable(
    history: Sequence[T],
    owner: Owner,
    fingerprints: Collection[str],
    fingerprint_of: Callable[[T], str] = recorded_fingerprint,
) -> list[T]:
    """Return what has one of the fingerprints and may be adopted, newest first.

    Before this stack has posted a version of its own, one that it has taken over is not adopted; see is_recorded.

    Args:
        history: Everything of that name, newest first.
        owner: This stack.
        fingerprints: Any of these will do.
        fingerprint_of: Return the fingerprint of one of them; by default the recorded one.
    """
    own = owner.owns if any(map(owner.made, history)) else owner.made
    return [thing for thing in history if own(thing) and fingerprint_of(thing) in fingerprints]


def version_identity(version: VersionView) -> Identity:
    """Return the identity of a version's agent."""
    return identity(guid=version.guid, principal=version.principal_id, version=version.id, created=version.created_at)


def agent_identity(agent: AgentView, versions: Iterable[VersionView]) -> Identity:
    """Return the identity of an agent: the union of its versions' identities, because each may have its own."""
    seen = [*versions, *([agent.latest] if agent.latest else [])]
    return frozenset().union(*(version_identity(version) for version in seen))


def toolbox_identity(versions: Sequence[ToolboxVersionView], *, with_earlier_state: bool = False) -> Identity:
    """Return the identity of a toolbox: that of each of its versions.

    Args:
        versions: All its versions.
        with_earlier_state: Include the identities that the state of an earlier release holds, to compare with it.
    """
    known = [version_of_toolbox(version.id, version.created_at, version.service_id) for version in versions]
    if with_earlier_state:
        known += [version_of_toolbox(version.id, version.created_at) for version in versions]
    return frozenset().union(*known)


def version_of_toolbox(version: str, created: int, service_id: str = "") -> Identity:
    """Return the identity of a toolbox's version from what is known of it.

    Number and creation time are not unique among projects, so they count only where the service's own id is not known.

    Args:
        version: ``toolbox:number``.
        created: When it was made, in seconds since 1970.
        service_id: The service's own id [recorded]; "" where it is not known.
    """
    if service_id:
        return frozenset({f"toolbox:{service_id}"})
    return frozenset({f"toolbox:{version}@{created}"} if version and created else ())


def store_identity(store: str) -> Identity:
    """Return the identity of a vector store: the service's own id."""
    return frozenset({f"store:{store}"} if store else ())


def identity(*, guid: object = "", principal: object = "", version: object = "", created: object = 0) -> Identity:
    """Build an identity from what is known of an agent.

    The agent's GUID and its Entra principal are unique [recorded]. A version's number and creation time are not unique
    among projects, so they count only where neither is known.

    Args:
        guid: ``agent_guid``.
        principal: Object id of the agent's identity.
        version: ``agent:number``.
        created: When the version was made, in seconds since 1970.
    """
    known = {f"{kind}:{value}" for kind, value in (("guid", guid), ("principal", principal)) if value}
    if not known and version and created:
        known = {f"version:{version}@{created}"}
    return frozenset(known)


@dataclass(frozen=True)
class Run:
    """What one run of the engine knows about a thing that a resource would take away.

    Attributes:
        destroys: The run is a destroy: everything in state is to be deleted.
        limited: The option that limits the run to a part of the stack, such as ``--target``; "" without one.
        unseen: Why it is not known what the run does; "" when it is.
        unread: Why what else the run declares is not known; "" when it is.
        declared: The program of the run declares the same thing, by name and endpoint.
        undecided: Another declaration of a thing of this name, whose identity is not known; "" without one.
        renamed: Why the same resource may stand for it under another name; "" when it does not.
        live: Identities of everything that the run has made, adopted or still declares.
    """

    destroys: bool = False
    limited: str = ""
    unseen: str = ""
    unread: str = ""
    declared: bool = False
    undecided: str = ""
    renamed: str = ""
    live: frozenset[str] = frozenset()

    @property
    def keeps(self) -> bool:
        """Whether the thing is declared, so that a resource of it which is deleted has only been replaced."""
        return self.declared and not self.destroys


class Answer(StrEnum):
    """What may happen to a thing whose resource is deleted."""

    GOES = "goes"
    LIVES = "lives"
    """Something else in this run is the same thing: the resource was renamed or moved."""
    STAYS = "stays"
    """There is no proof: it is left, with a warning."""
    REFUSED = "refused"
    """The run can't be judged: the resource stays in state as well."""


@dataclass(frozen=True)
class Verdict:
    """An answer with its reason, a finished clause for a message."""

    answer: Answer
    reason: str = ""


def verdict(run: Run, *, held: Identity, found: Identity) -> Verdict:
    """Decide whether a thing may be deleted with the resource that held it.

    Args:
        run: What the run knows.
        held: The identity in the state that is to be deleted.
        found: The identity that the service gives to what is there now.
    """
    if same := _same_thing(run, found):
        return Verdict(Answer.LIVES, same)
    if foreign := _not_this_stacks(held, found):
        return Verdict(Answer.STAYS, foreign)
    if run.limited or run.unseen:
        return Verdict(Answer.REFUSED)
    if doubt := _doubt(run):
        return Verdict(Answer.STAYS, doubt)
    return Verdict(Answer.GOES)


def _same_thing(run: Run, found: Identity) -> str:
    if run.keeps:
        return "the program still declares it"
    return "another resource of the program is the same" if not run.destroys and found & run.live else ""


def _not_this_stacks(held: Identity, found: Identity) -> str:
    if not found or not held:
        return "its identity is not known, so nothing proves that it is this stack's"
    return "" if found & held else "what is there now has another identity than what this stack has made"


def _doubt(run: Run) -> str:
    if run.destroys:
        return ""  # nothing is declared
    if run.unread or run.renamed or not run.undecided:
        return run.unread or run.renamed
    return f"{run.undecided} may be the same, and what it stands for is not known yet"


@dataclass(frozen=True)
class Claim:
    """A resource that is about to be deleted, with what it holds and what its run knows.

    Attributes:
        subject: What it is about, for messages: ``agent "support"``.
        held: The identity in its state.
        run: What the run knows.
    """

    subject: str
    held: Identity = frozenset()
    run: Run = field(default_factory=Run)

    def on(self, found: Identity) -> Verdict:
        """Return the verdict on what the service has now.

        Raises:
            RemovalRefusedError: The run is limited to a part of the stack, or can't be judged.
        """
        decided = verdict(self.run, held=self.held, found=found)
        if decided.answer is Answer.REFUSED:
            raise RemovalRefusedError(
                self.subject, option=self.run.limited, unseen=self.run.unseen, destroys=self.run.destroys
            )
        return decided


def no_other_claims(_identity: Identity) -> None:
    """Accept an identity that no other resource can declare."""


def claimed_twice(identity_: Identity, mine: str, others: Mapping[str, Identity]) -> str | None:
    """Return the URN of another resource of this run that stands for the same thing; None when there is none."""
    return next((urn for urn, theirs in others.items() if urn != mine and theirs & identity_), None)
