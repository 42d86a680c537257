"""The field table: one row for each input or output, and everything that follows from it.

A row is an attribute of a frozen dataclass, so that code reads inputs with their types:

    @dataclass(frozen=True, kw_only=True)
    class StoreInputs(Rows):
        timeout_s: float = row(number(least=1), "Give up after this many seconds.", "ours", default=600)

A table of such rows normalises and validates (all problems at once), says what a change of each input means and which
values are secret, and feeds the reference page. Whatever has no row is refused as unknown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, overload

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.schema.parsers import Parse
from foundry_agents.lifecycle.schema.report import Report, nothing_unknown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")

Values = dict[str, object]
"""Canonical JSON values by field name; unset fields are absent. The form of state, diff and fingerprint."""

ACCEPT_NEW = "accept_new"
"""The input that names enum values of the service which are newer than this release."""

READABLE = "readable"
"""The input that names texts which look like credentials and are none."""

_ROW = "row"
"""Key of the row in the metadata of a dataclass's field."""


class OnChange(StrEnum):
    """What a changed input does to the resource."""

    REPLACE = "replace"
    UPDATE = "update"
    IGNORE = "ignore"
    """It says how the library works (waiting, ownership, messages), not what it makes: never a diff."""


@dataclass(frozen=True)
class Field(Generic[T_co]):
    """One row: an input or an output of a resource, or an entry of one.

    Attributes:
        parse: Return the canonical JSON value of what the user wrote, or None when it means "unset"; add problems to
            the report. Never called with an unknown value, except inside a mapping.
        summary: What it means, with units, for the reference page.
        source: Where the rule comes from: service, docs, recorded, modelled or ours.
        on_change: What a change means.
        default: Canonical value when unset.
        empty: Value that code reads when it is unset and has no default; never written to state.
        required: An unset value is a problem.
        secret: Its value must never be shown.
        identity: Names the resource in the service rather than describing it: not part of the fingerprint.
        output: Computed by the library or the service; not an input.
        name: Its key, in the program and in state.
    """

    parse: Parse[T_co]
    summary: str
    source: str
    on_change: OnChange = OnChange.REPLACE
    default: T_co | None = None
    empty: T_co | None = None
    required: bool = False
    secret: bool = False
    identity: bool = False
    output: bool = False
    name: str = ""

    @property
    def absent(self) -> T_co | None:
        """What code reads where state has no value."""
        return self.empty if self.default is None else self.default


@overload
def row(
    parse: Parse[T],
    summary: str,
    source: str,
    *,
    default: D,
    on_change: OnChange = ...,
    secret: bool = ...,
    identity: bool = ...,
) -> T | D: ...
@overload
def row(
    parse: Parse[T],
    summary: str,
    source: str,
    *,
    empty: D,
    on_change: OnChange = ...,
    required: bool = ...,
    secret: bool = ...,
    identity: bool = ...,
) -> T | D: ...
@overload
def row(
    parse: Parse[T],
    summary: str,
    source: str,
    *,
    required: Literal[True],
    on_change: OnChange = ...,
    secret: bool = ...,
    identity: bool = ...,
) -> T: ...
@overload
def row(
    parse: Parse[T],
    summary: str,
    source: str,
    *,
    on_change: OnChange = ...,
    secret: bool = ...,
    identity: bool = ...,
) -> T | None: ...
def row(parse: Parse[Any], summary: str, source: str, **more: Any) -> Any:
    """Declare an input; see Field. Like ``dataclasses.field``, it returns what the attribute will hold.

    A required row without ``empty`` has no default: reading state without it is an error.
    """
    described = Field(parse, summary, source, **more)
    if described.required and described.absent is None:
        return dataclasses.field(metadata={_ROW: described})
    return dataclasses.field(default_factory=lambda: described.absent, metadata={_ROW: described})


