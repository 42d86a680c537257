"""The order in which the engine calls a provider, without the engine: for thousands of runs in a minute.

What the model does is what Pulumi 3.259 does with dynamic resources: a resource is checked with the state's inputs and
compared with the state's outputs; a replacement is checked once more without the state and created before the old one
is deleted, last of all; targets limit all of that; a destroy checks nothing. Each provider instance is a plugin process
with a memory of its own. The tests on the real engine prove the same for single moves.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from foundry_agents.lifecycle.views import VersionView
from foundry_agents.resources import agent_rollout, hosted_agent_version
from foundry_agents.resources._plugin import engine_process, run_record
from foundry_agents.resources._plugin import notes as notes_module
from foundry_agents.resources._plugin.engine_process import Command, Engine
from foundry_agents.resources._plugin.table_provider import TableProvider
from foundry_agents.resources.agent_rollout import AgentRolloutProvider
from foundry_agents.resources.hosted_agent_version import HostedAgentVersionProvider
from foundry_agents.testing import FastClock, MemoryService

VERSION, ROLLOUT = HostedAgentVersionProvider(), AgentRolloutProvider()

_guids = itertools.count(1)


@dataclass
class Service(MemoryService):
    """A service in memory whose agents have identities, as the real one's have."""

    guids: dict[str, str] = field(default_factory=dict)

    def create_version(self, agent: str, definition: Any, metadata: Mapping[str, str]) -> VersionView:
        """Return the identity of an agent; its first version gets a new one."""
        if not self.versions.get(agent):
            self.guids[agent] = f"guid-{next(_guids)}"
        made = super().create_version(agent, definition, metadata)
        made = replace(made, guid=self.guids[agent], principal_id=f"principal-of-{self.guids[agent]}", created_at=1)
        self.versions[agent][made.version] = made
        return made


class Killed(Exception):
    """The engine and its plugins have ended in the middle of a run."""


@dataclass(frozen=True)
class Declared:
    """A resource of a program.

    Attributes:
        urn: Where it is now.
        aliases: Where it may have been before.
        provider: Whose it is.
        instance: Which instance of the provider.
        inputs: From the outputs of what was declared before it.
    """

    urn: str
    provider: TableProvider
    inputs: Callable[[Mapping[str, Mapping[str, Any]]], dict[str, Any]]
    aliases: frozenset[str] = frozenset()
    instance: str = "default"


@dataclass
class InState:
    """A resource in state."""

    urn: str
    provider: TableProvider
    instance: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    pending_delete: bool = False


