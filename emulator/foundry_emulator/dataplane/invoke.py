"""Calls to agents over the responses protocol (service-contract 5.3)."""

import json
import secrets
from collections.abc import Mapping
from typing import Protocol

from starlette.responses import Response, StreamingResponse

from foundry_emulator.dataplane.agents import Agents, Version, VersionKey
from foundry_emulator.dataplane.call import Call
from foundry_emulator.dataplane.definition import HOSTED, protocols_of
from foundry_emulator.dataplane.problem import ServiceProblem, bad_request, invalid, not_implemented
from foundry_emulator.dataplane.router import Router
from foundry_emulator.dataplane.sessions import Session, Sessions
from foundry_emulator.dataplane.wire import render
from foundry_emulator.runtime import AgentAnswer, AgentCall, Instance, StartFailed
from foundry_emulator.settings import Settings

_RESPONSES_VERSIONS = frozenset({"1.0.0", "2.0.0"})
_PASSED_ON = ("accept", "content-type", "traceparent", "tracestate", "x-ms-client-request-id")
_PASSED_BACK = ("x-platform-", "x-agent-", "x-adc-")
_MAX_SESSION_ID = 128


class Instances(Protocol):
    """What runs versions."""

    async def instance(self, key: VersionKey) -> Instance:
        """What runs an active version.

        Raises:
            StartFailed: nothing can.
        """
        ...


class Invoke:
    """Serves the agents' endpoints."""

    def __init__(
        self, agents: Agents, sessions: Sessions, router: Router, instances: Instances, settings: Settings
    ) -> None:
        self._agents = agents
        self._sessions = sessions
        self._router = router
        self._instances = instances
        self._settings = settings

    async def responses(self, call: Call) -> Response:
        """POST ``../endpoint/protocols/openai/responses``, whole or streamed."""
        agent = self._agents.get(call.project.name, call.agent)
        if agent.kind != HOSTED:
            raise not_implemented(f"calls to agents of kind '{agent.kind}'")
        body = await call.body()
        version, session = self._router.place(agent, _session_id(body, call.query))
        _check_protocol(version)
        instance = await self._instance(version)
        session = self._router.enter(agent, version, session)
        answer = await self._ask(instance, call, _forwarded(call, body, version, session))
        self._sessions.touch(session)
        return await _passed_back(answer, version, session, streamed=body.get("stream") is True)

    async def _instance(self, version: Version) -> Instance:
        try:
            return await self._instances.instance(version.key)
        except StartFailed as failure:
            # A version that became active once and can't be started again; the code is [docs], its use
            # for this case [modelled].
            raise ServiceProblem(424, "session_creation_failed", f"[{failure.code}] {failure.message}") from None

    async def _ask(self, instance: Instance, call: Call, forwarded: AgentCall) -> AgentAnswer:
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


def _session_id(body: Mapping[str, object], query: Mapping[str, str]) -> str | None:
    """The session asked for: in the body [recorded], under azd's name for it [azd], or in the query."""
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


def _check_protocol(version: Version) -> None:
    declared = protocols_of(version.definition).get("responses")
    if declared is None:  # [modelled]
        raise bad_request(f"Agent {version.key.agent} does not declare the responses protocol.")
    if declared not in _RESPONSES_VERSIONS:  # [observed]
        raise bad_request(f"Unsupported responses protocol version '{declared}', use version '2.0.0'")


def _forwarded(call: Call, body: Mapping[str, object], version: Version, session: Session) -> AgentCall:
    """The call as the agent gets it.

    With its session and its own name, which its server library puts into the answer, and with the caller's
    identity instead of the caller's token.
    """
    given = call.request.headers
    headers = {name: given[name] for name in _PASSED_ON if name in given}
    headers |= {name: value for name, value in given.items() if name.startswith("x-client-")}
    headers |= {
        "content-type": "application/json",
        "x-request-id": call.request_id,
        "x-agent-user-id": call.principal,
        "x-agent-foundry-call-id": secrets.token_hex(16),
        "x-agent-session-id": session.id,
    }
    document = {**body, "agent_session_id": session.id, "agent_reference": _reference(version)}
    document.pop("session_id", None)
    return AgentCall("/responses", headers, render(document))


def _reference(version: Version) -> dict[str, str]:
    return {"type": "agent_reference", "name": version.key.agent, "version": version.key.version}


async def _passed_back(answer: AgentAnswer, version: Version, session: Session, *, streamed: bool) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name.startswith(_PASSED_BACK)}
    headers["x-agent-session-id"] = session.id
    headers["content-type"] = answer.headers.get("content-type", "application/json")
    if streamed and headers["content-type"].startswith("text/event-stream"):
        return StreamingResponse(answer.body, answer.status, headers=headers)
    try:
        body = b"".join([part async for part in answer.body])
    except ConnectionError as problem:
        raise ServiceProblem(
            424, "session_not_ready", f"Agent {version.key.agent} broke off its answer: {problem}."
        ) from None
    return Response(_completed(body, version, session), answer.status, headers=headers)


def _completed(body: bytes, version: Version, session: Session) -> bytes:
    """A response object with what the service adds when the agent did not: session and version."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if not isinstance(document, dict) or document.get("object") != "response":
        return body
    added = {"agent_reference": _reference(version), "agent_session_id": session.id}
    if all(document.get(key) for key in added):
        return body
    return render({**document, **{key: document.get(key) or value for key, value in added.items()}})
