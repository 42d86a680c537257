"""One credential and one client for each project endpoint in a process, shared by all its threads."""

from __future__ import annotations

import logging
from functools import lru_cache

from azure.ai.projects import AIProjectClient
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential
from requests import Session
from requests.adapters import HTTPAdapter

from foundry_agents.azure.agent_service import FoundryAgentService

CONNECTIONS = 64

# Without a handler Python prints the SDK's warnings to stderr, where they stand beside our own message about the same.
logging.getLogger("azure").addHandler(logging.NullHandler())


@lru_cache(maxsize=1)
def _credential() -> DefaultAzureCredential:
    return DefaultAzureCredential()


def _transport() -> RequestsTransport:
    """One connection for each worker thread; the default pool of ten throws the others away after each request."""
    session = Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return RequestsTransport(session=session)


@lru_cache(maxsize=64)
def agent_service(project_endpoint: str) -> FoundryAgentService:
    """The data plane of a project, signed in with DefaultAzureCredential.

    Makes no request: the first call of the service does.
    """
    client = AIProjectClient(project_endpoint, _credential(), transport=_transport())
    return FoundryAgentService(client, project_endpoint)
