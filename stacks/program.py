"""The program of every environment: a project, a registry it pulls from, and the agents that the settings name."""

from __future__ import annotations

import sys

import pulumi

import foundry_agents as fa
from stacks.settings import SettingsError, load


def deploy() -> None:
    """Declares the stack; what it exports is read by `make up` and by other projects."""
    try:
        settings = load()
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(1)

    project = fa.FoundryProject("agents", location=settings.location)
    registry = fa.AgentRegistry("images", pulled_by=project, registry_name=settings.registry_name)

    agents = {
        name: fa.HostedAgent(
            name,
            project=project,
            image=fa.AgentImage.pinned(wanted.image, registry=registry),
            cpu=wanted.cpu,
            memory=wanted.memory,
            environment=wanted.environment,
            description=wanted.description,
            force_delete=wanted.force_delete,
            timeout_s=wanted.timeout_s,
            pull_role_budget_s=wanted.pull_role_budget_s,
        )
        for name, wanted in settings.agents.items()
    }

    pulumi.export("project_endpoint", project.endpoint)
    pulumi.export(
        "agents",
        {
            name: {
                "version": agent.version.version,
                "status": agent.version.status,
                "image": agent.version.image,
                "traffic": agent.traffic,
                "endpoint": agent.endpoint,
                "responses_url": agent.responses_url,
                "principal_id": agent.principal_id,
            }
            for name, agent in agents.items()
        },
    )
