"""The page at the root of the plain listener: what is there, and what was asked last."""

import html
from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from foundry_emulator.control import Control

_REQUESTS = 30
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Local Azure</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1b }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
.active { color: #0b6a0b } .failed { color: #a4262c } .creating { color: #8a5a00 }
code { font-size: 13px }
</style></head><body><h1>Local Azure</h1>
"""


def page(control: Control) -> Route:
    """``GET /``: projects, agents, versions, traffic, faults and the last requests; reloads every 2 s."""

    async def serve(_request: Request) -> Response:
        return HTMLResponse(_render(control))

    return Route("/", serve, methods=["GET"])


def _render(control: Control) -> str:
    state = control.state()
    projects = state["projects"]
    names = ", ".join(html.escape(name) for name in projects) if isinstance(projects, list) else ""
    agents = state["agent_list"]
    parts = [
        _HEAD,
        f"<p>Projects: {names or 'none'}</p>",
        f"<p>{state['agents']} agents · {state['versions']} versions · {state['sessions']} sessions</p>",
        f"<p>{state['arm_resources']} ARM resources</p>",
        "<h2>Agents</h2>",
        _table(("project", "agent", "version", "status", "traffic", "sessions"), _versions(agents)),
    ]
    faults = [
        (fault["id"], fault["action"], fault["method"] or "any", fault["path"], fault["fired"])
        for fault in control.faults()
    ]
    if faults:
        parts += ["<h2>Faults</h2>", _table(("id", "action", "method", "path", "fired"), faults)]
    requests = [
        (
            entry.n,
            entry.plane,
            entry.method,
            entry.path,
            "cut" if entry.status is None else entry.status,
            entry.fault or "",
        )
        for entry in control.last_requests(_REQUESTS)
    ]
    parts += ["<h2>Last requests</h2>", _table(("n", "plane", "method", "path", "status", "fault"), requests)]
    return "".join([*parts, "</body></html>"])


def _versions(agents: object) -> Iterable[tuple[object, ...]]:
    for agent in agents if isinstance(agents, list) else []:
        rules = {rule["version"]: rule["percentage"] for rule in agent["rules"]}
        versions = agent["versions"]
        for version in reversed(versions):
            share = rules.get(version["version"])
            if share is None and version is versions[-1]:
                share = rules.get("@latest")
            status = version["status"]
            if isinstance(version["error"], Mapping):
                status = f"{status}: {version['error']['code']}"
            traffic = "" if share is None else f"{share} %"
            yield agent["project"], agent["name"], version["version"], status, traffic, version["sessions"]


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th scope=col>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    text = html.escape(str(value))
    status = text.partition(":")[0]
    kind = f' class="{status}"' if status in {"active", "failed", "creating"} else ""
    return f"<td{kind}>{text}</td>"
