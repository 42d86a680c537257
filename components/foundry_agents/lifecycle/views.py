"""What the world looks like to the core: values that an adapter parses once from the service's responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True)
class ToolboxVersionView:
    """One version of a toolbox, as the service shows it. It has no status: it is usable when it is there.

    Attributes:
        toolbox: Name of the toolbox.
        version: Integer in a string, rising from "1".
        metadata: What was sent at creation, our marks included.
        created_at: Seconds since 1970.
        service_id: The service's own id, ``toolbox_…:1``; "" where it gives none.
    """

    toolbox: str
    version: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_at: int = 0
    service_id: str = ""

    @property
    def id(self) -> str:
        """``toolbox:version``; the service's own id names no toolbox."""
        return f"{self.toolbox}:{self.version}"


@dataclass(frozen=True)
class AgentEnvironment:
    """The variables of an agent's version: they tell which toolbox versions and vector stores it uses.

    Attributes:
        version: ``agent:version``.
        values: The values alone; never printed.
    """

    version: str
    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class VectorStoreView:
    """A vector store, as the service shows it.

    Attributes:
        id: The service's id, ``vs_…``: what file search is given.
        name: What it is called; not unique.
        status: in_progress, completed or expired [sdk].
        metadata: What was sent at creation, our marks included.
        total: How many files it has.
        done: How many of them can be searched.
        failed: How many could not be indexed.
    """

    id: str
    name: str
    status: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    total: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class FileView:
    """A file of the project.

    Attributes:
        id: The service's id.
        filename: What it was called when it was uploaded; files have no metadata.
    """

    id: str
    filename: str


@dataclass(frozen=True)
class StoredFile:
    """A file in a vector store.

    Attributes:
        id: The file's id.
        status: in_progress, completed, cancelled or failed [sdk].
        error: The service's words on one that failed.
    """

    id: str
    status: str
    error: str = ""


@dataclass(frozen=True)
class ImageView:
    """An image as its registry describes it.

    Attributes:
        digest: What it is pinned by: of the index, when it is one.
        platforms: Those it is there for, ``os/architecture``.
        command: What starts: entry point and command of the linux/amd64 image; empty when neither is set.
        ports: Exposed ports of that image, such as ``8088/tcp``.
    """

    digest: str
    platforms: tuple[str, ...]
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunView:
    """A run, as the service shows it.

    Attributes:
        run_id: Its id, such as "ca1".
        status: Queued, Started, Running, Succeeded, Failed, Canceled, Error or Timeout.
        message: The service's own words about a failure; "" for none.
    """

    run_id: str
    status: str
    message: str = ""
