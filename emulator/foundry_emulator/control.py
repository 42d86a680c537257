"""The control API: tests and people inspect and change the local Azure with it. Faults never affect it."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from foundry_emulator.arm import ArmStore
from foundry_emulator.arm.roles import ROLE_NAMES
from foundry_emulator.dataplane.agents import Agent, Agents, Version
from foundry_emulator.dataplane.definition import image_of
from foundry_emulator.dataplane.sessions import Sessions
from foundry_emulator.dataplane.toolboxes import Toolboxes
from foundry_emulator.faults import FaultProblem, Faults
from foundry_emulator.identity import DEPLOYER
from foundry_emulator.journal import Entry, Journal
from foundry_emulator.provisioning import Provisioner
from foundry_emulator.settings import Settings, SettingsProblem

_SHOWN = 100  # most rows of a table on the page
Json = dict[str, object]
_PLANES = frozenset({"data", "arm", "registry", "identity"})


class _BadRequest(ValueError):
    """A control request that is not valid."""


class Control:
    """Serves ``/_control/`` on the plain listener, loopback only.

    ``GET health``, ``GET state``, ``GET journal?plane=&writes=1&since=n``, ``GET`` and ``POST settings``,
    ``GET``, ``POST`` and ``DELETE faults``, ``DELETE faults/{id}``. An invalid request gets a 400 with
    ``{"error": text}``.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        journal: Journal,
        faults: Faults,
        arm: ArmStore,
        agents: Agents,
        sessions: Sessions,
        provisioner: Provisioner,
        toolboxes: Toolboxes,
        clock: Callable[[], float],
    ) -> None:
        self._toolboxes = toolboxes
        self._clock = clock
        self._settings = settings
        self._journal = journal
        self._faults = faults
        self._arm = arm
        self._agents = agents
        self._sessions = sessions
        self._provisioner = provisioner

    def routes(self) -> list[Route]:
        """Return the routes below ``/_control/``."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/_control/health", self._health),
            ("GET", "/_control/state", self._state),
            ("GET", "/_control/journal", self._entries),
            ("GET", "/_control/settings", self._get_settings),
            ("POST", "/_control/settings", self._set_settings),
            ("GET", "/_control/faults", self._get_faults),
            ("POST", "/_control/faults", self._add_faults),
            ("DELETE", "/_control/faults", self._clear_faults),
            ("DELETE", "/_control/faults/{fault}", self._remove_fault),
        ]
        return [Route(path, _guarded(handle), methods=[method]) for method, path, handle in table]

    def state(self) -> Json:
        """Counts and lists. ``arm_resources`` counts what callers created, without what every start creates."""
        agents = list(self._agents.all())
        return {
            "projects": [project.name for project in self._arm.projects()],
            "agents": len(agents),
            "versions": sum(len(agent.versions) for agent in agents),
            "sessions": self._sessions.count(),
            "instances": self._provisioner.running(),
            "arm_resources": self._arm.count(),
            "agent_list": [self._agent(agent) for agent in agents],
            "arm_list": [
                {"id": str(resource.get("id")), "type": str(resource.get("type"))} for resource in self._arm.resources()
            ],
        }

    def sessions(self) -> Sequence[tuple[str, ...]]:
        """Project, agent, id, version and status of each session, the newest first."""
        rows = [
            (agent.project, agent.name, session.id, session.version, self._sessions.status(agent, session))
            for agent in self._agents.all()
            for session in self._sessions.of_agent(agent)
        ]
        return rows[::-1][:_SHOWN]

    def toolboxes(self) -> Sequence[tuple[str, ...]]:
        """Project, name, default version and all versions of each toolbox."""
        return [
            (toolbox.project, toolbox.name, toolbox.default_version, ", ".join(toolbox.versions))
            for project in self._toolboxes.projects()
            for toolbox in self._toolboxes.of_project(project)
        ][:_SHOWN]

    def roles(self) -> Sequence[tuple[str, ...]]:
        """Principal, role, scope and whether it is in effect, of each role assignment."""
        now = self._clock()
        return [
            (
                self.caller_name(assignment.principal_id),
                ROLE_NAMES.get(assignment.role, assignment.role),
                assignment.scope,
                "yes" if assignment.counts_from <= now else f"in {assignment.counts_from - now:.0f} s",
            )
            for assignment in self._arm.assignments()
        ][:_SHOWN]

    def caller_name(self, principal: str | None) -> str:
        """Return a readable name of a caller: the deployer, a project's or an agent's identity, else the id."""
        if principal is None:
            return "anonymous"
        if principal == DEPLOYER:
            return "deployer"
        for project in self._arm.projects():
            if project.principal_id == principal:
                return f"project {project.name}"
        for agent in self._agents.all():
            identity = agent.identity.get("instance_identity")
            if isinstance(identity, Mapping) and identity.get("principal_id") == principal:
                return f"agent {agent.name}"
        return principal

    def last_requests(self, count: int) -> list[Entry]:
        """Return the last journal entries, newest first."""
        return self._journal.last(count)

    def faults(self) -> list[Json]:
        """Return the fault rules in force."""
        return [fault.document() for fault in self._faults.all()]

    def _agent(self, agent: Agent) -> Json:
        return {
            "project": agent.project,
            "name": agent.name,
            "kind": agent.kind,
            "enabled": agent.enabled,
            "rules": [{"version": rule.version, "percentage": rule.percentage} for rule in agent.endpoint.rules],
            "versions": [
                {
                    "version": version.key.version,
                    "status": version.status,
                    "error": version.error,
                    "draft": version.draft,
                    "created_at": version.document["created_at"],
                    "size": _size(version),
                    "image": _short(image_of(version.definition)),
                    "sessions": sum(s.version == version.key.version for s in self._sessions.of_agent(agent)),
                }
                for version in agent.versions.values()
            ],
        }

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "healthy", "pid": os.getpid()})

    async def _state(self, _request: Request) -> Response:
        return JSONResponse(self.state())

    async def _entries(self, request: Request) -> Response:
        query = request.query_params
        plane, since = query.get("plane") or None, query.get("since", "0")
        if plane is not None and plane not in _PLANES:
            raise _BadRequest(f"plane must be one of {', '.join(sorted(_PLANES))}, not {plane!r}")
        if not since.isascii() or not since.isdigit():
            raise _BadRequest(f"since must be the number of an entry, not {since!r}")
        writes = query.get("writes", "0") in {"1", "true"}
        entries = self._journal.entries(plane=plane, writes=writes, since=int(since))
        return JSONResponse({"entries": [entry.document() for entry in entries]})

    async def _get_settings(self, _request: Request) -> Response:
        return JSONResponse(self._settings.document())

    async def _set_settings(self, request: Request) -> Response:
        changes = await _json(request)
        if not isinstance(changes, dict):
            raise _BadRequest("expected a JSON object of settings by name")
        self._settings.change(changes)
        self._arm.delay_roles(self._settings.role_delay_s)
        return JSONResponse(self._settings.document())

    async def _get_faults(self, _request: Request) -> Response:
        return JSONResponse({"faults": self.faults()})

    async def _add_faults(self, request: Request) -> Response:
        document = await _json(request)
        given = document if isinstance(document, list) else [document]
        rules = [rule for rule in given if isinstance(rule, dict)]
        if len(rules) != len(given):
            raise _BadRequest("expected a JSON object for one fault, or a list of such objects")
        return JSONResponse({"faults": [self._faults.add(rule).document() for rule in rules]})

    async def _clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    async def _remove_fault(self, request: Request) -> Response:
        fault: str = request.path_params["fault"]
        if not self._faults.remove(fault):
            return JSONResponse({"error": f"no fault has the id {fault!r}"}, 404)
        return Response(status_code=204)


def _size(version: Version) -> str:
    cpu, memory = version.definition.get("cpu"), version.definition.get("memory")
    return f"{cpu} / {memory}" if cpu and memory else ""


def _short(image: str | None) -> str:
    """Return a reference without its host and with a short digest."""
    name, _, digest = (image or "").partition("@sha256:")
    return f"{name.partition('/')[2] or name}{f'@{digest[:12]}' if digest else ''}"


def _guarded(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return await handle(request)
        except (_BadRequest, SettingsProblem, FaultProblem) as problem:
            return JSONResponse({"error": str(problem)}, 400)

    return serve


async def _json(request: Request) -> object:
    try:
        document: object = json.loads(await request.body())
    except (ValueError, RecursionError) as problem:
        raise _BadRequest(f"the body is not JSON: {problem}") from None
    return document