@dataclass
class Stack:
    """A stack, and the runs of the engine on it.

    Attributes:
        services: The service behind each host name.
        state: What is in state, in the order in which it was made.
        errors: What the last run failed with.
    """

    services: Mapping[str, Service]
    state: list[InState] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def up(
        self,
        program: Sequence[Declared],
        *,
        targets: frozenset[str] | None = None,
        excludes: frozenset[str] = frozenset(),
        replaces: frozenset[str] = frozenset(),
        kill_after: int | None = None,
        notes: bool = True,
    ) -> bool:
        """Run `pulumi up` once and return whether it succeeded."""
        option = "--target" if targets is not None else "--exclude" if excludes else ""
        command = Command("up", option, forced=bool(replaces))

        def included(urn: str) -> bool:
            return (targets is None or urn in targets) and urn not in excludes

        with self._run(command, notes=notes) as run:
            try:
                self._register(run, program, included, replaces, kill_after)
            except Killed:
                return False
            if not self.errors:
                declared = {urn for each in program for urn in (each.urn, *each.aliases)}
                gone = [each for each in self.state if each.pending_delete or each.urn not in declared]
                self._delete(run, [each for each in reversed(gone) if included(each.urn)])
        return not self.errors

    def destroy(self, *, targets: frozenset[str] | None = None, notes: bool = True) -> bool:
        """Run `pulumi destroy` once and return whether it succeeded."""
        with self._run(Command("destroy", "" if targets is None else "--target"), notes=notes) as run:
            going = [each for each in reversed(self.state) if targets is None or each.urn in targets]
            self._delete(run, going)
        return not self.errors

    def refresh(self) -> None:
        """One `pulumi refresh`."""
        with self._run(Command("", ""), notes=True) as run:
            for each in list(self.state):
                with run.process(each.instance):
                    seen = each.provider.read(each.id, each.outputs)
                    if not seen.id:
                        self.state.remove(each)
                        continue
                    each.outputs = _plain(seen.outs)
                    each.inputs = _plain(seen.inputs) if seen.inputs else each.inputs
                    each.provider.diff(each.id, each.outputs, each.inputs)

    def _register(
        self,
        run: _Run,
        program: Sequence[Declared],
        included: Callable[[str], bool],
        replaces: frozenset[str],
        kill_after: int | None,
    ) -> None:
        outputs: dict[str, Mapping[str, Any]] = {}
        for number, each in enumerate(program):
            former = {each.urn, *each.aliases}
            old = next((held for held in self.state if held.urn in former and not held.pending_delete), None)
            if old:
                old.urn = each.urn
            if not included(each.urn):
                if old is None:
                    return  # what depends on it can't be made either
                outputs[each.urn] = old.outputs
                continue
            try:
                with run.process(each.instance):
                    outputs[each.urn] = self._step(each, old, each.inputs(outputs), forced=each.urn in replaces)
            except Killed:
                raise
            except Exception as error:  # noqa: BLE001 (the engine goes on after any error of a provider)
                self.errors.append(str(error))
                return
            if kill_after == number:
                raise Killed

    def _step(self, each: Declared, old: InState | None, news: dict[str, Any], *, forced: bool) -> Mapping[str, Any]:
        checked = each.provider.check({} if forced or old is None else old.inputs, news)
        if checked.failures:
            raise ValueError(checked.failures[0].reason)
        if old is not None and not forced:
            diff = each.provider.diff(old.id, old.outputs, checked.inputs)
            if not diff.changes:
                old.inputs, old.instance = checked.inputs, each.instance
                return old.outputs
            if not diff.replaces:
                old.outputs = _plain(each.provider.update(old.id, old.outputs, checked.inputs).outs)
                old.inputs, old.instance = checked.inputs, each.instance
                return old.outputs
            checked = each.provider.check({}, news)
        made = each.provider.create(dict(checked.inputs))
        if old is not None:
            old.pending_delete = True
        new = InState(each.urn, each.provider, each.instance, made.id, checked.inputs, _plain(made.outs))
        self.state.append(new)
        return new.outputs

    def _delete(self, run: _Run, going: Sequence[InState]) -> None:
        for each in going:
            try:
                with run.process(each.instance):
                    each.provider.delete(each.id, each.outputs)
            except Exception as error:  # noqa: BLE001 (what is not deleted stays in state, and what it depends on too)
                self.errors.append(str(error))
                return
            self.state.remove(each)

    @contextmanager
    def _run(self, command: Command, *, notes: bool) -> Iterator[_Run]:
        self.errors.clear()
        run = _Run(command, notes=notes)
        with ExitStack() as patches:
            for module in (hosted_agent_version, agent_rollout):
                patches.enter_context(mock.patch.object(module, "service_of", self._service))
                patches.enter_context(mock.patch.object(module, "SystemClock", FastClock))
            patches.enter_context(mock.patch.object(engine_process, "engine", run.engine))
            patches.enter_context(mock.patch.object(notes_module, "others", run.others))
            patches.enter_context(mock.patch.object(notes_module, "of", run.notes_of))
            yield run

    def _service(self, project_endpoint: str) -> Service:
        return self.services[project_endpoint.split("/")[2]]


class _Lines:
    """The notes of a process, in memory."""

    def __init__(self, *, works: bool) -> None:
        self.is_open = works
        self.lines: list[tuple[str, ...]] = []

    def open(self) -> None:
        """They are open from the start."""

    def add(self, note: tuple[str, ...]) -> None:
        """Keep a note."""
        self.lines.append(note)


class _Run:
    """One run: its command, and a memory for each plugin process."""

    def __init__(self, command: Command, *, notes: bool) -> None:
        self._command = command
        self._works = notes
        self._processes: dict[str, run_record.Memory] = {}
        self._now = ""

    @contextmanager
    def process(self, instance: str) -> Iterator[None]:
        """Make calls inside come from the plugin process of this instance."""
        if instance not in self._processes:
            self._processes[instance] = run_record.Memory(notes=_Lines(works=self._works))  # type: ignore[arg-type]  # a fake
        self._now = instance
        with mock.patch.object(run_record, "_memory", self._processes[instance]):
            yield

    def engine(self) -> Engine:
        """Return the engine, as this run's plugin processes see it."""
        neighbours = [engine_process.Neighbour(number, engine_process.home_in(os.environ)) for number in self.others()]
        return Engine(self._command, neighbours)

    def others(self) -> list[int]:
        """Return the other processes, by number."""
        return [number for number, instance in enumerate(self._processes) if instance != self._now]

    def notes_of(self, process: int, *, of_this_run: bool) -> list[tuple[str, ...]] | None:
        """Return what another process has noted."""
        del of_this_run
        notes: Any = list(self._processes.values())[process].notes
        return notes.lines if self._works else None


def _plain(bag: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return outputs as they come back from state."""
    return {key: _unwrapped(value) for key, value in (bag or {}).items() if value is not None}


def _unwrapped(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get(_special_sig_key) == _special_secret_sig:
        return value["value"]
    return value
