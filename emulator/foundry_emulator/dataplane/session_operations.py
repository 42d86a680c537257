"""Operations on sessions (service-contract 5.1)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from foundry_emulator.dataplane.agents import Agent, Agents
from foundry_emulator.dataplane.call import Call, Handler, answer, no_content
from foundry_emulator.dataplane.paging import Shape, order_of, page
from foundry_emulator.dataplane.problem import invalid
from foundry_emulator.dataplane.router import Router
from foundry_emulator.dataplane.sessions import Session, Sessions
from foundry_emulator.ids import new_id

_MAX_ID = 128


class SessionOperations:
    """Serves the sessions of an agent."""

    def __init__(self, agents: Agents, sessions: Sessions, router: Router) -> None:
        self._agents = agents
        self._sessions = sessions
        self._router = router

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "agents.create_session": self.create,
            "agents.get_session": self.get,
            "agents.list_sessions": self.list,
            "agents.stop_session": self.stop,
            "agents.delete_session": self.delete,
        }

    async def create(self, call: Call) -> Response:
        """Handle POST ``../endpoint/sessions``: 201, ``active`` already [recorded].

        Without ``version_indicator`` the endpoint's rules choose [modelled].
        """
        agent = self._agent(call)
        body = await call.body_without_nulls()
        session_id = body.get("agent_session_id", "")
        if not isinstance(session_id, str) or len(session_id) > _MAX_ID or "/" in session_id:
            raise invalid(f"agent_session_id must be a string of at most {_MAX_ID} characters.", "agent_session_id")
        self._router.check_enabled(agent)
        number = _indicated(body.get("version_indicator"))
        version = self._router.choose(agent) if number is None else agent.version(number)
        self._router.check_ready(version)
        session = self._sessions.create(agent, version.key.version, session_id or new_id())
        return answer(self._show(agent, session), 201)

    async def get(self, call: Call) -> Response:
        """Handle GET ``../endpoint/sessions/{s}``."""
        agent = self._agent(call)
        return answer(self._show(agent, self._sessions.get(agent, call.path["session"])))

    async def list(self, call: Call) -> Response:
        """Handle GET ``../endpoint/sessions``, oldest first, without ``object`` [recorded].

        azd's ``pagination_token`` is read as ``after`` [azd]; the service's response to it is uncertain.
        """
        agent = self._agent(call)
        sessions = self._sessions.of_agent(agent)
        if order_of(call.query, "asc") == "desc":
            sessions.reverse()
        ids = [session.id for session in sessions]
        token = call.query.get("pagination_token")
        return answer(
            page(
                sessions,
                {**({"after": token} if token else {}), **call.query},
                find=lambda cursor: ids.index(cursor) if cursor in ids else None,
                id_of=lambda session: session.id,
                show=lambda session: self._show(agent, session),
                shape=Shape.SESSIONS,
            )
        )

    async def stop(self, call: Call) -> Response:
        """Handle POST ``../sessions/{s}:stop``: 204, 409 when already stopped [azd]."""
        agent = self._agent(call)
        self._sessions.stop(self._sessions.get(agent, call.path["session"]))
        return no_content()

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``../sessions/{s}``: 204, also when missing [sdk]."""
        agent = self._agent(call)
        session = self._sessions.find(agent, call.path["session"])
        if session is not None:
            self._sessions.delete(session)
        return no_content()

    def _agent(self, call: Call) -> Agent:
        return self._agents.get(call.project.name, call.agent)

    def _show(self, agent: Agent, session: Session) -> dict[str, object]:
        return session.document(self._sessions.status(agent, session))


def _indicated(indicator: object) -> str | None:
    if indicator is None:
        return None
    number = indicator.get("agent_version") if isinstance(indicator, Mapping) else None
    if not isinstance(indicator, Mapping) or indicator.get("type") != "version_ref" or not isinstance(number, str):
        raise invalid(
            'version_indicator must be {"type": "version_ref", "agent_version": "<number>"}.', "version_indicator"
        )
    return number
