"""The path of a call to the agent's process, and of its response (service-contract 5.3, 9)."""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response, StreamingResponse

from foundry_emulator.dataplane.agents import Agent, Agents, Version, VersionKey
from foundry_emulator.dataplane.call import Call
from foundry_emulator.dataplane.definition import HOSTED, protocols_of
from foundry_emulator.dataplane.problem import ServiceProblem, bad_request, invalid, not_implemented
from foundry_emulator.dataplane.router import Router
from foundry_emulator.dataplane.sessions import Session, Sessions, new_invoke_id
from foundry_emulator.runtime import AgentAnswer, AgentCall, Instance, StartFailed
from foundry_emulator.settings import Settings

_KNOWN_VERSIONS = frozenset({"1.0.0", "2.0.0"})  # of responses and of invocations
_PASSED_ON = ("accept", "content-type", "traceparent", "tracestate", "x-ms-client-request-id")
_PASSED_BACK = ("x-platform-", "x-agent-", "x-adc-")
_MAX_SESSION_ID = 128
_REMEMBERED = 10_000


class Instances(Protocol):
    """Runs versions."""

    async def instance(self, key: VersionKey, session_id: str) -> Instance:
        """Return the instance that serves a session of an active version.

        Raises:
            StartFailed: No instance can be started.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """The version, session and instance that serve a call.

    Attributes:
        version: The version.
        session: The session.
        instance: The process, or the fake of one.
    """

    version: Version
    session: Session
    instance: Instance


class Forward:
    """Finds the instance that serves a call, sends the call, and remembers where responses were created.

    The process that created a response or an invocation keeps it. The emulator remembers the process of the last
    10,000 of them, until a restart, which the processes do not survive either.
    """

    def __init__(
        self, agents: Agents, sessions: Sessions, router: Router, instances: Instances, settings: Settings
    ) -> None:
        self._agents = agents
        self._sessions = sessions
        self._router = router
        self._instances = instances
        self._settings = settings
        self._makers: OrderedDict[tuple[str, str, str], tuple[str, str]] = OrderedDict()

    async def enter(self, call: Call, protocol: str, session_id: str | None) -> Place:
        """Return the place of a new call, in the requested session or in a new one.

        Raises:
            ServiceProblem: The call is not possible; the code says why.
        """
        agent = self.hosted(call)
        version, session = self._router.place(agent, session_id)
        _check_protocol(version, protocol)
        requested = new_invoke_id() if session is None else session.id
        instance = await self._instance(version, requested)
        return Place(version, self._router.enter(agent, version, session, requested), instance)

    async def anywhere(self, call: Call, protocol: str) -> tuple[Version, Instance]:
        """Return a version for a call that needs no session."""
        agent = self.hosted(call)
        self._router.check_enabled(agent)
        version = self._router.choose(agent)
        self._router.check_ready(version)
        _check_protocol(version, protocol)
        return version, await self._instance(version, "")

    async def maker(self, call: Call, made: str, what: str) -> tuple[Version, Instance]:
        """Return the place where a response or an invocation was created.

        Raises:
            ServiceProblem: 404 when it is unknown or no longer known, [modelled].
        """
        agent = self.hosted(call)
        number, session_id = self._makers.get((agent.project, agent.name, made), ("", ""))
        version = agent.versions.get(number)
        if version is None:
            raise ServiceProblem(404, "not_found", f"{what} {made} not found")
        self._router.check_ready(version)
        return version, await self._instance(version, session_id)

    def remember(self, place: Place, made: str) -> None:
        """Remember where a response or an invocation was created."""
        key = place.version.key
        self._makers[key.project, key.agent, made] = key.version, place.session.id
        if len(self._makers) > _REMEMBERED:
            self._makers.popitem(last=False)

    def touch(self, place: Place) -> None:
        """Record that the session was in use until now."""
        self._sessions.touch(place.session)

    async def ask(self, call: Call, instance: Instance, forwarded: AgentCall) -> AgentAnswer:
        """Send a call to its instance.

        Raises:
            ServiceProblem: 424 or 504 without a response.
        """
        where = f"Agent {call.agent}"
        try:
            return await instance.call(forwarded, timeout_s=self._settings.invoke_timeout_s)
        except TimeoutError as problem:
            raise ServiceProblem(
                504,
                "server_error",
                f"{where} did not answer: {problem}.",
                headers={"x-adc-response-details": "ProxyTimeout", "x-platform-error-source": "upstream"},
            ) from None
        except ConnectionError as problem:
            raise ServiceProblem(
                424,
                "session_not_ready",
                f"{where} could not be reached: {problem}. Read its logs and try again.",
                headers={"x-platform-error-source": "upstream"},
            ) from None

    def hosted(self, call: Call) -> Agent:
        """Return the agent of the call, which must be a hosted one."""
        agent = self._agents.get(call.project.name, call.agent)
        if agent.kind != HOSTED:
            raise not_implemented(f"calls to agents of kind '{agent.kind}'")
        return agent

    async def _instance(self, version: Version, session_id: str) -> Instance:
        try:
            return await self._instances.instance(version.key, session_id)
        except StartFailed as failure:
            # A version that became active once and can't be started again; the code is [docs], its use
            # for this case [modelled].
            raise ServiceProblem(424, "session_creation_failed", f"[{failure.code}] {failure.message}") from None


def headers_for(call: Call, session_id: str | None) -> dict[str, str]:
    """Return the headers for the agent: the caller's identity instead of the caller's token."""
    given = call.request.headers
    headers = {name: given[name] for name in _PASSED_ON if name in given}
    headers |= {name: value for name, value in given.items() if name.startswith("x-client-")}
    headers |= {
        "x-request-id": call.request_id,
        "x-agent-user-id": call.principal,
        "x-agent-foundry-call-id": secrets.token_hex(16),
    }
    return headers if session_id is None else headers | {"x-agent-session-id": session_id}


def session_id_of(body: Mapping[str, object], query: Mapping[str, str]) -> str | None:
    """Return the requested session: in the body [recorded], under azd's name for it [azd], or in the query."""
    for value, where in (
        (body.get("agent_session_id"), "agent_session_id"),
        (body.get("session_id"), "session_id"),
        (query.get("agent_session_id"), "agent_session_id"),
    ):
        if value is None or value == "":
            continue
        if not isinstance(value, str) or len(value) > _MAX_SESSION_ID:
            raise invalid(f"{where} must be a string of at most {_MAX_SESSION_ID} characters.", where)
        return value
    return None


