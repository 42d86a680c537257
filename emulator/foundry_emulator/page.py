"""The page at the root of the plain listener: what is there, who may what, and what was asked last."""

import html
from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from foundry_emulator.control import Control

_REQUESTS = 30
_STATUSES = frozenset({"active", "failed", "creating", "idle", "expired"})
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Local Azure</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; color: #1b1b1b }
nav a { margin-right: 1rem } a, button { color: #0b5cad } button { font: inherit; margin-left: 1rem }
a:focus, button:focus, main:focus, .wide:focus { outline: 3px solid #0b5cad; outline-offset: 2px }
.skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; background: #fff }
.wide { overflow-x: auto; margin-bottom: 2rem } table { border-collapse: collapse; width: 100% }
caption { text-align: left; font-weight: 600; font-size: 1.2rem; padding: .3rem 0 }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
td { overflow-wrap: anywhere } .active { color: #0b6a0b } .failed { color: #a4262c } .creating { color: #8a5a00 }
meter { width: 9rem; height: 1rem; vertical-align: middle }
</style></head><body><a class="skip" href="#content">To the content</a><header><h1>Local Azure</h1>
<nav aria-label="Sections"><a href="#agents">Agents</a><a href="#sessions">Sessions</a>
<a href="#toolboxes">Toolboxes</a><a href="#roles">Roles</a><a href="#faults">Faults</a>
<a href="#requests">Last requests</a><button id="hold" type="button" aria-pressed="false">Hold</button></nav></header>
<main id="content" tabindex="-1">
"""
# Only what is in <main> is replaced, and not while it is held or has the focus: keys and readers keep their place.
_TAIL = """</main><script>
const hold = document.getElementById("hold"), main = document.getElementById("content");
hold.onclick = () => hold.setAttribute("aria-pressed", hold.getAttribute("aria-pressed") !== "true");
setInterval(async () => {
  if (hold.getAttribute("aria-pressed") === "true" || main.contains(document.activeElement) || document.hidden) return;
  try {
    const text = await (await fetch("/")).text();
    main.innerHTML = new DOMParser().parseFromString(text, "text/html").getElementById("content").innerHTML;
    document.title = "Local Azure";
  } catch { document.title = "Local Azure (not running)" }
}, 2000);
</script></body></html>"""

Row = Iterable[object]


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def page(control: Control) -> Route:
    """``GET /``: projects, agents, versions, traffic, sessions, roles, faults, last requests; live, no build step.

    It works by keyboard: sections are links, wide tables scroll when focused, and the page does not change under
    the focus. Whatever callers named is escaped.
    """

    async def serve(_request: Request) -> Response:
        return HTMLResponse(_render(control), headers={"cache-control": "no-store"})

    return Route("/", serve, methods=["GET"])


def _render(control: Control) -> str:
    state = control.state()
    projects = state["projects"]
    names = ", ".join(html.escape(str(name)) for name in projects) if isinstance(projects, list) else ""
    counts = ("agents", "versions", "sessions", "instances", "arm_resources")
    counted = " · ".join(f"{state[name]} {name.replace('_', ' ')}" for name in counts)
    requests = [
        (e.n, e.plane, e.method, e.path, "cut" if e.status is None else e.status, e.fault or "")
        for e in control.last_requests(_REQUESTS)
    ]
    faults = [(f["id"], f["action"], f["method"] or "any", f["path"], f["fired"]) for f in control.faults()]
    versions = ("project", "agent", "version", "status", "traffic", "sessions")
    return "".join(
        (
            _HEAD,
            f"<p>Projects: {names or 'none'}</p><p>{counted}</p>",
            _table("agents", "Agents", versions, _versions(state["agent_list"])),
            _table("sessions", "Sessions", ("project", "agent", "session", "version", "status"), control.sessions()),
            _table("toolboxes", "Toolboxes", ("project", "toolbox", "default", "versions"), control.toolboxes()),
            _table("roles", "Roles", ("principal", "role", "scope", "in effect"), control.roles()),
            _table("faults", "Faults", ("id", "action", "method", "path", "fired"), faults),
            _table("requests", "Last requests", ("n", "plane", "method", "path", "status", "fault"), requests),
            _TAIL,
        )
    )


def _versions(agents: object) -> Iterable[Row]:
    for agent in agents if isinstance(agents, list) else []:
        rules = {rule["version"]: rule["percentage"] for rule in agent["rules"]}
        versions = agent["versions"]
        serving = next((v for v in reversed(versions) if v["status"] == "active"), versions[-1] if versions else None)
        name = agent["name"] if agent["enabled"] else f"{agent['name']} (disabled)"
        for version in reversed(versions):
            share = rules.get(version["version"], rules.get("@latest") if version is serving else None)
            status = version["status"]
            if isinstance(version["error"], Mapping):
                status = f"{status}: {version['error']['code']}"
            yield agent["project"], name, version["version"], status, _bar(share), version["sessions"]


def _bar(share: object) -> Markup:
    """A share of the traffic as a bar, with its number for those who don't see it."""
    if not isinstance(share, int):
        return Markup()
    return Markup(f'<meter min="0" max="100" value="{share}">{share} %</meter> {share} %')


def _table(anchor: str, caption: str, heads: Iterable[str], rows: Iterable[Row]) -> str:
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    if not body:
        return f'<h2 id="{anchor}">{caption}</h2><p>None.</p>'
    head = "".join(f"<th scope=col>{name}</th>" for name in heads)
    table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" id="{anchor}" tabindex="0" role="region" aria-label="{caption}">{table}</div>'


def _cell(value: object) -> str:
    text = value if isinstance(value, Markup) else html.escape(str(value))
    status = text.partition(":")[0]
    kind = f' class="{status}"' if status in _STATUSES else ""
    return f"<td{kind}>{text}</td>"
