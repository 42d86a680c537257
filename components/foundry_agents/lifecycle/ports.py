"""What the core needs from the outside world, in our own words.

Views are what an adapter parses once from the service's answers. The Protocols are what the core calls; the
adapter on the Azure SDK and the twin in memory implement them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from foundry_agents.lifecycle.definition import AgentDefinition

LATEST = "@latest"
"""The routing target that follows each new active version; the default of a new agent [recorded]."""

Progress = Callable[[str], None]
"""Takes one short line for the person who watches; must never raise and never gets a secret."""


@dataclass(frozen=True)
class VersionView:
    """One version of an agent, as the service shows it.

    Attributes:
        agent: Name of the agent.
        version: Integer in a string, rising from "1", with gaps.
        status: creating, active, failed, deleting or deleted.
        metadata: What was sent at creation, our marks included.
        created_at: Seconds since 1970.
        principal_id: Object id of the agent's own Entra identity; "" until known.
        client_id: Client id of the same identity.
        guid: The service's own id of the agent, the same for all its versions [recorded]; "" where it gives none.
        error_code: Set on a failed version.
        error_message: Set on a failed version.
        hosted: False for agents of another kind (prompt, workflow).
        description: What was sent at creation.
        definition: The service's own words for it; never printed, because it holds environment values.
        request_id: Of the answer that showed it; None when it was not read alone.
    """

    agent: str
    version: str
    status: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_at: int = 0
    principal_id: str = ""
    client_id: str = ""
    guid: str = ""
    error_code: str | None = None
    error_message: str | None = None
    hosted: bool = True
    description: str = ""
    definition: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    request_id: str | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """The service's id of a version: ``agent:version``."""
        return f"{self.agent}:{self.version}"


@dataclass(frozen=True, order=True)
class Route:
    """A share of an endpoint's traffic.

    Attributes:
        version: A version number or ``@latest``.
        percent: 0 to 100.
    """

    version: str
    percent: int


@dataclass(frozen=True)
class AgentView:
    """An agent and its endpoint.

    Attributes:
        name: Name of the agent.
        latest: The newest version.
        routes: The routing rules in force, in the service's order; empty means the default (``@latest``).
        protocols: Protocols that the endpoint answers.
        enabled: False when the agent was switched off.
    """

    name: str
    latest: VersionView | None
    routes: tuple[Route, ...] = ()
    protocols: frozenset[str] = frozenset()
    enabled: bool = True

    @property
    def follows_latest(self) -> bool:
        """True when a new active version would take traffic at once."""
        return not self.routes or any(route.version == LATEST and route.percent for route in self.routes)

    def percent_of(self, version: str) -> int:
        """The share of traffic that the rules give this version number; ``@latest`` is not resolved."""
        return sum(route.percent for route in self.routes if route.version == version)

    def serves(self, version: str, versions: Sequence[VersionView]) -> bool:
        """Whether the rules give this version traffic, ``@latest`` resolved.

        Args:
            version: Its number.
            versions: All versions of the agent, newest first: ``@latest`` serves the newest active one, and the newest
                of all may become it.
        """
        if self.percent_of(version):
            return True
        active = next((each.version for each in versions if each.status == "active"), None)
        return self.follows_latest and version in {active, *(each.version for each in versions[:1])}


@dataclass(frozen=True)
class SessionView:
    """A caller's session, which is tied to one version until it is stopped or expires.

    Attributes:
        id: The service's id.
        version: The version that answers in it.
        status: creating, active, idle, updating, failed, deleting, deleted or expired [sdk].
    """

    id: str
    version: str
    status: str

    @property
    def live(self) -> bool:
        """True while it holds its version against a delete [observed for active ones]."""
        return self.status in {"creating", "active", "updating"}


@dataclass(frozen=True)
class Answer:
    """What an agent answered to a question.

    Attributes:
        version: The version that answered; "" when the service did not say.
        text: The words of the answer.
        body: The whole answer, as JSON.
        session: The session it was given in.
    """

    version: str
    text: str
    body: Mapping[str, object]
    session: str


@dataclass(frozen=True)
class PullAccess:
    """What a registry lets a principal do, as Resource Manager shows it.

    Attributes:
        registry_id: ARM id of the registry.
        roles: GUIDs of the roles that the principal has on the registry or anywhere above it, those of its groups
            included.
        conditional: Those of them that hold only under a condition.
        takes_arm_tokens: False when the registry refuses tokens for the ARM audience, with which images are pulled.
        repository_permissions: True when only roles for repositories count.
    """

    registry_id: str
    roles: frozenset[str] = frozenset()
    conditional: frozenset[str] = frozenset()
    takes_arm_tokens: bool = True
    repository_permissions: bool = False


class RegistryAccess(Protocol):
    """What Resource Manager knows about who may pull from a registry. Reads only."""

    def pull_access(self, registry_id: str, principal_id: str) -> PullAccess:
        """Reads the registry and the principal's roles on it. Raises a ServiceError or SignInFailed."""
        ...


class AgentService(Protocol):
    """The Foundry data plane of one project.

    Every method may raise a ServiceError or SignInFailed. A method that returns None for "not there" does so only on
    a definite 404 of that very thing; a missing project raises ProjectNotFound.
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
        """Posts a version, once on the wire. Raises AnswerLost when it may have been made all the same."""
        ...

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        """Deletes a version; False when it was not there. Conflict when sessions use it, unless ``force``."""
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

        Raises NotReady when the version has only just started (424); the caller decides how often to try.
        """
        ...
