"""The contract of a stack: what it publishes about its agents, and how another stack reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

import pulumi
from pulumi import Output, ResourceOptions

from foundry_agents.agent.hosted_agent import HostedAgent
from foundry_agents.lifecycle.failure.errors import ContractError, message
from foundry_agents.project.project import Project, UnmanagedProject
from foundry_agents.registry.registry import Registry
from foundry_agents.resources._plugin import plain_arguments as plain

OUTPUT = "contract"
"""Name of the stack output that holds the contract; other stacks rely on it."""

MAJOR, MINOR = 1, 0
"""Version of the format. Adding a field bumps the minor version; older readers ignore it. Removing a field, or changing
its meaning, bumps the major version; older readers then refuse the contract."""

OPTIONAL = frozenset({"resource_id", "principal_id", "image"})
"""Fields that may be None: of a project that another team manages they may be unknown, and an agent from source code
has no image. A field that is added later belongs here, because contracts of format 1.0 lack it."""

_AN_AGENT, _A_REGISTRY = 'HostedAgent("support", …)', 'AgentRegistry("images", …)'

_T = TypeVar("_T")
_P = TypeVar("_P", bound="PublishedAgent | PublishedProject | PublishedRegistry")


@dataclass(frozen=True)
class PublishedProject(UnmanagedProject):
    """The project that the agents live in.

    Attributes:
        endpoint: Its data plane.
        resource_id: Its ARM id, the scope to grant roles on; None when the publisher does not know it.
        principal_id: Object id of its own identity; None when the publisher does not know it.
    """

    endpoint: Output[str]
    resource_id: Output[str | None]
    principal_id: Output[str | None]


@dataclass(frozen=True)
class PublishedRegistry:
    """The registry that holds the images.

    Attributes:
        login_server: Host in the names of its images.
        resource_id: Its ARM id; None when the publisher does not know it.
    """

    login_server: Output[str]
    resource_id: Output[str | None]


@dataclass(frozen=True)
class PublishedAgent:
    """One agent.

    Attributes:
        agent_name: Its name in the project.
        endpoint: Its endpoint.
        responses_url: URL of the responses protocol.
        version: The version that the publisher's settings describe.
        status: Status of that version: active.
        image: The image that it runs, pinned by digest; None for an agent from source code.
        serving_version: The version with all or most of the traffic.
        traffic: Percent by version number.
        principal_id: Object id of its own identity, to grant roles to; None when it has none.
    """

    agent_name: Output[str]
    endpoint: Output[str]
    responses_url: Output[str]
    version: Output[str]
    status: Output[str]
    image: Output[str | None]
    serving_version: Output[str]
    traffic: Output[Mapping[str, int]]
    principal_id: Output[str | None]


def export_contract(
    project: Project, *agents: HostedAgent, registry: Registry | PublishedRegistry | None = None
) -> None:
    """Publish the agents as the stack output `contract`.

    A secret part stays secret; Pulumi then keeps the whole output secret.

    Args:
        project: The project of the agents.
        agents: Agents to publish, each under the name of its component.
        registry: The registry of their images; None publishes none.

    Raises:
        pulumi.RunError: Arguments of the wrong type; the message names all of them.
    """
    kinds = (Registry, PublishedRegistry)
    plain.reject_problems(
        "export_contract",
        plain.projects("project", project),
        *(
            plain.one_of(f"agents[{at}]", agent, HostedAgent, _AN_AGENT, optional=False)
            for at, agent in enumerate(agents)
        ),
        () if isinstance(registry, kinds) else plain.one_of("registry", registry, Registry, _A_REGISTRY),
    )
    pulumi.export(
        OUTPUT,
        {
            "format": f"{MAJOR}.{MINOR}",
            "project": _written(PublishedProject, project),
            "registry": _written(PublishedRegistry, registry) if registry else None,
            "agents": {agent.pulumi_resource_name: _written(PublishedAgent, _published(agent)) for agent in agents},
        },
    )


@dataclass(frozen=True)
class AgentContract:
    """The contract that another stack publishes. Every value is an Output; a secret one stays secret.

    Attributes:
        stack: Name of that stack.
    """

    stack: str
    _document: Output[Mapping[str, Any]]

    @classmethod
    def from_stack(cls, stack: str, *, name: str | None = None, opts: ResourceOptions | None = None) -> Self:
        """Read the contract of another stack; call it once for each stack in a program.

        Args:
            stack: ``organization/project/stack``; on a backend without organizations the first part is
                ``organization``.
            name: Name of the stack reference in this program; default ``stack``.
            opts: Options of the stack reference.

        Raises:
            ContractError: When a value is read and the stack publishes no contract, one of a newer major format, or
                one without that agent. The program ends with this text and no traceback.
            pulumi.RunError: ``stack`` or ``name`` is no text.
        """
        plain.reject_problems("AgentContract.from_stack", plain.texts(stack=stack), plain.optional_texts(name=name))
        reference = pulumi.StackReference(name or stack, stack_name=stack, opts=opts)
        document = reference.get_output(OUTPUT).apply(_ends_the_program(lambda found: readable(stack, found)))
        return cls(stack, document)

    # Read on access only: Pulumi waits for every output of a program, used or not, and a failing one ends the program.

    @property
    def project(self) -> PublishedProject:
        """The project that the agents live in."""
        return _read(PublishedProject, self.stack, self._document, "project")

    @property
    def registry(self) -> PublishedRegistry:
        """The registry of the images; ends the program when none is published."""
        return _read(PublishedRegistry, self.stack, self._document, "registry")

    def agent(self, name: str) -> PublishedAgent:
        """Return one agent, by the name of its component; the error for an unknown name lists the known ones."""
        plain.reject_problems("AgentContract.agent", plain.texts(name=name))
        return _read(PublishedAgent, self.stack, self._document, "agents", name)

    @property
    def agent_names(self) -> Output[list[str]]:
        """Names of the published agents, sorted."""
        return self._document.apply(lambda document: sorted(document["agents"]))


def readable(stack: str, found: object) -> Mapping[str, Any]:
    """Return the document, if this release can read it.

    Raises:
        ContractError: When there is none, when it is not a contract, or when its major format is another one.
    """
    if not isinstance(found, Mapping) or not isinstance(found.get("agents"), Mapping):
        raise ContractError(
            message(
                f'stack "{stack}" publishes no contract',
                why=f"it has no stack output `{OUTPUT}`"
                if found is None
                else f"its output `{OUTPUT}` is something else",
                do="call fa.export_contract(…) in its program and run its `pulumi up`",
            )
        )
    written = str(found.get("format"))
    major = written.partition(".")[0]
    if not major.isdigit() or int(major) != MAJOR:
        newer = major.isdigit() and int(major) > MAJOR
        who = "here" if newer else "there, and run its `pulumi up`"
        raise ContractError(
            message(
                f'the contract of stack "{stack}" can\'t be read',
                why=f"it is written in format {written}; this release of pulumi-foundry-agents reads {MAJOR}.x",
                do=f"upgrade pulumi-foundry-agents {who}",
            )
        )
    return found


def _published(agent: HostedAgent) -> PublishedAgent:
    return PublishedAgent(
        agent_name=agent.agent_name,
        endpoint=agent.endpoint,
        responses_url=agent.responses_url,
        version=agent.version.version,
        status=agent.version.status,
        image=agent.version.image.apply(lambda known: known or None),
        serving_version=agent.serving_version,
        traffic=agent.traffic,
        principal_id=agent.principal_id.apply(lambda known: known or None),
    )


def _written(kind: type[_P], source: object) -> Mapping[str, Output[Any]]:
    return {row.name: getattr(source, row.name) for row in fields(kind)}


def _read(kind: type[_P], stack: str, document: Output[Mapping[str, Any]], *path: str) -> _P:
    def reader(name: str) -> Callable[[Mapping[str, Any]], Any]:
        return _ends_the_program(lambda found: value_at(stack, found, (*path, name)))

    return kind(**{row.name: document.apply(reader(row.name)) for row in fields(kind)})


def _ends_the_program(read: Callable[[Any], _T]) -> Callable[[Any], _T]:
    """Turn a ContractError, which no caller can catch, into a RunError: Pulumi prints it without a traceback."""

    def call(found: Any) -> _T:
        try:
            return read(found)
        except ContractError as error:
            raise pulumi.RunError(str(error)) from None

    return call


def value_at(stack: str, document: Mapping[str, Any], path: tuple[str, ...]) -> object:
    """Return the value at a path of the document.

    Raises:
        ContractError: When there is none and it is not optional.
    """
    here: Any = document
    for depth, name in enumerate(path):
        inside = here.get(name) if isinstance(here, Mapping) else None
        if inside is None:
            if depth == len(path) - 1 and name in OPTIONAL and isinstance(here, Mapping):
                return None
            raise ContractError(_absent(stack, document, path, depth))
        here = inside
    return here


def _absent(stack: str, document: Mapping[str, Any], path: tuple[str, ...], depth: int) -> str:
    if path[:depth] == ("agents",):
        there = ", ".join(sorted(document["agents"])) or "none"
        return message(
            f'stack "{stack}" publishes no agent "{path[1]}"',
            why=f"its agents: {there}",
            do="take one of these, or give that agent to fa.export_contract(…) in its program",
        )
    return message(
        f'the contract of stack "{stack}" has no {".".join(path[: depth + 1])}',
        why=f"it is written in format {document.get('format')}; this release writes {MAJOR}.{MINOR}",
        do="run `pulumi up` of that stack with this release"
        if path[0] != "registry"
        else "give fa.export_contract(…) its registry there",
    )
