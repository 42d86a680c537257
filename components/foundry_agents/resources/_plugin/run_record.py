"""What one run of the engine declares, and what it has created or keeps.

The engine calls `check` for all that a program declares before it deletes what the program no longer does. What is
recorded here can only keep things from being deleted; what a delete needs besides: see `lifecycle.ownership`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from foundry_agents.lifecycle.failure.errors import DuplicateDeclarationError
from foundry_agents.lifecycle.ownership import Claim, Identity, Run, claimed_twice
from foundry_agents.resources._plugin import notes
from foundry_agents.resources._plugin.notes import Note, Notes

_KINDS = {"agent_name": "agent", "toolbox_name": "toolbox", "store_name": "vector store"}
"""Inputs that say what a resource is about, and what that is."""


@dataclass(frozen=True)
class Thing:
    """The agent, toolbox or store that a resource manages.

    Attributes:
        endpoint: Of its project.
        kind: ``agent``, ``toolbox`` or ``vector store``.
        name: Its name.
    """

    endpoint: str
    kind: str
    name: str

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Thing | None:
        """Return the thing that canonical inputs are about; None when a part of it is not known yet."""
        endpoint = values.get("project_endpoint")
        for key, kind in _KINDS.items():
            if isinstance(name := values.get(key), str) and isinstance(endpoint, str):
                return cls(endpoint.rstrip("/").lower(), kind, name)
        return None

    def called_as(self, other: Thing) -> bool:
        """Return whether the other one has the same kind and name, in any project; capitals make no difference."""
        return (self.kind, self.name.lower()) == (other.kind, other.name.lower())

    @property
    def subject(self) -> str:
        """For messages."""
        return f'{self.kind} "{self.name}"'


@dataclass(frozen=True)
class Live:
    """A resource that exists after this run: declared and unchanged, or created or adopted."""

    thing: Thing
    id: str
    identity: Identity


@dataclass
class _Known:
    """What is known of this run, in this process or in another."""

    declared: dict[tuple[Thing, str], str] = field(default_factory=dict)
    """URN by thing and kind of resource."""
    again: set[Thing] = field(default_factory=set)
    """Things whose resources are replaced because of others, and may be deleted before they are declared."""
    live: dict[str, Live] = field(default_factory=dict)
    """By URN."""

    def learn(self, note: Note) -> None:
        """Read a note of another process; ignore one in another format, which another release wrote."""
        match note:
            case ("declared", endpoint, kind, name, role, urn):
                self.declared[Thing(endpoint, kind, name), role] = urn
            case ("again", endpoint, kind, name):
                self.again.add(Thing(endpoint, kind, name))
            case ("live", urn, endpoint, kind, name, id_, *identity):
                self.live[urn] = Live(Thing(endpoint, kind, name), id_, frozenset(identity))
            case ("gone", urn):
                self.live.pop(urn, None)


@dataclass
class Memory:
    """What one plugin process knows, from its start to its end.

    Attributes:
        known: What it knows of the run.
        kept: By URN, inputs that stay as they were first; see ``keep``.
        notes: Notes for the other plugin processes.
        lock: Held while any of it is read or changed: calls come at the same time.
    """

    known: _Known = field(default_factory=_Known)
    kept: dict[str, dict[str, object]] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    lock: threading.Lock = field(default_factory=threading.Lock)


_memory = Memory()


def begin() -> None:
    """Let the other plugin processes of this run see that this one is there."""
    _memory.notes.open()


def declare(values: Mapping[str, object], role: str, urn: str) -> str | None:
    """Record what a resource of the program is about.

    Args:
        values: Its canonical inputs.
        role: What kind of resource it is: an agent's version and its rollout are about one agent.
        urn: Its URN.

    Returns:
        The URN of another resource of this kind that is about the same thing; None when there is none.
    """
    if (thing := Thing.of(values)) is None:
        return None
    with _memory.lock:
        for (other, kind), its_urn in _memory.known.declared.items():
            is_same = kind == role and other.endpoint == thing.endpoint and other.called_as(thing)
            if is_same and urn and its_urn not in {"", urn}:
                return its_urn
        _memory.known.declared[thing, role] = urn
    _add("declared", *_parts(thing), role, urn)
    return None


def declare_again(values: Mapping[str, object]) -> None:
    """Record that a resource in state is replaced because of another one, so that its thing is declared still.

    Where that other one is deleted before it is replaced, so is this one, before the program has declared it again.
    """
    if (thing := Thing.of(values)) is not None:
        with _memory.lock:
            _memory.known.again.add(thing)
        _add("again", *_parts(thing))


def record_live(values: Mapping[str, object], urn: str, id_: str, identity: Identity) -> None:
    """Record what a resource stands for after this run: created, adopted, or unchanged.

    After a replacement that adopted, in a run that failed, the engine has one id twice: as what is there, and as what
    is to be deleted in the next run.
    """
    if (thing := Thing.of(values)) is not None:
        with _memory.lock:
            _memory.known.live[urn] = Live(thing, id_, identity)
        _add("live", urn, *_parts(thing), id_, *sorted(identity))


def is_replaced(urn: str) -> None:
    """Record that what a resource stood for so far is to be replaced."""
    with _memory.lock:
        was = _memory.known.live.pop(urn, None)
    if was is not None:
        _add("gone", urn)


def is_declared_as(urn: str) -> bool:
    """Return whether the program of this run has declared a resource of this URN."""
    with _memory.lock:
        return urn in _memory.known.declared.values()


def live_ids(values: Mapping[str, object], run: Run) -> set[str]:
    """Return the ids of all resources that keep things of this kind and name; none after a destroy."""
    if run.destroys or (thing := Thing.of(values)) is None:
        return set()
    known, _ = _everything()
    return {live.id for live in known.live.values() if live.thing.called_as(thing)}


def is_live(values: Mapping[str, object], id_: str, claim: Claim) -> bool:
    """Return whether a resource that stays stands for this id: the deleted resource was only replaced by it."""
    thing = Thing.of(values)
    known, _ = _everything()
    return (
        thing is not None
        and not claim.run.destroys
        and any(
            live.id == id_ and live.thing.called_as(thing) and (live.thing == thing or live.identity & claim.held)
            for live in known.live.values()
        )
    )


_UNREAD = (
    "another instance of the provider may declare it, and its notes can't be read: the folder `foundry-agents` in "
    "Pulumi's home (PULUMI_HOME, or ~/.pulumi) has to be this user's alone"
)


def claim(values: Mapping[str, object], held: Identity, urn: str) -> Claim:
    """Return what the run knows about the thing that a deleted resource held.

    Args:
        values: Its canonical inputs.
        held: The identity in its state.
        urn: What it is called in the run; "" when that is not known.
    """
    thing = Thing.of(values)
    if thing is None:
        return Claim("this resource", run=Run(unread="what it is about can't be read from its state"))
    from foundry_agents.resources._plugin.engine_process import engine, home_in  # noqa: PLC0415 (late: deletes alone need it)

    now = engine()
    known, whole = _everything()
    others_read = whole and all(
        each.home == home_in(os.environ) and notes.of(each.process, of_this_run=True) is not None
        for each in now.neighbours
    )
    # Without the engine it is not known which processes there are: this one could at least have let them know.
    alone = not now.neighbours and now.seen
    run = Run(
        destroys=now.command.verb == "destroy",
        limited=now.command.limited,
        unseen=now.unseen,
        unread="" if others_read or alone else _UNREAD,
        # In a limited run the engine asks for such a diff also to find out what depends on a target.
        declared=(thing in known.again and not now.command.limited)
        or any(each == thing for each, _role in known.declared),
        undecided=_undecided(thing, known),
        renamed=_replaced_as(thing, urn),
        live=frozenset().union(*(live.identity for live in known.live.values())),
    )
    return Claim(thing.subject, held, run)


def claim_identity(values: Mapping[str, object], role: str, urn: str) -> Callable[[Identity], None]:
    """Claim an identity for a resource, and refuse one that another resource of this kind in the program has.

    So one agent is seen to be declared twice also where its project is called by two host names.
    """
    thing = Thing.of(values)

    def take(identity: Identity) -> None:
        known, _ = _everything()
        declared = {each for (_thing, kind), each in known.declared.items() if kind == role}
        with _memory.lock:
            everything = {**known.live, **_memory.known.live}
            others = {other: live.identity for other, live in everything.items() if other in declared}
            other = claimed_twice(identity, urn, others)
            if thing and urn and identity and not other:
                was = _memory.known.live.get(urn)
                _memory.known.live[urn] = Live(thing, was.id if was else "", identity)
        if thing and other:
            raise DuplicateDeclarationError(thing.subject, shown(urn), shown(other))

    return take


def is_forced_to_replace(urn: str, name_input: str) -> bool:
    """Return whether a name that the library chose may be another one than the state's, which this run does not show.

    With ``--replace`` the engine checks a resource as if it were new.
    """
    from foundry_agents.resources._plugin.engine_process import engine  # noqa: PLC0415 (late: few runs ask)

    known = kept(urn)
    chosen = known.get("chosen")
    is_chosen = isinstance(chosen, list) and name_input in chosen
    return is_chosen and name_input not in known and engine().command.forced


def keep(urn: str, **inputs: object) -> None:
    """Record inputs of a resource in state that stay as they are, whatever the program computes now."""
    with _memory.lock:
        known = _memory.kept.setdefault(urn, {})
        known |= {name: value for name, value in inputs.items() if value is not None}


def kept(urn: str) -> Mapping[str, object]:
    """Return those inputs. A replacement is checked without the state that it replaces; the first check has had it."""
    with _memory.lock:
        return dict(_memory.kept.get(urn, {}))


def shown(urn: str) -> str:
    """Name a resource in a message."""
    return f'"{urn.rpartition("::")[2]}" ({urn.rpartition("::")[0].rpartition(":")[2] or "resource"})'


def is_replaced_with_another(values: Mapping[str, object]) -> bool:
    """Return whether the resource is only known to be replaced because of another one, and not declared yet."""
    thing = Thing.of(values)
    with _memory.lock:
        return thing in _memory.known.again and all(each != thing for each, _role in _memory.known.declared)


def _replaced_as(thing: Thing, urn: str) -> str:
    """Say under which other name the same resource was replaced without its state, if it was; "" otherwise."""
    now = _memory.known.live.get(urn)
    chosen, names = kept(urn).get("chosen"), {kind: name for name, kind in _KINDS.items()}
    if now is None or now.thing == thing or not isinstance(chosen, list):
        return ""
    if names[thing.kind] in chosen and names[thing.kind] not in kept(urn):
        return (
            f"its resource was replaced without its state and is now {now.thing.subject}; to go back, give it "
            f'{names[thing.kind]}="{thing.name}"'
        )
    return ""


def _undecided(thing: Thing, known: _Known) -> str:
    """Return a declaration under another endpoint whose identity this run has not learned; "" without one."""
    decided = {live.thing for live in known.live.values()}
    for (other, _role), urn in known.declared.items():
        if other != thing and other.called_as(thing) and other not in decided:
            return shown(urn)
    return ""


def _everything() -> tuple[_Known, bool]:
    """Return what this process and the others know; and whether this one could write its notes."""
    with _memory.lock:
        known = _Known(dict(_memory.known.declared), set(_memory.known.again), dict(_memory.known.live))
    for process in notes.others():
        for note in notes.of(process, of_this_run=False) or ():
            known.learn(note)
    return known, _memory.notes.is_open


def _parts(thing: Thing) -> tuple[str, str, str]:
    return thing.endpoint, thing.kind, thing.name


def _add(*note: str) -> None:
    _memory.notes.add(note)
