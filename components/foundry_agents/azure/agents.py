"""AgentService on azure-ai-projects: the core's types in, API payloads out, responses parsed into views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import (
    AgentDetails,
    AgentVersionDetails,
    CodeConfiguration,
    ContainerConfiguration,
    HeaderTelemetryEndpointAuth,
    HostedAgentDefinition,
    OtlpTelemetryEndpoint,
    ProtocolVersionRecord,
    RaiConfig,
    RaiInvocationModeration,
    SessionConfiguration,
    TelemetryConfig,
    TelemetryEndpoint,
)
from azure.core.pipeline import PipelineResponse

from foundry_agents.azure.errors import found_items, found_or_none, request_id_of, translated, was_found
from foundry_agents.azure.sessions import NO_RETRY, AgentSessions
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import AgentView, Route, VersionView

_AGENT = "Agent"
"""The first word of the service's 404 of an agent or a version."""

UPLOAD_TIMEOUTS: dict[str, Any] = {"connection_timeout": 600, "read_timeout": 600}
"""Seconds. `connection_timeout` also limits the upload of a zip of 250 MB (urllib3)."""


class FoundryAgentService(AgentSessions):
    """The agents of one project.

    Args:
        project: The SDK's client of the project.
        endpoint: The project's endpoint, for error texts.
    """

    def __init__(self, project: AIProjectClient, endpoint: str) -> None:
        super().__init__(project, endpoint)
        self._agents = project.agents

    def get_agent(self, agent: str) -> AgentView | None:
        """GET /agents/{agent}."""
        with translated(f"GET {self._url(agent)}"):
            found = found_or_none(lambda: self._agents.get(agent), subject=_AGENT)
        return _agent_view(found) if found else None

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        """GET /agents/{agent}/versions, newest first, page by page."""
        with translated(f"GET {self._url(agent)}/versions"):
            pages = partial(self._agents.list_versions, agent, order="desc", limit=100)
            yield from map(_version_view, found_items(pages, subject=_AGENT))

    def get_version(self, agent: str, version: str) -> VersionView | None:
        """GET /agents/{agent}/versions/{version}."""
        with translated(f"GET {self._url(agent)}/versions/{version}"):
            # The call returns what `cls` returns, whatever the SDK's annotation says.
            read: Callable[[], Any] = partial(self._agents.get_version, agent, version, cls=_with_request_id)
            found = found_or_none(read, subject=_AGENT)
        if found is None:
            return None
        details, request_id = found
        return replace(_version_view(details), request_id=request_id)

    def create_version(self, agent: str, definition: AgentDefinition, metadata: Mapping[str, str]) -> VersionView:
        """POST /agents/{agent}/versions, sent once, without retries of the SDK; with its zip for a code agent."""
        said: dict[str, Any] = {
            "definition": hosted(definition),
            "metadata": dict(metadata),
            "description": definition.description or None,
            **NO_RETRY,
        }
        with translated(f"POST {self._url(agent)}/versions", writes=True):
            if definition.code is None:
                return _version_view(self._agents.create_version(agent, **said))
            archive, sha256 = definition.archive, definition.code["sha256"]
            if archive is None:
                raise ValueError("a code agent is posted together with its zip")
            archive.seek(0)
            details = self._agents.create_version_from_code(
                agent, code=archive, code_zip_sha256=sha256, **said, **UPLOAD_TIMEOUTS
            )
            return _version_view(details)

    def delete_version(self, agent: str, version: str, *, force: bool) -> bool:
        """DELETE /agents/{agent}/versions/{version}."""
        with translated(f"DELETE {self._url(agent)}/versions/{version}"):
            return was_found(lambda: self._agents.delete_version(agent, version, force=force or None), subject=_AGENT)

    def delete_agent(self, agent: str, *, force: bool) -> bool:
        """DELETE /agents/{agent}."""
        with translated(f"DELETE {self._url(agent)}"):
            return was_found(lambda: self._agents.delete(agent, force=force or None), subject=_AGENT)

    def set_routes(
        self, agent: str, routes: Sequence[Route], *, enable_protocols: frozenset[str] = frozenset()
    ) -> AgentView:
        """PATCH /agents/{agent}: a merge patch of the rules; other settings of the endpoint stay."""
        rules = [
            {"type": "FixedRatio", "agent_version": route.version, "traffic_percentage": route.percent}
            for route in routes
        ]
        endpoint: dict[str, object] = {"version_selector": {"version_selection_rules": rules}}
        if enable_protocols:
            endpoint["protocol_configuration"] = {name: {} for name in sorted(enable_protocols)}
        with translated(f"PATCH {self._url(agent)}", writes=True):
            details = self._agents.update_details(agent, {"agent_endpoint": endpoint}, **NO_RETRY)
            return _agent_view(details)


