"""The judge: what the program declares against what is there, what was deleted and what state says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.engine.matrix.program import KINDS, RENAMED, Settings
from tests.engine.matrix.world import World, missing
from tests.support.harness import Run

What = Literal["loss", "left-over", "state lie", "refusal", "unspecified refusal", "replacement"]
BAD: tuple[What, ...] = ("loss", "left-over", "state lie", "unspecified refusal", "replacement")
"""Of these there is none."""
_OF_ERROR = re.compile(r"^ {2}(\S+) \(([^)]+)\):\n((?: {4}.*\n?|\n)*)", re.MULTILINE)
_KIND_OF = {
    "support": "agent",
    "pair": "pair",
    "box": "toolbox",
    "faq": "store",
    "shop": "project",
    "images": "registry",
}
_KIND_OF |= {RENAMED[name]: kind for name, kind in _KIND_OF.items()}


@dataclass(frozen=True)
class Finding:
    """Something that is not as specified, or a refusal.

    Attributes:
        kind: Of resource.
        what: Which sort of finding.
        text: What was seen, and after which step.
    """

    kind: str
    what: What
    text: str


@dataclass(frozen=True)
class Wanted:
    """What is specified after one step.

    Attributes:
        step: Name of the step.
        declared: The program whose things have to be there.
        keeps: Kinds of these that must not be lost; what a target or an exclusion takes away is not among them.
        same: Kinds whose things are the very ones that there were.
        whole: An untargeted run: nothing that is not declared is left.
        refuses: Kinds that may refuse.
        retained: What the run retains on purpose is not left over.
        empty: After a destroy: nothing is declared.
    """

    step: str
    declared: Settings
    keeps: tuple[str, ...] = KINDS
    same: tuple[str, ...] = KINDS
    whole: bool = True
    refuses: tuple[str, ...] = ()
    retained: bool = False
    empty: bool = False


@dataclass(frozen=True)
class Seen:
    """What there is after a step.

    Attributes:
        run: The command that ended it.
        world: What the service has.
        state: Resources of the stack.
        deleted: Paths of successful DELETEs since the beginning, in lower case.
    """

    run: Run
    world: World
    state: Sequence[Mapping[str, Any]]
    deleted: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Names:
    """What a program calls its things in the service."""

    agents: Mapping[str, str]
    toolboxes: frozenset[str]
    store: str | None

    @classmethod
    def of(cls, given: Settings) -> Names:
        """Return agents with their kind, toolboxes, and the store."""
        agents: dict[str, str] = {}
        toolboxes = set[str]()
        if "agent" in given.declares:
            agents[_name(given, "agent", "support")] = "agent"
            toolboxes.add(_name(given, "agent", "support"))
        if "pair" in given.declares:
            agents["pair"] = "pair"
        if "toolbox" in given.declares:
            toolboxes.add("box")
        store = _name(given, "store", "faq") if "store" in given.declares else None
        return cls(agents, frozenset(toolboxes), store)


class Judge:
    """Judges every step of one stack.

    Args:
        before: What was there when the stack was up and nothing had happened.
        seeded: ARM ids that the stack does not make.
    """

    def __init__(self, before: World, seeded: frozenset[str]) -> None:
        self._before = before
        self._seeded = seeded

    def findings(self, wanted: Wanted, seen: Seen) -> list[Finding]:
        """Return everything that is not as specified."""
        found = [*self._refusals(wanted, seen.run), *self._losses(wanted, seen)]
        if seen.run.code == 0 and wanted.whole and not wanted.retained:
            found += self._left_overs(wanted, seen)
        found += self._lies(wanted, seen)
        return [Finding(one.kind, one.what, f"after {wanted.step}: {one.text}") for one in found]

    def _refusals(self, wanted: Wanted, run: Run) -> Iterator[Finding]:
        if run.code == 0:
            return
        named = _errors_by_kind(run.output)
        for kind in named or KINDS:
            as_specified = kind in wanted.refuses and "Traceback" not in run.output
            text = _sentence(named.get(kind, run.output))
            yield Finding(kind, "refusal" if as_specified else "unspecified refusal", text)

    def _losses(self, wanted: Wanted, seen: Seen) -> Iterator[Finding]:
        if wanted.empty and not wanted.retained:
            return
        yield from self._lost_agents(wanted, seen)
        yield from self._lost_tools(wanted, seen)
        yield from self._lost_in_arm(wanted, seen)

    def _lost_agents(self, wanted: Wanted, seen: Seen) -> Iterator[Finding]:
        names, world, well = Names.of(wanted.declared), seen.world, seen.run.code == 0
        for name, kind in names.agents.items():
            before, now = self._before.agents.get(name), world.agents.get(name)
            if kind not in wanted.keeps or not (well or (before is not None and kind in wanted.same)):
                continue
            if now is None:
                yield Finding(kind, "loss", f"the agent {name} is gone")
            elif before is not None and before.guid != now.guid and kind in wanted.same:
                yield Finding(kind, "loss", f"the agent {name} was deleted and made again")
            elif not now.serves:
                yield Finding(kind, "loss", f"the agent {name} does not serve: {now.shares} of {now.versions}")

    def _lost_tools(self, wanted: Wanted, seen: Seen) -> Iterator[Finding]:
        names, world, well = Names.of(wanted.declared), seen.world, seen.run.code == 0
        if "toolbox" in wanted.keeps:
            for name in names.toolboxes:
                there_before = name in self._before.toolboxes and "toolbox" in wanted.same
                if not world.toolboxes.get(name) and (well or there_before):
                    yield Finding("toolbox", "loss", f"the toolbox {name} is gone")
            for name, number in world.called:
                if number not in world.toolboxes.get(name, {}):
                    yield Finding("toolbox", "loss", f"an agent calls {name}:{number}, which is gone")
        if "store" in wanted.keeps:
            there_before = "store" in wanted.same and not self._is_new(wanted, "store")
            if names.store and names.store not in world.stores.values() and (well or there_before):
                yield Finding("store", "loss", f"the vector store {names.store} is gone")
            for identity in world.searched - set(world.stores):
                yield Finding("store", "loss", f"a toolbox searches {identity}, which is gone")

    def _lost_in_arm(self, wanted: Wanted, seen: Seen) -> Iterator[Finding]:
        """Find accounts, projects and registries that are declared but were deleted or have another id."""
        for identity in sorted(self._before.arm - self._seeded):
            kind = _kind_in_arm(identity)
            if kind == "agent" or kind not in wanted.keeps or "/roleassignments/" in identity:
                continue
            if not _declares(wanted.declared, kind) or self._is_new(wanted, kind):
                continue
            if seen.run.code and kind not in wanted.same:
                continue
            if identity not in seen.world.arm:
                yield Finding(kind, "loss", f"{_short(identity)} is gone")
            elif identity in seen.deleted and kind in wanted.same:
                yield Finding(kind, "loss", f"{_short(identity)} was deleted and made again")

    def _is_new(self, wanted: Wanted, kind: str) -> bool:
        """Return whether a rename made it another thing: its name in Azure is neither given nor kept by an alias."""
        given = wanted.declared
        return given.renamed and not given.aliases and kind in given.moved and not given.names

    def _left_overs(self, wanted: Wanted, seen: Seen) -> Iterator[Finding]:
        world = seen.world
        names = Names({}, frozenset(), None) if wanted.empty else Names.of(wanted.declared)
        for name in sorted(set(world.agents) - set(names.agents)):
            versions = ", ".join(world.agents[name].versions) or "no version"
            yield Finding("pair" if name == "pair" else "agent", "left-over", f"the agent {name} with {versions}")
        in_state = {str(one.get("id", "")).lower() for one in seen.state}
        for name, versions_of in world.toolboxes.items():
            if name not in names.toolboxes:
                yield Finding("toolbox", "left-over", f"the toolbox {name} with {', '.join(versions_of)}")
                continue
            for number in versions_of:
                if f"{name}:{number}".lower() not in in_state and (name, number) not in world.called:
                    yield Finding("toolbox", "left-over", f"{name}:{number}, which no agent calls")
        for identity, name in world.stores.items():
            if name != names.store or (identity.lower() not in in_state and identity not in world.searched):
                yield Finding("store", "left-over", f"the vector store {name} ({identity}), which no agent searches")
        if wanted.empty and world.files:
            yield Finding("store", "left-over", f"{len(world.files)} uploaded files")
        for identity in sorted(world.arm - self._seeded - in_state):
            yield Finding(_kind_in_arm(identity), "left-over", f"{_short(identity)}, which is in no state")

    def _lies(self, wanted: Wanted, seen: Seen) -> Iterator[Finding]:
        well = seen.run.code == 0
        live = [one for one in seen.state if not one.get("delete")]
        for resource in live:
            if text := missing(resource, seen.world, exactly=well and wanted.whole):
                yield Finding(kind_of(str(resource["urn"]).rpartition("::")[2]), "state lie", text)
        if not well or wanted.retained or wanted.empty:
            return
        names = Names.of(wanted.declared)
        held = {str(one.get("id", "")).rpartition(":")[0] for one in live if str(one["type"]).endswith("Version")}
        for name, kind in names.agents.items():
            if kind in wanted.keeps and name in seen.world.agents and name not in held:
                yield Finding(kind, "state lie", f"the agent {name} is there and in no state")
        stores = {str(one.get("id", "")) for one in live if str(one["type"]).endswith("VectorStore")}
        if "store" in wanted.keeps and names.store in seen.world.stores.values() and not stores & {*seen.world.stores}:
            yield Finding("store", "state lie", f"the vector store {names.store} is there and in no state")


def kind_of(name: str) -> str:
    """Return the kind that a resource of this name in Pulumi belongs to."""
    if name.endswith("-toolbox"):
        return "toolbox"
    return next((kind for start, kind in _KIND_OF.items() if name.startswith(start)), "agent")


def _name(given: Settings, kind: str, name: str) -> str:
    is_new = given.renamed and kind in given.moved and not given.aliases
    return given.names.get(kind) or (RENAMED[name] if is_new else name)


def _declares(given: Settings, kind: str) -> bool:
    return kind in given.declares or (kind == "project" and "registry" in given.declares)


def _kind_in_arm(identity: str) -> str:
    if "/registries/" in identity:
        return "registry"
    return "agent" if "/accounts/agents-account/" in identity else "project"


def _short(identity: str) -> str:
    return identity.partition("/providers/")[2] or identity


def _errors_by_kind(output: str) -> Mapping[str, str]:
    """Return the error of each kind's resources; nothing for an error of the program."""
    found: dict[str, str] = {}
    for type_token, name, text in _OF_ERROR.findall(output.partition("Diagnostics:\n")[2]):
        if "error:" in text and type_token != "pulumi:pulumi:Stack":
            found.setdefault(kind_of(name), text)
    return found


def _sentence(output: str) -> str:
    errors = [line.partition("error: ")[2] for line in output.splitlines() if "error: " in line]
    raised = re.findall(r"^\s*(\w+(?:Error|Exception): .*)$", output, re.MULTILINE) if "Traceback" in output else []
    texts = [text for text in errors if text and "update failed" not in text]
    return " / ".join(["; ".join(texts[:1])[:240] or "no error is shown", *raised[-1:]])