@overload
def output(parse: Parse[T], summary: str, *, default: D, secret: bool = ...) -> T | D: ...
@overload
def output(parse: Parse[T], summary: str, *, secret: bool = ...) -> T | None: ...
def output(parse: Parse[Any], summary: str, *, default: Any = None, secret: bool = False) -> Any:
    """Declare an output; ``default`` is what code reads from state of a release that did not have it.

    It has no default as an argument of its class, so that none is forgotten where the outputs are computed.
    """
    described = Field(parse, summary, "computed", OnChange.IGNORE, default, secret=secret, output=True)
    return dataclasses.field(metadata={_ROW: described})


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Base of the frozen dataclasses whose attributes are rows."""

    def canonical(self) -> Values:
        """Return the canonical values by name, as state has them."""
        found: Values = {}
        for each in rows_of(type(self)):
            value: object = getattr(self, each.name)
            is_unset = not each.output and each.default is None and value == each.empty
            if value is not None and not is_unset:
                found[each.name] = value
        return found


@dataclass(frozen=True, kw_only=True)
class NoOutputs(Rows):
    """The outputs of a resource that has none."""


R = TypeVar("R", bound=Rows)
I = TypeVar("I", bound=Rows)  # noqa: E741 (inputs)
O = TypeVar("O", bound=Rows)  # noqa: E741 (outputs)


def rows_of(kind: type[Rows]) -> tuple[Field[object], ...]:
    """Return the rows of a dataclass, in their order."""
    return tuple(
        dataclasses.replace(each.metadata[_ROW], name=each.name)
        for each in dataclasses.fields(kind)
        if _ROW in each.metadata
    )


def read_rows(kind: type[R], values: Mapping[str, object]) -> R:
    """Make a dataclass of rows from canonical values; other values are ignored.

    Raises:
        InputError: A value is missing that has no default.
    """
    given = {each.name: values[each.name] for each in rows_of(kind) if values.get(each.name) is not None}
    needed = [each.name for each in rows_of(kind) if each.required and each.absent is None and each.name not in given]
    if needed:
        raise InputError("the state of this resource", [Problem(name, "is required") for name in needed])
    return kind(**given)


@dataclass(frozen=True)
class FieldTable(Generic[I, O]):
    """The inputs and outputs of one resource.

    Attributes:
        subject: What the inputs describe, for error texts: "the agent's settings".
        inputs: The dataclass of the inputs.
        outputs: The dataclass of the outputs.
        cross_check: Rules that concern several inputs at once; sees canonical values, without those that are not known
            yet or have a problem of their own.
        one_of: Inputs of which exactly one is given.
        requires: Inputs that have an effect only together with another one, with that one.
    """

    subject: str
    inputs: type[I]
    outputs: type[O]
    cross_check: Callable[[Mapping[str, object], Report], None] | None = None
    one_of: Sequence[str] = ()
    requires: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[Field[object], ...]:
        """The rows of the inputs."""
        return rows_of(self.inputs)

    @cached_property
    def computed(self) -> tuple[Field[object], ...]:
        """The rows of the outputs."""
        return rows_of(self.outputs)

    def unset(self) -> dict[str, Any]:
        """Return None for every input and output: what a program declares before it sets some of them."""
        return {each.name: None for each in (*self.fields, *self.computed)}

    def read(self, props: Mapping[str, object]) -> I:
        """Return the inputs in a property bag of any age; what is missing takes its default."""
        return read_rows(self.inputs, self.canonical(props))

    def read_outputs(self, props: Mapping[str, object]) -> O:
        """Return the outputs in state; what an earlier release did not keep takes its default."""
        found: dict[str, object] = {}
        for each in self.computed:
            raw, report = props.get(each.name), Report()
            value = None if raw is None else each.parse(each.name, raw, report)
            found[each.name] = each.default if value is None or report.problems else value
        return self.outputs(**found)

    def canonical(self, props: Mapping[str, object]) -> Values:
        """Return the canonical inputs in a property bag of any age, without a word about problems."""
        return self.normalise(self._own(props))[0]

    def described(self, values: Mapping[str, object]) -> Values:
        """Return the part of canonical values that makes one version differ from another."""
        return {
            each.name: values[each.name]
            for each in self.fields
            if each.on_change is OnChange.REPLACE and not each.identity and each.name in values
        }

    def normalise(
        self, props: Mapping[str, object], is_unknown: Callable[[object], bool] = nothing_unknown
    ) -> tuple[Values, list[Problem]]:
        """Return the canonical values and every problem, sorted by path. Pure: no network, no clock."""
        report = Report(
            is_unknown,
            accept_new=_named_in(props.get(ACCEPT_NEW), is_unknown),
            readable=_named_in(props.get(READABLE), is_unknown),
        )
        values, unsettled = read_entries(self.fields, props, report, "")
        settled = {name: value for name, value in values.items() if name not in unsettled}
        self._check_combinations(values, unsettled, report)
        if self.cross_check is not None:
            self.cross_check(settled, report)
        return values, sorted(report.problems)

    def _check_combinations(self, values: Values, unsettled: set[str], report: Report) -> None:
        both = " and ".join(self.one_of)
        if self.one_of and not any(name in values for name in self.one_of):
            report.add(self.one_of[0], f"is required; exactly one of {both} is given")
        for other in [name for name in self.one_of if name in values and name not in unsettled][1:]:
            report.add(other, f"exactly one of {both} is given, not both")
        for name, partner in self.requires.items():
            if name in values and name not in unsettled and partner not in values:
                report.add(name, f"requires {partner}, which is not given")

    def changes(
        self,
        olds: Mapping[str, object],
        news: Mapping[str, object],
        is_unknown: Callable[[object], bool] = nothing_unknown,
    ) -> list[Field[object]]:
        """Return the rows whose value differs in meaning; ignored ones never count.

        Old values come from state and may be spelled as an older release did: both sides are normalised, and problems
        are left to check. A value that is not known yet differs from any other.
        """
        old_values = self.canonical(olds)
        new_values, _ = self.normalise(self._own(news), is_unknown)
        return [
            each
            for each in self.fields
            if each.on_change is not OnChange.IGNORE and old_values.get(each.name) != new_values.get(each.name)
        ]

    def _own(self, props: Mapping[str, object]) -> dict[str, object]:
        names = {each.name for each in self.fields}
        return {key: value for key, value in props.items() if key in names}


def _named_in(raw: object, is_unknown: Callable[[object], bool]) -> frozenset[str] | None:
    if is_unknown(raw):
        return None
    return frozenset(word for word in raw if isinstance(word, str)) if isinstance(raw, (list, tuple)) else frozenset()


def read_entries(
    rows: Sequence[Field[object]], props: Mapping[str, object], report: Report, prefix: str
) -> tuple[Values, set[str]]:
    """Return canonical values by name, and the names of those that are not known yet or have a problem."""
    values: Values = {}
    unsettled: set[str] = set()
    known_names = {each.name for each in rows}
    owner = f"{prefix.rstrip('.')}" if prefix else "this resource"
    for name in sorted(name for name, raw in props.items() if name not in known_names and raw is not None):
        report.add(f"{prefix}{name}", f"is not an input of {owner}")
    for each in rows:
        raw = props.get(each.name)
        # In a mapping the names are known and checked even where a value is not.
        if raw is not None and not isinstance(raw, Mapping) and report.is_unknown(raw):
            values[each.name] = raw
            unsettled.add(each.name)
            continue
        before = len(report.problems)
        value = None if raw is None else each.parse(f"{prefix}{each.name}", raw, report)
        if len(report.problems) > before:
            # Kept for comparing with state that an earlier release accepted; a default in its place would only
            # cause problems that the user does not have.
            values[each.name] = raw if value is None else value
            unsettled.add(each.name)
            continue
        if value is None:
            value = each.default
        if value is not None:
            values[each.name] = value
        elif each.required:
            report.add(f"{prefix}{each.name}", "is required")
    return values, unsettled
