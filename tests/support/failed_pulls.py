"""Case 23: one ImageError, three causes, each made in the local Azure as Azure would have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundry_agents.lifecycle.roles import ACR_PULL, REPOSITORY_READER
from tests.support.bench import Agent
from tests.support.plugin import ProviderError


@dataclass(frozen=True)
class PullCause:
    """Why a pull fails, and what the error must say.

    Attributes:
        why: The cause, in the error's words.
        do: The remedy, in the error's words.
        settings: The registry's properties.
        role: What the project's identity has on the registry; "" for nothing.
    """

    why: str
    do: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    role: str = ""


CAUSES = {
    "role missing": PullCause(
        'has no pull role on registry "{registry}" (checked: AcrPull, Container Registry Repository Reader)',
        f"--role {ACR_PULL} --scope {{id}}`",
    ),
    "ARM tokens refused": PullCause(
        'registry "{registry}" refuses tokens for the ARM audience',
        "`az acr config authentication-as-arm update --registry {registry} --status enabled`",
        {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}},
        ACR_PULL,
    ),
    "repository permissions": PullCause(
        'registry "{registry}" has repository permissions (ABAC): there AcrPull does not count',
        f"--role {REPOSITORY_READER} --scope {{id}}`",
        {"roleAssignmentMode": "AbacRepositoryPermissions"},
        ACR_PULL,
    ),
}


def failed_pull(agent: Agent, cause: str) -> str:
    """Return what `pulumi up` says of an agent whose image cannot be pulled for this cause; "" when it can."""
    azure, made = agent.bench.azure, CAUSES[cause]
    project = azure.seed_project(agent.name, pull_role=False)
    body = {"location": "swedencentral", "sku": {"name": "Basic"}, "properties": dict(made.settings)}
    azure.put(project.registry_id, body)
    if made.role:
        azure.grant(project.principal_id, made.role, project.registry_id)
    try:
        agent.create(
            project_endpoint=project.endpoint,
            image=azure.push_image(project),
            pull_identity=project.principal_id,
            registry_id=project.registry_id,
        )
    except ProviderError as error:
        return str(error).replace(project.registry_id, "{id}").replace(project.registry, "{registry}")
    return ""


def named_in(text: str) -> list[str]:
    """Return the causes that an error names with their remedy."""
    return [name for name, cause in CAUSES.items() if cause.why in text and cause.do in text]
