"""The version that answers a call (service-contract 4.1, 5.1, 10.1)."""

from __future__ import annotations

import random

from foundry_emulator.dataplane.agents import Agent, Version
from foundry_emulator.dataplane.endpoint import LATEST
from foundry_emulator.dataplane.problem import ServiceProblem, bad_request
from foundry_emulator.dataplane.sessions import Session, Sessions


class Router:
    """Routes new sessions by the endpoint's rules and keeps existing ones on their version.

    Args:
        sessions: The sessions.
        source: The randomness of the traffic split.
    """

    def __init__(self, sessions: Sessions, source: random.Random) -> None:
        self._sessions = sessions
        self._source = source

    def check_enabled(self, agent: Agent) -> None:
        """Refuse new calls and sessions of a disabled agent: 403 as Microsoft's sample expects it [sdk].

        Raises:
            ServiceProblem: 403, its code and text [modelled].
        """
        if not agent.enabled:
            raise ServiceProblem(403, "agent_disabled", f"Agent {agent.name} is disabled; enable it to call it.")

    def check_ready(self, version: Version) -> None:
        """Refuse a version that can't be called.

        Raises:
            ServiceProblem: 400 ``agent_version_not_ready`` or ``agent_version_failed`` [docs][azd].
        """
        where = f"Agent {version.key.agent} version {version.key.version}"
        if version.status == "failed":
            error = version.error or {}
            raise ServiceProblem(
                400, "agent_version_failed", f"{where} failed: [{error.get('code')}] {error.get('message')}"
            )
        if version.status != "active":
            raise ServiceProblem(
                400, "agent_version_not_ready", f"{where} is {version.status}; call it when it is active."
            )

    def choose(self, agent: Agent) -> Version:
        """Return the version for a new session.

        ``@latest`` is the newest active version, or the newest one when none is active [modelled]:
        a failed version takes no traffic from the one before.

        Raises:
            ServiceProblem: 400 when all percentages are 0 [modelled], 404 when the chosen version was deleted.
        """
        number = agent.endpoint.choose(self._source)
        if number is None:
            raise bad_request(f"Agent {agent.name} routes no traffic: every rule has 0 percent.")
        if number != LATEST:
            return agent.version(number)
        active = (version for version in agent.released if version.status == "active")
        return next(active, None) or agent.version(LATEST)

    def place(self, agent: Agent, session_id: str | None) -> tuple[Version, Session | None]:
        """Return the target of a call: its session's version, or a version for a new session.

        Raises:
            ServiceProblem: 404 for an unknown session [modelled]; all of `choose` and `check_ready`.
        """
        self.check_enabled(agent)
        session = None if session_id is None else self._sessions.get(agent, session_id)
        if session is not None and self.keeps_version(agent, session):
            version = agent.version(session.version)
        else:
            version = self.choose(agent)
        self.check_ready(version)
        return version, session

    def enter(self, agent: Agent, version: Version, session: Session | None, session_id: str) -> Session:
        """Return the session of a routed call: created with that id, started again, or marked as used."""
        if session is None:
            return self._sessions.create(agent, version.key.version, session_id)
        renewed = None if self.keeps_version(agent, session) else version.key.version
        return self._sessions.touch(session, version=renewed)

    def keeps_version(self, agent: Agent, session: Session) -> bool:
        """Return whether a session keeps its version: until it is stopped or expires [azd]."""
        return session.stopped_at is None and self._sessions.status(agent, session) != "expired"
