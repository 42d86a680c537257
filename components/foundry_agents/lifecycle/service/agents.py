"""What the core asks of a project's agents; implemented on the Azure SDK, and in memory for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import AgentView, Answer, Route, SessionView, VersionView


class AgentService(Protocol):
    """The Foundry data plane of one project.

    Every method may raise a ServiceError or SignInError. A method returns None for a missing agent or version only on a
    definite 404 of it; a missing project raises ProjectNotFoundError.
    """

    def get_agent(self, agent: str) -> AgentView | None:
        """Read the agent with its endpoint."""
        ...

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        """Yield all versions, newest first; nothing for a missing agent. The statuses may be stale."""
        ...

    def get_version(self, agent: str, version: str) -> VersionView | None:
        """Read one version; unlike a list, this is never stale."""
        ...

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        """Send one POST of a version. Raise ResponseLostError when it may have been created anyway."""
        ...

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        """Delete a version; False when it is missing. ConflictError when sessions use it, unless ``force``."""
        ...

    def delete_agent(self, agent: str, *, force: bool) -> bool:
        """Delete the agent with all its versions; False when it is missing."""
        ...

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        """Replace the routing rules and enable these protocols; nothing else changes."""
        ...

    def enable(self, agent: str) -> None:
        """Enable a disabled agent; harmless when it is enabled."""
        ...

    def list_sessions(self, agent: str) -> Iterator[SessionView]:
        """Yield the sessions of an agent, in the service's order."""
        ...

    def create_session(self, agent: str, version: str) -> str:
        """Open a session pinned to this version, whatever the routing says; return its id."""
        ...

    def delete_session(self, agent: str, session: str) -> None:
        """End and delete a session; a missing one is no error."""
        ...

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        """Ask once: in ``session``, or through the endpoint's routing in a session that the service creates.

        Raise NotReadyError when the version has only just started (424); the caller decides how often to try.
        """
        ...
