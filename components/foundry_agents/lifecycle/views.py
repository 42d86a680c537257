"""What the core knows of the service: values that an adapter parses once from its responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LATEST = "@latest"
"""The routing target that follows each new active version; the default of a new agent [recorded]."""

WHOLE = 100
"""Percent. The service accepts other sums [recorded]; this library never sends one."""

Progress = Callable[[str], None]
"""Takes one short progress message; must never raise and never gets a secret."""


@dataclass(frozen=True)
class VersionView:
    """One version of an agent, as the service shows it.

    Attributes:
        agent: Name of the agent.
        version: Integer in a string, rising from "1", with gaps.
        status: creating, active, failed, deleting or deleted.
        metadata: What was sent at creation, with the ownership metadata.
        created_at: Seconds since 1970.
        principal_id: Object id of the agent's own Entra identity; "" until known.
        client_id: Client id of the same identity.
        guid: The service's own id of the agent, the same for all its versions [recorded]; "" where it gives none.
        error_code: Set on a failed version.
        error_message: Set on a failed version.
        hosted: False for agents of another kind (prompt, workflow).
        description: What was sent at creation.
        definition: The API payload; never printed, because it holds environment values.
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
class Routing:
    """How an endpoint shares its traffic.

    Attributes:
        routes: The rules, in the service's order; empty means the default (``@latest``).
    """

    routes: tuple[Route, ...] = ()

    @classmethod
    def to(cls, version: str, percent: int = WHOLE, *, rest: str | None = None) -> Routing:
        """Return the routing that gives a version its share and the rest to another one; everything without another."""
        if rest is None or percent == WHOLE:
            return cls((Route(version, WHOLE),))
        return cls((Route(version, percent), Route(rest, WHOLE - percent)))

    @property
    def shares(self) -> dict[str, int]:
        """Percent by version; ``@latest`` where the default is in force."""
        shares: dict[str, int] = {}
        for route in self.routes or (Route(LATEST, WHOLE),):
            shares[route.version] = shares.get(route.version, 0) + route.percent
        return shares

    @property
    def follows_latest(self) -> bool:
        """True when a new active version would get traffic at once."""
        return self.percent_of(LATEST) > 0 or not self.routes

    @property
    def target(self) -> str:
        """The value of the input ``version`` that describes this traffic; not a number when the traffic is split."""
        busy = self._busy()
        if len(busy) == 1 and set(busy.values()) == {WHOLE}:
            return next(iter(busy))
        return ", ".join(f"{version}: {percent} %" for version, percent in sorted(busy.items())) or "none"

    def percent_of(self, version: str) -> int:
        """Return the share that the rules give this version; ``@latest`` is not resolved."""
        return sum(route.percent for route in self.routes if route.version == version)

    def largest(self, *, but: str) -> str | None:
        """Return the numbered version with the largest share, other than ``but``."""
        others = [route for route in self.routes if route.version not in {but, LATEST} and route.percent]
        return max(others, key=lambda route: route.percent).version if others else None

    def describe(self) -> str:
        """Return the routing as text, largest share first: ``90 % on 7, 10 % on 8``."""
        shares = sorted(self.routes, key=lambda route: -route.percent) or [Route(LATEST, WHOLE)]
        return ", ".join(f"{route.percent} % on {route.version}" for route in shares)

    def same_as(self, other: Routing) -> bool:
        """Return whether both give the same versions the same shares; order and shares of 0 have no meaning."""
        return self._busy() == other._busy()

    def whole(self) -> Routing:
        """Return the same routing with a sum of 100, corrected at the largest share; the default without any share."""
        if not any(route.percent for route in self.routes):
            return Routing.to(LATEST)
        shares = self.shares
        largest = max(shares, key=lambda version: shares[version])
        shares[largest] += WHOLE - sum(shares.values())
        return Routing.to(largest) if shares[largest] < 0 else _routing(shares)

    def resolved(self, newest: str | None) -> Routing:
        """Return the same routing with ``@latest`` replaced by the version that it serves now; as it is for None."""
        if newest is None:
            return self.whole()
        shares: dict[str, int] = {}
        for version, percent in self.whole().shares.items():
            number = newest if version == LATEST else version
            shares[number] = shares.get(number, 0) + percent
        return _routing(shares)

    def without(self, version: str, *, rest: str) -> Routing:
        """Return the same routing with the version's share given to ``rest``."""
        shares = self.whole().shares
        shares[rest] = shares.get(rest, 0) + shares.pop(version, 0)
        return _routing(shares)

    def _busy(self) -> dict[str, int]:
        return {version: percent for version, percent in self.shares.items() if percent}


def _routing(shares: Mapping[str, int]) -> Routing:
    return Routing(tuple(Route(version, percent) for version, percent in shares.items()))


@dataclass(frozen=True)
class AgentView:
    """An agent and its endpoint.

    Attributes:
        name: Name of the agent.
        latest: The newest version.
        routes: The routing rules in force, in the service's order; empty means the default (``@latest``).
        protocols: Protocols that the endpoint answers.
        enabled: False when the agent is disabled.
    """

    name: str
    latest: VersionView | None
    routes: tuple[Route, ...] = ()
    protocols: frozenset[str] = frozenset()
    enabled: bool = True

    @property
    def routing(self) -> Routing:
        """The routes as one value."""
        return Routing(self.routes)

    @property
    def follows_latest(self) -> bool:
        """True when a new active version would get traffic at once."""
        return self.routing.follows_latest

    def percent_of(self, version: str) -> int:
        """Return the share that the rules give this version number; ``@latest`` is not resolved."""
        return self.routing.percent_of(version)

    def serves(self, version: str, versions: Sequence[VersionView]) -> bool:
        """Return whether the rules give this version traffic, ``@latest`` resolved.

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
        text: The text of the answer.
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
        metadata: What was sent at creation, with the ownership metadata.
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
        metadata: What was sent at creation, with the ownership metadata.
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
        error: The service's text about a failed one.
    """

    id: str
    status: str
    error: str = ""


@dataclass(frozen=True)
class ImageView:
    """An image as its registry describes it.

    Attributes:
        digest: Digest of the manifest, or of the image index, by which it is pinned.
        platforms: The platforms that it is available for, ``os/architecture``.
        command: Entry point and command of the linux/amd64 image; empty when neither is set.
        ports: Exposed ports of that image, such as ``8088/tcp``.
        problem: Why it is no container image, in words; "" for one that can be described.
    """

    digest: str
    platforms: tuple[str, ...]
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class RunView:
    """A run, as the service shows it.

    Attributes:
        run_id: Its id, such as "ca1".
        status: Queued, Started, Running, Succeeded, Failed, Canceled, Error or Timeout.
        message: The service's own text about a failure; "" for none.
    """

    run_id: str
    status: str
    message: str = ""
