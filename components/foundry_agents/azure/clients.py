"""One credential and one client for each project endpoint in a process, shared by all its threads."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from azure.ai.projects import AIProjectClient, models
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from requests import Session
from requests.adapters import HTTPAdapter

from foundry_agents.azure.agents import FoundryAgentService
from foundry_agents.azure.arm import resource_manager
from foundry_agents.azure.registry_permissions import ArmRegistryAccess
from foundry_agents.azure.sdk_models import set_up
from foundry_agents.azure.sign_in import credential
from foundry_agents.azure.toolboxes import FoundryToolboxService
from foundry_agents.azure.vector_stores import FoundryVectorStoreService

CONNECTIONS = 64
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
"""No call of the control plane takes this long; the SDK's own 300 s, four times, would block a refresh too long."""

LONGEST_RETRY_AFTER_S = 2.0


class BriefRetries(RetryPolicy[Any, Any]):
    """The SDK's retries, except for reads with a long Retry-After.

    The SDK sleeps as long as Retry-After says, without regard to any deadline. Such a response is raised instead, and
    the poll, which knows the deadline, waits.
    """

    def increment(self, settings: dict[str, Any], response: Any = None, error: Any = None) -> bool:
        """Count a retry; False when there must be none."""
        # When a connection broke, `response` is the request.
        read = isinstance(response, PipelineResponse) and response.http_request.method == "GET"
        if read and (self.get_retry_after(response) or 0) > LONGEST_RETRY_AFTER_S:
            return False
        return bool(super().increment(settings, response=response, error=error))


def _transport() -> RequestsTransport:
    """Return a transport with one connection for each worker thread; the default pool of ten discards the others."""
    session = Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return RequestsTransport(session=session, connection_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S)


@lru_cache(maxsize=64)
def _client(project_endpoint: str) -> AIProjectClient:
    """Return the client of a project, signed in with DefaultAzureCredential; no request before its first call."""
    set_up(models)
    return AIProjectClient(project_endpoint, credential(), transport=_transport(), retry_policy=BriefRetries())


@lru_cache(maxsize=64)
def agent_service(project_endpoint: str) -> FoundryAgentService:
    """Return the agents of a project."""
    return FoundryAgentService(_client(project_endpoint), project_endpoint)


@lru_cache(maxsize=64)
def toolbox_service(project_endpoint: str) -> FoundryToolboxService:
    """Return the toolboxes of a project."""
    return FoundryToolboxService(_client(project_endpoint), project_endpoint)


@lru_cache(maxsize=64)
def vector_store_service(project_endpoint: str) -> FoundryVectorStoreService:
    """Return the vector stores and files of a project."""
    return FoundryVectorStoreService(_client(project_endpoint), project_endpoint)


@lru_cache(maxsize=1)
def registry_access() -> ArmRegistryAccess:
    """Return the registries of this cloud's Resource Manager, signed in like the data plane. Makes no request."""
    return ArmRegistryAccess(resource_manager, credential(), _transport())
