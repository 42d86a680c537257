"""The HTML of the page. All names that callers chose are escaped."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterable, Mapping, Sequence

from foundry_emulator.control import Control
from foundry_emulator.journal import Entry

_REQUESTS = 20
_COLOURS = 4
_GOOD, _BAD, _WAIT = "good", "bad", "wait"
_KINDS = {
    **dict.fromkeys(("active", "enabled", "yes"), _GOOD),
    **dict.fromkeys(("failed", "disabled", "expired"), _BAD),
    **dict.fromkeys(("creating", "draft"), _WAIT),
}
_SECTIONS = ("agents", "sessions", "requests", "toolboxes", "roles", "faults")
_VERSION_HEADS = ("version", "status", "traffic", "size", "image", "sessions", "created")
_TITLES = {"requests": "Last requests"}
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Local Azure</title><link rel="stylesheet" href="/page.css"><link rel="icon" href="data:,"></head>
<body><a class="skip" href="#content">Skip to content</a><header><div><h1>Local Azure</h1>
<nav aria-label="Sections">{links}</nav><p id="live" role="status">Live</p>
<button id="pause" type="button" aria-pressed="false">Pause</button></div></header>
<main id="content" tabindex="-1">
"""
_TAIL = """</main><script src="/page.js"></script></body></html>
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Row = Iterable[object]


def render(control: Control) -> str:
    """Return the whole page."""
    state = control.state()
    links = "".join(f'<a href="#{name}">{_TITLES.get(name, name.capitalize())}</a>' for name in _SECTIONS)
    faults = [(f["id"], f["action"], f["method"] or "any", Code(f["path"]), f["fired"]) for f in control.faults()]
    sessions = [(p, a, Code(s), v, pill(status)) for p, a, s, v, status in control.sessions()]
    roles = [(who, role, Code(_short(scope)), pill(counts)) for who, role, scope, counts in control.roles()]
    parts = (
        _section("overview", "Overview", _overview(state)),
        _section("agents", "Agents", "".join(_agents(state["agent_list"])) or _NO_AGENTS),
        _listed("sessions", ("project", "agent", "session", "version", "status"), sessions),
        _listed(
            "requests",
            ("time", "plane", "request", "status", "caller", "fault"),
            [_request(entry, control.caller_name(entry.principal)) for entry in control.last_requests(_REQUESTS)],
        ),
        _listed("toolboxes", ("project", "toolbox", "default", "versions"), control.toolboxes()),
        _listed("roles", ("principal", "role", "scope", "in effect"), roles),
        _listed("faults", ("id", "action", "method", "path", "fired"), faults),
    )
    return _HEAD.format(links=links) + "".join(parts) + _TAIL


_NO_AGENTS = (
    '<p class="soft">None. Clients find the local Azure with the variables of '
    '<code>eval "$(foundry-emulator env)"</code>.</p>'
)


def pill(status: object, text: str = "") -> Markup:
    """Return a status as a coloured label; its text says the same."""
    kind = _KINDS.get(str(status), "")
    return Markup(f'<span class="pill {kind}">{html.escape(text or str(status))}</span>')


class Code(str):
    """Text that is set like code."""

    __slots__ = ()


def _overview(state: Mapping[str, object]) -> str:
    projects = state["projects"]
    named = ", ".join(map(str, projects)) if isinstance(projects, Sequence) else ""
    tiles = [("projects", named or "none")]
    tiles += [
        (name.replace("_", " "), str(state[name]))
        for name in ("agents", "versions", "sessions", "instances", "arm_resources")
    ]
    return (
        '<dl class="tiles">'
        + "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in tiles)
        + "</dl>"
    )


def _agents(agents: object) -> Iterable[str]:
    for number, agent in enumerate(agents if isinstance(agents, list) else []):
        shares = _shares(agent)
        state = "enabled" if agent["enabled"] else "disabled"
        rows = [_version(version, shares) for version in reversed(agent["versions"])]
        name = html.escape(agent["name"])
        yield (
            f'<article class="card" aria-labelledby="agent-{number}"><h3 id="agent-{number}">{name} '
            f"<small>in {html.escape(agent['project'])}, {html.escape(agent['kind'])}</small> {pill(state)}</h3>"
            f"{_bar(shares)}"
            f"{_table(agent['name'], _VERSION_HEADS, rows)}</article>"
        )


def _shares(agent: Mapping[str, object]) -> list[tuple[str, int]]:
    """Version and percentage of each rule with traffic; ``@latest`` is the version that it means now."""
    versions, rules = agent["versions"], agent["rules"]
    if not isinstance(versions, list) or not isinstance(rules, list):
        return []
    released = [version for version in reversed(versions) if not version["draft"]]
    latest = next((v for v in released if v["status"] == "active"), released[0] if released else None)
    named = {"@latest": latest["version"] if latest else "@latest"}
    return [(named.get(r["version"], r["version"]), r["percentage"]) for r in rules if r["percentage"]]


def _bar(shares: list[tuple[str, int]]) -> str:
    """Return the traffic as one bar, with a list of the shares for screen readers."""
    if not shares:
        return '<p class="soft">No traffic: every rule has 0 percent.</p>'
    total, left = sum(share for _, share in shares), 0.0
    drawn, listed = [], []
    for place, (version, share) in enumerate(shares):
        colour = f"share-{place % _COLOURS}"
        width = 100 * share / total
        drawn.append(f'<rect class="{colour}" x="{left:.2f}" y="0" width="{width:.2f}" height="10"></rect>')
        listed.append(f'<li><span class="dot {colour}"></span>version {html.escape(version)}: {share} %</li>')
        left += width
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'{"".join(drawn)}</svg><ul class="shares" aria-label="Traffic">{"".join(listed)}</ul>'
    )


def _version(version: Mapping[str, object], shares: list[tuple[str, int]]) -> Row:
    share = sum(percentage for name, percentage in shares if name == version["version"])
    error, status = version["error"], version["status"]
    shown = pill(status)
    if isinstance(error, Mapping):
        shown = Markup(f'{pill(status, error["code"])}<div class="soft">{html.escape(str(error["message"]))}</div>')
    draft = (
        Markup(f"{html.escape(str(version['version']))} {pill('draft')}") if version["draft"] else version["version"]
    )
    return (
        draft,
        shown,
        f"{share} %" if share else "",
        version["size"],
        Code(version["image"]),
        version["sessions"],
        _time(version["created_at"]),
    )


def _request(entry: Entry, who: str) -> Row:
    status = "cut" if entry.status is None else str(entry.status)
    kind = _BAD if entry.status is None or entry.status >= 500 else _WAIT if entry.status >= 400 else _GOOD  # noqa: PLR2004  HTTP
    shown = Markup(f'<span class="pill {kind}">{status}</span>')
    return _time(entry.time), entry.plane, Code(f"{entry.method} {entry.path}"), shown, who, entry.fault or ""


def _time(seconds: object) -> str:
    """Return the time of day in UTC, as logs have it."""
    return dt.datetime.fromtimestamp(float(str(seconds)), tz=dt.UTC).strftime("%H:%M:%S")


def _short(scope: str) -> str:
    """Return a scope without the subscription and the resource group, which are the same for all."""
    return (
        scope.rpartition("/providers/")[2].rpartition("/resourceGroups/")[2].replace("/subscriptions/", "subscription ")
    )


def _section(anchor: str, title: str, content: str) -> str:
    heading = f'<h2 id="{anchor}-title">{title}</h2>'
    return f'<section id="{anchor}" aria-labelledby="{anchor}-title">{heading}{content}</section>\n'


def _listed(anchor: str, heads: Sequence[str], rows: Iterable[Row]) -> str:
    title = _TITLES.get(anchor, anchor.capitalize())
    return _section(anchor, title, _table(title, heads, rows, "wide list") or '<p class="soft">None.</p>')


def _table(label: str, heads: Sequence[str], rows: Iterable[Row], kind: str = "wide") -> str:
    """Return a table that scrolls sideways where it is too wide; also by keyboard, hence its tab index."""
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    if not body:
        return ""
    head = "".join(f"<th scope=col>{name}</th>" for name in heads)
    return (
        f'<div class="{kind}" tabindex="0" role="region" aria-label="{html.escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: object) -> str:
    if isinstance(value, Markup):
        return f"<td>{value}</td>"
    text = html.escape(str(value))
    return f"<td><code>{text}</code></td>" if isinstance(value, Code) and text else f"<td>{text}</td>"
