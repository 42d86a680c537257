"""Azure's built-in roles by GUID (service-contract 8.2, [docs][azd]); names of roles change, GUIDs do not."""

from __future__ import annotations

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"

FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
FOUNDRY_PROJECT_MANAGER = "eadc314b-1a2d-4efa-be10-5d325db5065e"
FOUNDRY_OWNER = "c883944f-8b7b-4483-af10-35834be79c4a"
FOUNDRY_AGENT_CONSUMER = "eed3b665-ab3a-47b6-8f48-c9382fb1dad6"
AZURE_AI_DEVELOPER = "64702f94-c441-49e6-a78b-ef80e0188fee"
COGNITIVE_SERVICES_USER = "a97b65f3-24c7-4388-baec-2e87135dc908"
COGNITIVE_SERVICES_OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
REPOSITORY_READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
REPOSITORY_WRITER = "2a1e307c-b015-4ebd-883e-5b7698a07328"
TASKS_CONTRIBUTOR = "fb382eab-e894-4461-af04-94435c366c3f"

LOG_ANALYTICS_DATA_READER = "3b03c2da-16b3-4a49-8834-0f8130efdd3b"

ROLE_NAMES = {
    OWNER: "Owner",
    CONTRIBUTOR: "Contributor",
    READER: "Reader",
    USER_ACCESS_ADMINISTRATOR: "User Access Administrator",
    RBAC_ADMINISTRATOR: "Role Based Access Control Administrator",
    FOUNDRY_USER: "Foundry User",
    FOUNDRY_PROJECT_MANAGER: "Foundry Project Manager",
    FOUNDRY_OWNER: "Foundry Owner",
    FOUNDRY_AGENT_CONSUMER: "Foundry Agent Consumer",
    AZURE_AI_DEVELOPER: "Azure AI Developer",
    COGNITIVE_SERVICES_USER: "Cognitive Services User",
    COGNITIVE_SERVICES_OPENAI_USER: "Cognitive Services OpenAI User",
    ACR_PULL: "AcrPull",
    ACR_PUSH: "AcrPush",
    REPOSITORY_READER: "Container Registry Repository Reader",
    REPOSITORY_WRITER: "Container Registry Repository Writer",
    TASKS_CONTRIBUTOR: "Container Registry Tasks Contributor",
    LOG_ANALYTICS_DATA_READER: "Log Analytics Data Reader",
}
"""Every role that the local Azure knows; any other GUID is refused as RoleDefinitionDoesNotExist."""

WRITES_RESOURCES = frozenset({OWNER, CONTRIBUTOR})
"""Roles that may write resources [modelled]: of Azure's many roles with write actions, the two general ones."""

ASSIGNS_ROLES = frozenset({OWNER, USER_ACCESS_ADMINISTRATOR, RBAC_ADMINISTRATOR})
"""Roles that may assign any role [docs]; RBAC Administrator's conditions are not modelled."""


def role_guid(role_definition_id: str) -> str:
    """Return the GUID at the end of a role definition's id, in lower case."""
    return role_definition_id.rstrip("/").rpartition("/")[2].lower()
