"""One credential and one client for each project endpoint in a process, shared by all its threads."""

from __future__ import annotations

import logging
from functools import lru_cache

from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential

from foundry_agents.azure.agent_service import FoundryAgentService

# Without a handler Python prints the SDK's warnings to stderr, where they stand beside our own message about the same.
logging.getLogger("azure").addHandler(logging.NullHandler())


@lru_cache(maxsize=1)
def _credential() -> DefaultAzureCredential:
    return DefaultAzureCredential()


@lru_cache(maxsize=64)
def agent_service(project_endpoint: str) -> FoundryAgentService:
    """The data plane of a project, signed in with DefaultAzureCredential.

    Makes no request: the first call of the service does.
    """
    client = AIProjectClient(project_endpoint, _credential())
    return FoundryAgentService(client.agents, project_endpoint)
