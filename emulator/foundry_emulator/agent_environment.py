"""The environment of an agent's process: the agent's variables and the platform's (service-contract 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from foundry_emulator.arm import ProjectView
from foundry_emulator.arm.connections import Connections
from foundry_emulator.connection_references import resolve
from foundry_emulator.dataplane.agents import Agent, Version
from foundry_emulator.dataplane.definition import environment_of
from foundry_emulator.identity import TENANT, Identity


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment that a process starts with.

    Attributes:
        variables: All variables; the platform's override the agent's.
        private: Names of the variables whose values must not be shown.
        secrets: Credentials inside values; they must not be shown either.
    """

    variables: Mapping[str, str] = field(repr=False)
    private: frozenset[str]
    secrets: frozenset[str] = field(repr=False)


class AgentEnvironment:
    """Builds the environment at the start of each process.

    An agent gets tokens of its own identity only, over App Service's managed identity protocol:
    ``DefaultAzureCredential`` works in it unchanged. That the service uses these two variables is [modelled].

    Args:
        connections: The connections that values refer to.
        identity: The managed identity of the local Azure.
        token_endpoint: The URL where processes of this machine get tokens.
        trust: The variables that name the CA bundle.
    """

    def __init__(
        self, connections: Connections, identity: Identity, *, token_endpoint: str, trust: Mapping[str, str]
    ) -> None:
        self._connections = connections
        self._identity = identity
        self._token_endpoint = token_endpoint
        self._trust = dict(trust)

    def of(self, project: ProjectView, agent: Agent, version: str, session_id: str) -> Environment:
        """Return the environment of a version's process; ``session_id`` is empty for one that serves all sessions."""
        made = agent.version(version)
        own = environment_of(made.definition)
        resolved = {n: resolve(v, lambda name: self._connections.find(project.id, name)) for n, v in own.items()}
        return Environment(
            variables={name: value.text for name, value in resolved.items()}
            | self._trust
            | self._tokens(made)
            | _injected(project, agent, made, session_id),
            private=frozenset(own) | {"IDENTITY_HEADER"},
            secrets=frozenset[str]().union(*(value.secrets for value in resolved.values())),
        )

    def _tokens(self, version: Version) -> dict[str, str]:
        principal = _of(version.document.get("instance_identity"), "principal_id")
        if not principal:
            return {}  # an agent without identities (Settings.agent_identities)
        return {"IDENTITY_ENDPOINT": self._token_endpoint, "IDENTITY_HEADER": self._identity.header_of(principal)}


def _injected(project: ProjectView, agent: Agent, version: Version, session_id: str) -> dict[str, str]:
    """Return the platform's variables.

    Not included: FOUNDRY_HOSTING_ENVIRONMENT, which would make Microsoft's server library keep responses in a
    storage service that the local Azure lacks; FOUNDRY_AGENT_SESSION_ID where one process serves every session
    (the id comes in the body instead), and _GUID; APPLICATIONINSIGHTS_CONNECTION_STRING and OTEL_*, since
    nothing here receives telemetry. The runtime sets PORT and HOME.
    """
    instance, blueprint = version.document.get("instance_identity"), version.document.get("blueprint")
    own = {"FOUNDRY_AGENT_SESSION_ID": session_id} if session_id else {}
    return own | {
        "FOUNDRY_PROJECT_ENDPOINT": project.endpoint,
        "FOUNDRY_PROJECT_ARM_ID": project.id,
        "FOUNDRY_AGENT_NAME": agent.name,
        "FOUNDRY_AGENT_ID": agent.guid,
        "FOUNDRY_AGENT_VERSION": version.key.version,
        "FOUNDRY_AGENT_INSTANCE_CLIENT_ID": _of(instance, "client_id"),
        "FOUNDRY_AGENT_BLUEPRINT_CLIENT_ID": _of(blueprint, "client_id"),
        "FOUNDRY_AGENT_TENANT_ID": TENANT,
    }


def _of(identity: object, key: str) -> str:
    return str(identity[key]) if isinstance(identity, Mapping) else ""
