"""A dynamic provider whose check and diff follow from a field table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, DiffResult, ReadResult, ResourceProvider
from pulumi.runtime.rpc import wrap_rpc_secret

from foundry_agents.lifecycle.failure.errors import DuplicateDeclarationError, FoundryAgentsError, InputError, Problem
from foundry_agents.lifecycle.ownership import Claim, Identity, Owner
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Values
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import (
    hidden_in,
    hide,
    is_unknown,
    own_properties,
    quiet_tracebacks,
    readable_errors,
    urn_in_call,
    warn_on,
)
from foundry_agents.resources._plugin.thread_pool import grow_worker_pool


class TableProvider(ResourceProvider):
    """Base of the providers; no attributes, because instances are pickled into state by their import path."""

    serialize_as_secret_always = False
    table: ClassVar[FieldTable]
    secret_outputs: ClassVar[frozenset[str]] = frozenset()

    @property
    def secret_inputs(self) -> frozenset[str]:
        """Inputs whose values must never be shown."""
        return frozenset(row.name for row in self.table.fields if row.secret)

    def configure(self, req: ConfigureRequest) -> None:
        """Runs once in a plugin process, before the first call."""
        del req
        quiet_tracebacks()
        grow_worker_pool()
        run_record.begin()

    @readable_errors
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalises the inputs and names every problem at once. No network."""
        values, problems = self.table.normalise(own_properties(news), is_unknown)
        self._keep_chosen(values, olds)
        urn = urn_in(values)
        if (other := run_record.declare(values, type(self).__name__, urn)) and not problems:
            subject = run_record.Thing.of(values)
            raise DuplicateDeclarationError(
                subject.subject if subject else "it", run_record.shown(urn), run_record.shown(other)
            )
        if problems:
            # No property name: Pulumi would print the property's value beside it, and that may be secret.
            return CheckResult({}, [CheckFailure("", str(InputError(self.table.subject, problems)))])
        return CheckResult(dict(values), [])

    @readable_errors
    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compares by meaning, field by field. No network."""
        changed = self.table.changes(own_properties(olds), own_properties(news), is_unknown)
        replaces = [row.name for row in changed if row.on_change is OnChange.REPLACE]
        self._take_down(_id, olds, news, replaced=bool(replaces))
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=False)

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """The service's own identity of what state holds; none for resources that stand for nothing of their own."""
        del props
        return frozenset()

    def claim(self, props: Mapping[str, object], values: Values) -> Claim:
        """What a delete of this state can say for itself."""
        return run_record.claim(values, self.identity_in(props), short_urn(urn_in_call()))

    def _keep_chosen(self, values: Values, olds: Mapping[str, object]) -> None:
        """Leaves inputs that the library chose as they were chosen first, whatever stack or component is called now.

        A replacement is checked a second time, without the state that it replaces.
        """
        names, urn = _listed(values.pop("chosen", None)), urn_in(values)
        run_record.keep(urn, chosen=names, **{name: olds.get(name) for name in (*names, "former_owners")})
        first = run_record.kept(urn)
        values.update({name: first[name] for name in names if name in first})
        # Not known in a preview, where there are none: an output that state has not.
        former = {*_listed(first.get("former_owners")), *_listed(values.pop("former_owners", None))}
        if former:
            values["former_owners"] = sorted(former)

    def _take_down(self, id_: str, olds: dict[str, Any], news: dict[str, Any], *, replaced: bool) -> None:
        before, urn = self.values(olds), urn_in(news)
        # Outputs are from when the thing was made, also where inputs have been written by an earlier release since.
        run_record.keep(urn, **{name: olds.get(name) for name in _CHOSEN})
        if is_unknown(own_properties(news)):
            run_record.declare_again(before)
        if not urn or not run_record.is_declared_as(urn):
            return  # a refresh compares what the program may not have any more
        if replaced:
            run_record.is_replaced(urn)
        elif identity := self.identity_in(olds):
            run_record.claim_identity(before, type(self).__name__, urn)(identity)
            run_record.record_live(before, urn, id_, identity)

    def values(self, props: dict[str, Any]) -> Values:
        """Canonical inputs from a property bag of any age; what is missing takes its default."""
        known = {row.name for row in self.table.fields}
        own = {key: value for key, value in own_properties(props).items() if key in known}
        return self.table.normalise(own)[0]

    def outputs(self, values: Values, computed: dict[str, object]) -> dict[str, Any]:
        """What goes into state: inputs under their own keys, so that secrets stay secret, and computed values."""
        return {
            **values,
            **{key: wrap_rpc_secret(value) if key in self.secret_outputs else value for key, value in computed.items()},
        }

    def kept(self, id_: str, props: dict[str, Any], error: FoundryAgentsError) -> ReadResult:
        """State as it is, with a warning: what can't be read is not known to be gone. pulumi-docker-build#929."""
        own = own_properties(props)
        shown = hide(" ".join(str(error).split()), hidden_in([self, props]))
        warn_on(own.get("urn"), f"could not be read, so its state is kept: {shown}")
        return ReadResult(id_, self.outputs(own, {key: own[key] for key in self.secret_outputs if key in own}))


_CHOSEN = ("owner", "former_owners", "agent_name", "toolbox_name", "store_name")
"""What the library may have chosen, or found out when it was made."""


def refuse_forced_name(values: Values, name_input: str, example: str) -> None:
    """Refuses a new thing whose name was chosen by the library, where a resource may have been forced to be made anew.

    Raises:
        InputError: The thing that the resource has stood for may have another name.
    """
    if run_record.is_forced_anew(urn_in(values), name_input):
        subject = "a resource that is forced to be replaced; nothing was changed"
        problem = (
            f'"{values[name_input]}" does not exist, and with --replace the name that state has can\'t be read. Run '
            f"`pulumi up` without --replace, or give the name that it has in the project: {example}"
        )
        raise InputError(subject, [Problem(name_input, problem)])


def owner_in(values: Values) -> Owner:
    """Whose things these inputs are about."""
    return Owner(text_of(values, "owner"), frozenset(_listed(values.get("former_owners"))))


def urn_in(values: Mapping[str, object]) -> str:
    """The resource's URN; "" while it is not known."""
    urn = values.get("urn")
    return short_urn(urn) if isinstance(urn, str) else ""


def short_urn(urn: str) -> str:
    """A URN without stack and project, which are the same for all resources of a run and change with a rename."""
    parts = urn.split("::", 2)
    return parts[-1] if urn.startswith("urn:pulumi:") else urn


def _listed(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def text_of(values: Values, name: str) -> str:
    """A value as text; "" when it is unset."""
    return str(values.get(name) or "")
