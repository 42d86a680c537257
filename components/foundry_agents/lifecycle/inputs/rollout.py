"""The inputs of ``AgentRollout``: which version, by which steps, proved how, and how much history stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from foundry_agents.lifecycle.inputs.version import IDENTITY_FIELDS, OURS_FIELDS
from foundry_agents.lifecycle.schema.durations import duration
from foundry_agents.lifecycle.schema.fields import (
    Field,
    FieldTable,
    OnChange,
    Report,
    as_number,
    flag,
    number,
    shown,
    text,
)

EXPECTATIONS = ("contains", "matches", "json_path", "check")
"""A smoke test has exactly one of them."""

SMOKE_PROTOCOLS = ("responses", "invocations")

_CALLABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_FULL = 100


def _version(path: str, raw: object, report: Report) -> str | None:
    spelled = f"{raw:g}" if isinstance(raw, float) else str(raw)
    if not isinstance(raw, bool) and spelled.isascii() and spelled.isdigit() and int(spelled) > 0:
        return str(int(spelled))
    report.add(path, f'{shown(raw)}: a version is a number, for example "8"')
    return None


def _protocol_names(path: str, raw: object, report: Report) -> list[str] | None:
    if isinstance(raw, (list, tuple)) and all(isinstance(name, str) or report.is_unknown(name) for name in raw):
        return sorted({name for name in raw if isinstance(name, str)}) or None
    report.add(path, 'must be a list of protocol names, for example ["responses"]')
    return None


def _steps(path: str, raw: object, report: Report) -> list[int] | None:
    if not isinstance(raw, (list, tuple)):
        report.add(path, "must be a list of percentages, for example [10, 50]; 100 follows by itself")
        return None
    steps: list[int] = []
    for position, entry in enumerate(raw):
        where = f"{path}[{position}]"
        value = as_number(entry)
        if value is None or value != int(value) or not 0 <= value < _FULL:
            report.add(where, f"{shown(entry)}: a whole percentage from 0 to 99; 100 follows by itself")
        elif steps and value <= steps[-1]:
            report.add(where, f"{value:g} is not above the step before it, {steps[-1]}: steps only ever rise")
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
        except re.error as error:
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
    report.add(path, f"{shown(raw)} can't be asked; protocols: {', '.join(SMOKE_PROTOCOLS)}")
    return None


def _json_value(path: str, raw: object, report: Report) -> object:
    if not isinstance(raw, (str, int, float, bool)):
        report.add(path, "must be text, a number, true or false")
    return raw


_SMOKE_PARTS: Mapping[str, Callable[[str, object, Report], object]] = {
    "question": _given_text,
    "contains": _given_text,
    "matches": _expression,
    "json_path": _json_path,
    "equals": _json_value,
    "check": _callable_name,
    "protocol": _protocol,
    "tries": number(least=1, most=20, whole=True),
    "timeout": duration(least=1),
}
_SMOKE_DEFAULTS: Mapping[str, object] = {"protocol": "responses", "tries": 3, "timeout": 120}


def _smoke(path: str, raw: object, report: Report) -> dict[str, object] | None:
    if not isinstance(raw, Mapping):
        report.add(path, 'must be a smoke test: SmokeTest("ping", expect="pong")')
        return None
    given = {name: value for name, value in raw.items() if value is not None}
    for name in sorted(given.keys() - _SMOKE_PARTS.keys()):
        report.add(f"{path}.{name}", f"is not a part of a smoke test: {', '.join(_SMOKE_PARTS)}")
    test: dict[str, object] = {}
    for name, parse in _SMOKE_PARTS.items():
        value = given.get(name)
        if value is not None:
            value = value if report.is_unknown(value) else parse(f"{path}.{name}", value, report)
        if value is None:
            value = _SMOKE_DEFAULTS.get(name)
        if value is not None:
            test[name] = value
    if "question" not in given:
        report.add(f"{path}.question", "is required")
    expected = [name for name in EXPECTATIONS if name in given]
    if len(expected) != 1:
        found = f"has {' and '.join(expected)}" if expected else "has none"
        report.add(path, f"needs exactly one expectation (expect, matches, json_path or check), and {found}")
    if ("json_path" in given) != ("equals" in given):
        report.add(f"{path}.equals", "goes with json_path: both or neither")
    return test


def _paused_moves_nothing(values: Mapping[str, object], report: Report) -> None:
    if values.get("paused") and values.get("steps"):
        report.add("paused", "leaves traffic where it is, and steps move it: give one of them")
        report.add("steps", "move traffic, and paused leaves it where it is: give one of them")


ROLLOUT_FIELDS = FieldTable(
    "the rollout's settings",
    (
        *IDENTITY_FIELDS,
        Field(
            "version",
            _version,
            "The version that serves: a number of the agent's own history.",
            "service",
            on_change=OnChange.UPDATE,
            required=True,
        ),
        Field(
            "protocols",
            _protocol_names,
            "Protocols to switch on at the endpoint; what others switched on stays on.",
            "sdk",
            on_change=OnChange.UPDATE,
        ),
        Field(
            "steps",
            _steps,
            "Percentages on the way to 100, rising: `[10, 50]`. 0 is a step in the dark: tested, without traffic.",
            "ours; the service takes whole percentages [sdk]",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "bake",
            duration(),
            'How long each step lasts before the next, "2m" or seconds.',
            "ours",
            on_change=OnChange.IGNORE,
            default=0,
        ),
        Field(
            "smoke",
            _smoke,
            "A question and what its answer must be: asked before any traffic and again at each step. Not for secrets.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "paused",
            flag,
            "Test the version and leave traffic where it is.",
            "ours",
            # A rollout that goes on again has something to do.
            on_change=OnChange.UPDATE,
            default=False,
        ),
        Field(
            "keep_versions",
            number(least=1, whole=True),
            "Newest own versions that stay, beside those with traffic or live sessions; unset keeps all.",
            "ours; the service holds 1000 [docs]",
            on_change=OnChange.UPDATE,
        ),
        Field(
            "described_version",
            _version,
            "The version that the settings describe, where `version` is pinned to another: it is never pruned.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "enabled",
            _always_on,
            "The agent answers. Only ever true: a refresh shows false when it was switched off elsewhere.",
            "sdk",
            on_change=OnChange.UPDATE,
            default=True,
        ),
        *OURS_FIELDS,
        Field(
            "timeout_s",
            duration(least=1),
            "Give up proving that traffic has moved, or that the agent is gone, after this many seconds.",
            "ours",
            on_change=OnChange.IGNORE,
            default=120,
        ),
        Field(
            "poll_interval_s",
            number(least=0.1, most=60, unit=" s"),
            "Pause between two looks at the routing.",
            "ours",
            on_change=OnChange.IGNORE,
            default=1,
        ),
        Field(
            "keep_agent",
            flag,
            "Without effect, since a rollout deletes no agent; accepted from programs of earlier releases. To keep an "
            "agent on destroy, give its version `retain_on_delete`.",
            "ours",
            # Delete sees what is in state, so a change must get there; it sends nothing.
            on_change=OnChange.UPDATE,
            default=False,
        ),
        Field(
            "project_resource_id",
            text(),
            "ARM id of the project, for the link to the portal; set by HostedAgent.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
    ),
    cross_check=_paused_moves_nothing,
)
"""Inputs of AgentRollout."""
