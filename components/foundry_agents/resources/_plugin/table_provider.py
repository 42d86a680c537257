"""A dynamic provider whose check and diff follow from a field table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, DiffResult, ReadResult, ResourceProvider
from pulumi.runtime.rpc import wrap_rpc_secret

from foundry_agents.lifecycle.failure.errors import DuplicateDeclarationError, FoundryAgentsError, InputError, Problem
from foundry_agents.lifecycle.inputs.shared import Owned
from foundry_agents.lifecycle.ownership import Claim, Identity, Owner
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, Values
from foundry_agents.resources._plugin import run_effects, run_record
from foundry_agents.resources._plugin.boundary import (
    hidden_in,
    hide,
    is_unknown,
    note_on,
    own_properties,
    quiet_tracebacks,
    readable_errors,
    urn_in_call,
    warn_on,
)
from foundry_agents.resources._plugin.run_effects import short_urn
from foundry_agents.resources._plugin.thread_pool import grow_worker_pool


@dataclass(frozen=True)
class Checked:
    """What check finds in the inputs alone.

    Attributes:
        values: Canonical inputs.
        problems: Every problem; none when the inputs are accepted.
    """

    values: Values
    problems: Sequence[Problem]


@dataclass(frozen=True)
class Compared:
    """What diff finds in old and new inputs alone.

    Attributes:
        changed: Inputs whose value differs in meaning.
        replaces: Those of them that make another resource.
    """

    changed: Sequence[str]
    replaces: Sequence[str]


class TableProvider(ResourceProvider):
    """Base of the providers; no attributes, because instances are pickled into state by their import path."""

    serialize_as_secret_always = False
    table: ClassVar[FieldTable[Any, Any]]

    @property
    def secret_inputs(self) -> frozenset[str]:
        """Inputs whose values must never be shown."""
        return frozenset(each.name for each in self.table.fields if each.secret)

    @property
    def secret_outputs(self) -> frozenset[str]:
        """Outputs whose values must never be shown."""
        return frozenset(each.name for each in self.table.computed if each.secret)

    def configure(self, req: ConfigureRequest) -> None:
        """Prepare the plugin process: called once, before any other call."""
        del req
        quiet_tracebacks()
        grow_worker_pool()
        run_record.begin()

    @readable_errors
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalise the inputs, name every problem at once, and record what is declared. No network."""
        checked = self.checked(news)
        recorded = run_effects.record_check(checked.values, olds, type(self).__name__)
        if checked.problems:
            # No property name: Pulumi would print the property's value after it, and that may be secret.
            return CheckResult({}, [CheckFailure("", str(InputError(self.table.subject, checked.problems)))])
        if recorded.other:
            thing, urn = run_record.Thing.of(recorded.values), run_effects.urn_in(recorded.values)
            raise DuplicateDeclarationError(
                thing.subject if thing else "it", run_record.shown(urn), run_record.shown(recorded.other)
            )
        return CheckResult(self.spread(recorded.values), [])

    @readable_errors
    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare by meaning, field by field, and record what stays. No network, except for what ``lost`` looks at."""
        news = self.planned(olds, news)
        compared = self.compared(olds, news)
        has_unknowns = is_unknown(own_properties(news))
        lost = None if compared.changed or has_unknowns else self.lost(olds)
        if lost:
            note_on(own_properties(news).get("urn"), lost)
        run_effects.record_diff(
            self.table.canonical(self.gathered(olds)),
            _id,
            olds,
            news,
            identity=self.identity_in(olds),
            role=type(self).__name__,
            is_replaced=bool(compared.replaces),
            has_unknowns=has_unknowns,
        )
        changes = bool(compared.changed or lost)
        return DiffResult(changes=changes, replaces=list(compared.replaces), delete_before_replace=False)

    def checked(self, news: Mapping[str, Any]) -> Checked:
        """Return what there is to say about inputs. Pure."""
        return Checked(*self.table.normalise(self.gathered(own_properties(news)), is_unknown))

    def compared(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Compared:
        """Return how inputs differ from state. Pure."""
        changed = self.table.changes(self.gathered(olds), self.gathered(news), is_unknown)
        return Compared(
            [each.name for each in changed], [each.name for each in changed if each.on_change is OnChange.REPLACE]
        )

    def planned(self, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        """Return new inputs as diff compares them: as they are. Pure."""
        del olds
        return news

    def lost(self, olds: Mapping[str, Any]) -> str | None:
        """Return, in words, what state holds and is definitely gone, so that an update makes it again; None if nothing.

        Asked only about what has not changed. A preview of many resources waits for it: at most one quick request.
        """
        del olds
        return None

    def gathered(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """Return a property bag as the table names its entries: as it is. Pure."""
        return dict(props)

    def spread(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return canonical values as state names them: as they are. Pure."""
        return dict(values)

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """Return the service's own identity of what state holds; none for resources that create nothing."""
        del props
        return frozenset()

    def claim(self, props: Mapping[str, object], values: Values) -> Claim:
        """Return what the run knows about the thing that a delete of this state would remove."""
        return run_record.claim(values, self.identity_in(props), short_urn(urn_in_call()))

    def state(self, inputs: Rows, computed: Rows | Mapping[str, object]) -> dict[str, Any]:
        """Return what goes into state: inputs under their own keys, so that secrets stay secret, and outputs."""
        outputs = computed.canonical() if isinstance(computed, Rows) else computed
        return self._with_secrets(self.spread(inputs.canonical()), outputs)

    def updated_state(self, inputs: Rows, olds: Mapping[str, object]) -> dict[str, Any]:
        """Return the state after an update that creates nothing: new inputs and the old outputs."""
        names = [*(each.name for each in self.table.computed), *_SINCE_CREATE]
        return self.state(inputs, {name: olds[name] for name in names if name in olds})

    def unread_state(self, id_: str, props: dict[str, Any], error: FoundryAgentsError) -> ReadResult:
        """Return state as it is, with a warning: what can't be read may still exist. pulumi-docker-build#929."""
        own = own_properties(props)
        shown = hide(" ".join(str(error).split()), hidden_in([self, props]))
        warn_on(own.get("urn"), f"could not be read, so its state is kept: {shown}")
        return ReadResult(id_, self._with_secrets(own, {key: own[key] for key in self.secret_outputs if key in own}))

    def _with_secrets(self, values: Mapping[str, object], computed: Mapping[str, object]) -> dict[str, Any]:
        secret = self.secret_outputs
        outputs = {name: wrap_rpc_secret(value) if name in secret else value for name, value in computed.items()}
        return {**values, **outputs}


_SINCE_CREATE = ("owner", "former_owners")
"""Inputs whose value in state is from when the thing was created."""


def owner_of(inputs: Owned) -> Owner:
    """Return the stack that these inputs belong to."""
    return Owner(inputs.owner, frozenset(inputs.former_owners))


def refuse_forced_name(inputs: Owned, name: str, name_input: str, example: str) -> None:
    """Refuse to create under a name that the library chose, where the resource may have been forced to be replaced.

    Raises:
        InputError: What the resource has stood for may have another name.
    """
    if run_record.is_forced_to_replace(short_urn(inputs.urn), name_input):
        subject = "a resource that is forced to be replaced; nothing was changed"
        problem = (
            f'"{name}" does not exist, and with --replace the name that state has can\'t be read. Run '
            f"`pulumi up` without --replace, or give the name that it has in the project: {example}"
        )
        raise InputError(subject, [Problem(name_input, problem)])