def headers_back(answer: AgentAnswer, session_id: str | None) -> dict[str, str]:
    """Return the agent's headers that the caller gets."""
    headers = {name: value for name, value in answer.headers.items() if name.startswith(_PASSED_BACK)}
    if session_id is not None:
        headers["x-agent-session-id"] = session_id
    headers["content-type"] = answer.headers.get("content-type", "application/json")
    return headers


async def whole(answer: AgentAnswer, agent: str) -> bytes:
    """Return the whole body of a response.

    Raises:
        ServiceProblem: 424 when it breaks off.
    """
    try:
        return b"".join([part async for part in answer.body])
    except ConnectionError as problem:
        raise ServiceProblem(424, "session_not_ready", f"Agent {agent} broke off its answer: {problem}.") from None


async def passed_back(answer: AgentAnswer, agent: str, session_id: str | None = None) -> Response:
    """Return a response: events as they arrive, anything else in one piece."""
    headers = headers_back(answer, session_id)
    if headers["content-type"].startswith("text/event-stream"):
        return StreamingResponse(answer.body, answer.status, headers=headers)
    body = await whole(answer, agent)
    return Response(body, answer.status, headers=headers)


def json_object(body: bytes) -> dict[str, object]:
    """Return the JSON object in an agent's response; empty when there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _check_protocol(version: Version, protocol: str) -> None:
    declared = protocols_of(version.definition).get(protocol)
    if declared is None:  # [modelled]
        raise bad_request(f"Agent {version.key.agent} does not declare the {protocol} protocol.")
    if declared not in _KNOWN_VERSIONS:  # [observed], of responses
        raise bad_request(f"Unsupported {protocol} protocol version '{declared}', use version '2.0.0'")