def hosted(definition: AgentDefinition) -> HostedAgentDefinition:
    """Return the SDK's model of a definition; fields that are not set are not sent."""
    idle = definition.session_idle_timeout_s
    return HostedAgentDefinition(
        cpu=definition.cpu,
        memory=definition.memory,
        container_configuration=_container(definition),
        code_configuration=_code(definition),
        protocol_versions=[
            ProtocolVersionRecord(protocol=name, version=version)
            for name, version in sorted(definition.protocols.items())
        ],
        environment_variables=dict(definition.environment) or None,
        enable_memory_snapshot=definition.memory_snapshot or None,
        rai_config=_rai(definition),
        session_configuration=SessionConfiguration(idle_timeout_seconds=timedelta(seconds=idle)) if idle else None,
        telemetry_config=_telemetry(definition),
    )


def _container(definition: AgentDefinition) -> ContainerConfiguration | None:
    if definition.image is None:
        return None
    return ContainerConfiguration(image=definition.image, registry_connection_id=definition.registry_connection)


def _code(definition: AgentDefinition) -> CodeConfiguration | None:
    if definition.code is None:
        return None
    # The digest is sent as a header: in the definition it is read-only [sdk].
    return CodeConfiguration(**{name: value for name, value in definition.code.items() if name != "sha256"})


def _rai(definition: AgentDefinition) -> RaiConfig | None:
    if definition.rai_policy is None:
        return None
    moderation = definition.rai_moderation
    return RaiConfig(
        rai_policy_name=definition.rai_policy,
        # The inputs have the names of the API.
        invocations_moderation=RaiInvocationModeration(dict(moderation)) if moderation else None,
    )


def _telemetry(definition: AgentDefinition) -> TelemetryConfig | None:
    if not definition.telemetry:
        return None
    return TelemetryConfig(endpoints=[_collector(one) for one in definition.telemetry])


def _collector(one: Mapping[str, Any]) -> TelemetryEndpoint:
    header = one.get("header")
    auth = header and HeaderTelemetryEndpointAuth(
        header_name=header["name"], secret_id=header["secret_id"], secret_key=header["secret_key"]
    )
    return OtlpTelemetryEndpoint(endpoint=one["endpoint"], protocol=one["protocol"], data=list(one["data"]), auth=auth)


def _with_request_id(
    response: PipelineResponse[Any, Any], details: AgentVersionDetails, _headers: object
) -> tuple[AgentVersionDetails, str | None]:
    return details, request_id_of(response.http_response.headers)


def _version_view(details: AgentVersionDetails) -> VersionView:
    # By key, not by attribute: attributes turn times and statuses into richer types, and `error` has none [sdk].
    identity = details.get("instance_identity") or {}
    error = details.get("error") or {}
    return VersionView(
        agent=details["name"],
        version=details["version"],
        status=details.get("status") or "active",
        metadata=dict(details.get("metadata") or {}),
        created_at=int(details.get("created_at") or 0),
        principal_id=identity.get("principal_id", ""),
        client_id=identity.get("client_id", ""),
        guid=details.get("agent_guid") or "",
        error_code=error.get("code"),
        error_message=error.get("message"),
        hosted=(details.get("definition") or {}).get("kind") == "hosted",
        description=details.get("description") or "",
        definition=details.as_dict().get("definition") or {},
    )


def _agent_view(details: AgentDetails) -> AgentView:
    endpoint = details.get("agent_endpoint") or {}
    rules = (endpoint.get("version_selector") or {}).get("version_selection_rules") or []
    latest = (details.get("versions") or {}).get("latest")
    protocols = (endpoint.get("protocol_configuration") or {}).keys() | set(endpoint.get("protocols") or [])
    return AgentView(
        name=details["name"],
        latest=_version_view(latest) if latest else None,
        routes=tuple(Route(rule["agent_version"], int(rule.get("traffic_percentage", 0))) for rule in rules),
        protocols=frozenset(protocols),
        enabled=details.get("state", "enabled") != "disabled",
    )
