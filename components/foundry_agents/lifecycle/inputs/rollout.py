"""The inputs of ``AgentRollout``: which version, by which steps, how it is tested, and how much history stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foundry_agents.lifecycle.inputs.shared import ForceDelete, OfAgent, Owned
from foundry_agents.lifecycle.schema.durations import duration
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, output, row
from foundry_agents.lifecycle.schema.parsers import as_number, flag, number, text
from foundry_agents.lifecycle.schema.report import Report, shown
from foundry_agents.lifecycle.schema.shapes import Record

EXPECTATIONS = ("contains", "matches", "json_path", "check")
"""A smoke test has exactly one of them."""

SMOKE_PROTOCOLS = ("responses", "invocations")

_CALLABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_VERSION = re.compile(r"0*[1-9][0-9]{0,17}")
_TOO_LARGE = 10**18
_FULL = 100


def _version(path: str, raw: object, report: Report) -> str | None:
    number = int(raw) if isinstance(raw, float) and raw.is_integer() else raw
    if isinstance(number, int) and not isinstance(number, bool) and number < _TOO_LARGE:
        number = str(number)
    if isinstance(number, str) and _VERSION.fullmatch(number):
        return number.lstrip("0")
    report.add(path, f'{shown(raw)}: a version is a number, for example "8"')
    return None


def _protocol_names(path: str, raw: object, report: Report) -> list[str] | None:
    if isinstance(raw, (list, tuple)) and all(isinstance(name, str) or report.is_unknown(name) for name in raw):
        return sorted({name for name in raw if isinstance(name, str)}) or None
    report.add(path, 'must be a list of protocol names, for example ["responses"]')
    return None


def _steps(path: str, raw: object, report: Report) -> list[int] | None:
    if not isinstance(raw, (list, tuple)):
        report.add(path, "must be a list of percentages, for example [10, 50]; 100 is added as the last step")
        return None
    steps: list[int] = []
    for position, entry in enumerate(raw):
        where = f"{path}[{position}]"
        value = as_number(entry)
        if value is None or value != int(value) or not 0 <= value < _FULL:
            report.add(where, f"{shown(entry)}: a whole percentage from 0 to 99; 100 is added as the last step")
        elif steps and value <= steps[-1]:
            report.add(where, f"{value:g} is not above the step before it, {steps[-1]}: steps must rise")
        else:
            steps.append(int(value))
    return steps or None


def _always_on(path: str, raw: object, report: Report) -> bool | None:
    if raw is not True:
        report.add(path, "can only be true: an agent that was switched off elsewhere is switched on again")
    return raw if isinstance(raw, bool) else None


def _given_text(path: str, raw: object, report: Report) -> str | None:
    if not isinstance(raw, str) or not raw.strip():
        report.add(path, "must be text")
        return None
    return raw


def _expression(path: str, raw: object, report: Report) -> str | None:
    pattern = _given_text(path, raw, report)
    if pattern is not None:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            report.add(path, f"{shown(pattern)} is not a regular expression: {error}")
    return pattern


def _json_path(path: str, raw: object, report: Report) -> str | None:
    dotted = _given_text(path, raw, report)
    if dotted is not None and not all(dotted.split(".")):
        report.add(path, f'{shown(dotted)}: names and list positions with dots between, for example "items.0.name"')
    return dotted


def _callable_name(path: str, raw: object, report: Report) -> str | None:
    name = _given_text(path, raw, report)
    if name is not None and not _CALLABLE.fullmatch(name):
        report.add(path, f'{shown(name)}: name a function as "package.module:function"')
    return name


def _protocol(path: str, raw: object, report: Report) -> str | None:
    if raw in SMOKE_PROTOCOLS:
        return str(raw)
    report.add(path, f"{shown(raw)} is not a protocol of smoke tests: {', '.join(SMOKE_PROTOCOLS)}")
    return None


def _json_value(path: str, raw: object, report: Report) -> str | float | bool | None:
    if isinstance(raw, (str, int, float, bool)):
        return raw
    report.add(path, "must be text, a number, true or false")
    return None


def _served(path: str, raw: object, report: Report) -> list[str] | None:
    """Parse version numbers; an empty list is known to be empty."""
    if isinstance(raw, (list, tuple)):
        return [str(version) for version in raw]
    report.add(path, "must be a list of versions")
    return None


def _shares(path: str, raw: object, report: Report) -> dict[str, int] | None:
    if isinstance(raw, Mapping):
        return {str(version): int(as_number(share) or 0) for version, share in raw.items()}
    report.add(path, "must map versions to percentages")
    return None


@dataclass(frozen=True, kw_only=True)
class SmokeInputs(Rows):
    """The input ``smoke``: see SmokeTest."""

    question: str = row(_given_text, "What is asked.", "ours", required=True)
    contains: str | None = row(_given_text, "Text that the answer contains; `expect` of SmokeTest.", "ours")
    matches: str | None = row(_expression, "Regular expression that is found in the answer.", "ours")
    json_path: str | None = row(
        _json_path, "Names and list positions with dots between, `items.0.name`, in the answer.", "ours"
    )
    equals: object = row(_json_value, "Value at `json_path`; required with it.", "ours")
    check: str | None = row(_callable_name, "A function, `package.module:function`, that judges the answer.", "ours")
    protocol: str = row(_protocol, "`responses` or `invocations`.", "ours", default="responses")
    tries: int = row(number(least=1, most=20, whole=True), "How many answers may be wrong, 1 to 20.", "ours", default=3)
    timeout: float = row(duration(least=1), "Seconds for all tries together.", "ours", default=120)


def _one_expectation(path: str, given: Collection[str], report: Report) -> None:
    expected = [name for name in EXPECTATIONS if name in given]
    if len(expected) != 1:
        found = f"has {' and '.join(expected)}" if expected else "has none"
        report.add(path, f"needs exactly one expectation (expect, matches, json_path or check), and {found}")
    if ("json_path" in given) != ("equals" in given):
        report.add(f"{path}.equals", "requires json_path, and json_path requires equals: both or neither")


SMOKE = Record(SmokeInputs, check_given=_one_expectation, may_be_empty=True)


def _paused_moves_nothing(values: Mapping[str, object], report: Report) -> None:
    if values.get("paused") and values.get("steps"):
        report.add("paused", "excludes steps: a paused rollout moves no traffic; give one of them")
        report.add("steps", "excludes paused: a paused rollout moves no traffic; give one of them")


@dataclass(frozen=True, kw_only=True)
class RolloutInputs(ForceDelete, Owned, OfAgent):
    """Inputs of AgentRollout."""

    version: str = row(
        _version,
        "The version that serves: a number of the agent's own history.",
        "service",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )
    protocols: Sequence[str] = row(
        _protocol_names,
        "Protocols to switch on at the endpoint; what others switched on stays on.",
        "sdk",
        on_change=OnChange.UPDATE,
        empty=(),
    )
    steps: Sequence[int] = row(
        _steps,
        "Percentages before 100, rising: `[10, 50]`. At 0 the version is tested before it gets traffic.",
        "ours; the service takes whole percentages [sdk]",
        on_change=OnChange.IGNORE,
        empty=(),
    )
    bake: float = row(
        duration(),
        'How long each step lasts before the next, "2m" or seconds.',
        "ours",
        on_change=OnChange.IGNORE,
        default=0,
    )
    smoke: Mapping[str, Any] | None = row(
        SMOKE,
        "A question and what its answer must be: asked before any traffic and again at each step. Not for secrets.",
        "ours",
        on_change=OnChange.IGNORE,
    )
    paused: bool = row(
        flag,
        "Test the version and leave traffic where it is.",
        "ours",
        # A rollout that is resumed has traffic to move.
        on_change=OnChange.UPDATE,
        default=False,
    )
    keep_versions: int | None = row(
        number(least=1, whole=True),
        "How many own versions stay, newest first, besides those with traffic or live sessions; unset keeps all.",
        "ours; the service holds 1000 [docs]",
        on_change=OnChange.UPDATE,
    )
    described_version: str | None = row(
        _version,
        "The version that the settings describe, where `version` is pinned to another: it is never deleted.",
        "ours",
        on_change=OnChange.IGNORE,
    )
    enabled: bool = row(
        _always_on,
        "The agent answers. It can only be true: a refresh shows false when it was switched off elsewhere.",
        "sdk",
        on_change=OnChange.UPDATE,
        default=True,
    )
    timeout_s: float = row(
        duration(least=1),
        "Give up proving that traffic has moved after this many seconds.",
        "ours",
        on_change=OnChange.IGNORE,
        default=120,
    )
    poll_interval_s: float = row(
        number(least=0.1, most=60, unit=" s"),
        "Pause between two reads of the routing.",
        "ours",
        on_change=OnChange.IGNORE,
        default=1,
    )
    keep_agent: bool = row(
        flag,
        "Without effect, since a rollout deletes no agent; accepted from programs of earlier releases. To keep an "
        "agent on destroy, give its version `retain_on_delete`.",
        "ours",
        # Delete sees what is in state, so a change must get there; it sends nothing.
        on_change=OnChange.UPDATE,
        default=False,
    )
    project_resource_id: str = row(
        text(),
        "ARM id of the project, for the link to the portal; set by HostedAgent.",
        "ours",
        on_change=OnChange.IGNORE,
        empty="",
    )


@dataclass(frozen=True, kw_only=True)
class RolloutOutputs(Rows):
    """Outputs of AgentRollout."""

    serving_version: str = output(text(), "The number that serves.", default="")
    traffic: Mapping[str, int] = output(_shares, "Percent by version number, as last read.", default={})
    endpoint: str = output(text(), "The agent's endpoint; protocols are below it.", default="")
    responses_url: str = output(
        text(),
        "Where the responses protocol is answered; an OpenAI client adds `/responses` to its base URL.",
        default="",
    )
    invocations_url: str | None = output(
        text(), "Where the invocations protocol is answered; none when the endpoint has it switched off."
    )
    playground_url: str | None = output(
        text(), "Where a person tries the version in the portal; none when the project's ARM id is not known."
    )
    previous_version: str | None = output(text(), "The number that served before, if any.")
    served_versions: Sequence[str] | None = output(
        _served, "Own versions that have served everything: a rollback to one of them needs no steps."
    )
    kept_versions: Sequence[str] | None = output(
        _served, "Own versions that stayed after the last rollout, newest first."
    )
    skipped_versions: Sequence[str] | None = output(
        _served, "Own versions beyond `keep_versions` that stayed because they are in use."
    )


ROLLOUT_FIELDS = FieldTable("the rollout's settings", RolloutInputs, RolloutOutputs, cross_check=_paused_moves_nothing)
"""Inputs and outputs of AgentRollout."""
