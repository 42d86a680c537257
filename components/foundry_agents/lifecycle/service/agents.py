"""What the core asks of a project's agents; implemented on the Azure SDK, and in memory for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import AgentView, Answer, Route, SessionView, VersionView


class AgentService(Protocol):
    """The Foundry data plane of one project.

    Every method may raise a ServiceError or SignInError. A method that returns None for "not there" does so only on
    a definite 404 of that very thing; a missing project raises ProjectNotFoundError.
    """

    def get_agent(self, agent: str) -> AgentView | None:
        """Reads the agent with its endpoint."""
        ...

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        """Walks all versions, newest first; nothing for an agent that isn't there. Its status may lag."""
        ...

    def get_version(self, agent: str, version: str) -> VersionView | None:
        """Reads one version; unlike a list, this is never stale."""
        ...

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        """Posts a version, once on the wire. Raises ResponseLostError when it may have been made all the same."""
        ...

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        """Deletes a version; False when it was not there. ConflictError when sessions use it, unless ``force``."""
        ...

    def delete_agent(self, agent: str, *, force: bool) -> bool:
        """Deletes the agent with all its versions; False when it was not there."""
        ...

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        """Replaces the routing rules and nothing else, but for protocols that are switched on beside."""
        ...

    def enable(self, agent: str) -> None:
        """Switches an agent on that somebody has switched off; harmless when it is on."""
        ...

    def list_sessions(self, agent: str) -> Iterator[SessionView]:
        """Walks the sessions of an agent, in the service's order."""
        ...

    def create_session(self, agent: str, version: str) -> str:
        """Opens a session on this version, whatever the routing says, and gives its id."""
        ...

    def delete_session(self, agent: str, session: str) -> None:
        """Ends and forgets a session; fine when it is not there."""
        ...

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        """Asks once: in ``session``, or through the endpoint's routing in a session that the service makes.

        Raises NotReadyError when the version has only just started (424); the caller decides how often to try.
        """
        ...
