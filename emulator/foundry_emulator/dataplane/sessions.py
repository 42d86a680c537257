"""Sessions, which tie a conversation to one version (service-contract 5.1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from foundry_emulator.dataplane.agents import Agent
from foundry_emulator.dataplane.definition import idle_timeout_of
from foundry_emulator.dataplane.problem import ServiceProblem, session_not_found
from foundry_emulator.settings import Settings
from foundry_emulator.store import Document, Store

LIFETIME_S = 2_592_000  # 30 days [recorded]
_DEFAULT_IDLE_S = 900.0


@dataclass(frozen=True, slots=True)
class Session:
    """A session; times are Unix seconds.

    Attributes:
        project: Name of its project.
        agent: Name of its agent.
        id: ``agent_session_id``.
        version: The version it is tied to until it is stopped or expires.
        created_at: When it was created.
        last_accessed_at: When it was last called.
        stopped_at: When it was stopped, or None.
    """

    project: str
    agent: str
    id: str
    version: str
    created_at: int
    last_accessed_at: float
    stopped_at: int | None = None

    @property
    def expires_at(self) -> int:
        """30 days after the session's creation [recorded]."""
        return self.created_at + LIFETIME_S

    def document(self, status: str) -> dict[str, object]:
        """Return the session as responses show it."""
        document: dict[str, object] = {
            "agent_session_id": self.id,
            "version_indicator": {"type": "version_ref", "agent_version": self.version},
            "status": status,
            "created_at": self.created_at,
            "last_accessed_at": int(self.last_accessed_at),
            "expires_at": self.expires_at,
        }
        if self.stopped_at is not None:
            document["stopped_at"] = self.stopped_at
        return document


def new_invoke_id() -> str:
    """Return an id as the service gives to sessions that a call creates: 63 hex digits [recorded]."""
    return secrets.token_hex(32)[:63]


class Sessions:
    """All sessions, durable through the store.

    A session is ``active`` from its creation until its idle timeout has passed since its last call, then
    ``idle``; a stopped one is ``idle`` with ``stopped_at``; after 30 days it is ``expired``. Only an
    active session blocks the deletion of its version. All of this but the 30 days is [modelled].

    Attributes:
        on_end: Called with each stopped or deleted session, and whether it was deleted.
    """

    def __init__(self, store: Store, *, settings: Settings, clock: Callable[[], float]) -> None:
        self.on_end: list[Callable[[Session, bool], None]] = []
        self._settings = settings
        self._clock = clock
        self._stored = store.collection("sessions")
        self._sessions: dict[tuple[str, str], dict[str, Session]] = {}
        for document in self._stored.values():
            session = _session(document)
            self._sessions.setdefault((session.project, session.agent), {})[session.id] = session

    def of_agent(self, agent: Agent) -> list[Session]:
        """Return the sessions of an agent, oldest first."""
        return list(self._sessions.get((agent.project, agent.name), {}).values())

    def find(self, agent: Agent, session_id: str) -> Session | None:
        """Return the session, or None."""
        return self._sessions.get((agent.project, agent.name), {}).get(session_id)

    def get(self, agent: Agent, session_id: str) -> Session:
        """Return the session.

        Raises:
            ServiceProblem: 404.
        """
        session = self.find(agent, session_id)
        if session is None:
            raise session_not_found(session_id)
        return session

    def status(self, agent: Agent, session: Session) -> str:
        """``active``, ``idle`` or ``expired``, now."""
        now = self._clock()
        if now >= session.expires_at:
            return "expired"
        if session.stopped_at is not None or now >= session.last_accessed_at + self._idle_s(agent, session):
            return "idle"
        return "active"

    def active(self, agent: Agent, version: str | None = None) -> list[Session]:
        """Return the active sessions of an agent, or of one of its versions."""
        return [
            session
            for session in self.of_agent(agent)
            if (version is None or session.version == version) and self.status(agent, session) == "active"
        ]

    def create(self, agent: Agent, version: str, session_id: str) -> Session:
        """Create a session on ``version``.

        Raises:
            ServiceProblem: 409 ``conflict`` when the id is taken, [modelled].
        """
        if self.find(agent, session_id) is not None:
            raise ServiceProblem(409, "conflict", f"Session {session_id} already exists")
        now = self._clock()
        session = Session(agent.project, agent.name, session_id, version, int(now), now)
        self._save(session)
        return session

    def touch(self, session: Session, *, version: str | None = None) -> Session:
        """Record a call; with ``version``, a stopped or expired session starts again on that version."""
        if self._sessions.get((session.project, session.agent), {}).get(session.id) is None:
            return session  # deleted during the call
        now = self._clock()
        touched = replace(session, last_accessed_at=now)
        if version is not None:
            touched = replace(touched, version=version, stopped_at=None, created_at=int(now))
        self._save(touched)
        return touched

    def stop(self, session: Session) -> None:
        """Stop a session.

        Raises:
            ServiceProblem: 409 ``session_already_stopped`` [azd].
        """
        if session.stopped_at is not None:
            raise ServiceProblem(409, "session_already_stopped", f"Session {session.id} is already stopped")
        self._save(replace(session, stopped_at=int(self._clock())))
        self._notify(session, deleted=False)

    def delete(self, session: Session) -> None:
        """Remove a session."""
        self._stored.delete(_key(session))
        self._sessions[session.project, session.agent].pop(session.id, None)
        self._notify(session, deleted=True)

    def delete_of(self, agent: Agent, version: str | None = None) -> None:
        """Remove the sessions of an agent, or of one of its versions."""
        for session in self.of_agent(agent):
            if version is None or session.version == version:
                self.delete(session)

    def count(self) -> int:
        """Return the number of sessions."""
        return len(self._stored)

    def _idle_s(self, agent: Agent, session: Session) -> float:
        if self._settings.session_idle_s is not None:
            return self._settings.session_idle_s
        version = agent.versions.get(session.version)
        seconds = idle_timeout_of(version.definition) if version else None
        return _DEFAULT_IDLE_S if seconds is None else seconds

    def _notify(self, session: Session, *, deleted: bool) -> None:
        for listener in self.on_end:
            listener(session, deleted)

    def _save(self, session: Session) -> None:
        self._stored.put(_key(session), _stored(session))
        self._sessions.setdefault((session.project, session.agent), {})[session.id] = session


def _key(session: Session) -> str:
    return f"{session.project}/{session.agent}/{session.id}"


def _stored(session: Session) -> Document:
    return {
        "project": session.project,
        "agent": session.agent,
        "id": session.id,
        "version": session.version,
        "created_at": session.created_at,
        "last_accessed_at": session.last_accessed_at,
        "stopped_at": session.stopped_at,
    }


def _session(document: Document) -> Session:
    def number(key: str) -> float:
        value = document[key]
        return value if isinstance(value, int | float) else 0

    return Session(
        project=str(document["project"]),
        agent=str(document["agent"]),
        id=str(document["id"]),
        version=str(document["version"]),
        created_at=int(number("created_at")),
        last_accessed_at=number("last_accessed_at"),
        stopped_at=None if document["stopped_at"] is None else int(number("stopped_at")),
    )
