"""A dynamic provider whose check and diff follow from a field table."""

from __future__ import annotations

from typing import Any, ClassVar

from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, DiffResult, ReadResult, ResourceProvider
from pulumi.runtime.rpc import wrap_rpc_secret

from foundry_agents.lifecycle.errors import FoundryAgentsError, InputError
from foundry_agents.lifecycle.fields import FieldTable, OnChange, Values
from foundry_agents.resources._boundary import (
    clean,
    hidden_in,
    hide,
    is_unknown,
    own_properties,
    quiet_tracebacks,
    warn_on,
)
from foundry_agents.resources._declared import declare, go_on
from foundry_agents.resources._workers import grow_worker_pool


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

    @clean
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalises the inputs and names every problem at once. No network."""
        values, problems = self.table.normalise(own_properties(news), is_unknown)
        declare(values)
        if problems:
            # No property name: Pulumi would print the property's value beside it, and that may be secret.
            return CheckResult({}, [CheckFailure("", str(InputError(self.table.subject, problems)))])
        return CheckResult(dict(values), [])

    @clean
    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compares by meaning, field by field. No network."""
        changed = self.table.changes(own_properties(olds), own_properties(news), is_unknown)
        replaces = [row.name for row in changed if row.on_change is OnChange.REPLACE]
        go_on(self.values(olds), _id, replaced=bool(replaces))
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=False)

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


def text_of(values: Values, name: str) -> str:
    """A value as text; "" when it is unset."""
    return str(values.get(name) or "")
