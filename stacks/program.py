"""The program of every environment: a project, its registry, and the agents in the settings."""

from __future__ import annotations

import sys

import pulumi

import foundry_agents as fa
from stacks import guard, promotion, tool_settings
from stacks.agent_settings import PRINCIPALS, AgentSettings
from stacks.settings import Settings, SettingsError, load, refuse

ERROR_REPORTED = 32
"""The exit code with which Pulumi adds no message of its own, because the program has reported the error."""


def deploy() -> None:
    """Declare the stack and publish its contract, which `make up` and other programs read."""
    try:
        guard.check(pulumi.get_stack())
        settings = load()
        project = _project(settings)
        registry = _registry(settings, project)
        agents = _agents(settings, project, registry)
    except (SettingsError, guard.WrongAzure) as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_REPORTED)
    fa.export_contract(project, *agents, registry=registry)


def _project(settings: Settings) -> fa.Project:
    existing = settings.project
    if existing is not None:
        return fa.FoundryProject.existing(
            endpoint=existing.endpoint, principal_id=existing.principal_id, resource_id=existing.resource_id
        )
    return fa.FoundryProject(
        "agents",
        location=settings.location,
        project_name=settings.project_name or f"agents-{pulumi.get_stack()}",
        models=settings.models,
        app_insights=settings.telemetry,
        tags=settings.tags,
        opts=pulumi.ResourceOptions.merge(
            _options(settings), pulumi.ResourceOptions(transformations=[] if settings.project_name else [_keep_name])
        ),
    )


def _keep_name(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Keep the project's name, which was derived from the stack's name, when the stack is renamed."""
    if args.type_ != "azure-native:cognitiveservices:Project":
        return None
    kept = pulumi.ResourceOptions(ignore_changes=["projectName"])
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, kept))


def _registry(settings: Settings, project: fa.Project) -> fa.Registry | None:
    """Return the registry of all images; None if all agents are source code in an existing project."""
    if settings.project is not None and settings.registry is None:
        return None
    existing = settings.registry
    if existing is not None:
        return fa.AgentRegistry.existing(
            "images",
            login_server=existing.login_server,
            resource_id=existing.resource_id,
            pulled_by=project,
            grants=existing.grants,
            opts=_options(settings),
        )
    return fa.AgentRegistry(
        "images", pulled_by=project, registry_name=settings.registry_name, tags=settings.tags, opts=_options(settings)
    )


def _agents(settings: Settings, project: fa.Project, registry: fa.Registry | None) -> list[fa.HostedAgent]:
    """Declare every agent, and report the problems of all their folders and files at once.

    Raises:
        SettingsError: A folder or a file of an agent can't be used.
    """
    source = promotion.source_of(settings)
    agents, problems = [], []
    for name, wanted in settings.agents.items():
        try:
            image = _image(name, wanted, registry, source) if registry else None
            agents.append(_agent(name, settings, project, image))
        except pulumi.RunError as error:
            problems.append(f"agents.{name}: {error}")
    refuse(problems)
    return agents


def _image(
    name: str, wanted: AgentSettings, registry: fa.Registry, source: fa.AgentContract | None
) -> fa.AgentImage | None:
    """Return the image that the file names or builds, or the promoted one; None for an agent from source code."""
    if wanted.code is not None:
        return None
    if wanted.build is not None:
        return wanted.build.image(name, registry)
    if wanted.tag is not None:
        return fa.AgentImage.from_tag(wanted.tag, registry=registry)
    if wanted.image is None and source is not None:
        return fa.AgentImage.pinned(promotion.promoted(source, name), registry=registry)
    return fa.AgentImage.pinned(wanted.image or "", registry=registry)


def _agent(name: str, settings: Settings, project: fa.Project, image: fa.AgentImage | None) -> fa.HostedAgent:
    wanted = settings.agents[name]
    agent = fa.HostedAgent(
        name,
        project=project,
        image=image,
        code=wanted.code.package() if wanted.code else None,
        cpu=wanted.cpu,
        memory=wanted.memory,
        environment=wanted.environment,
        tools=tool_settings.with_vector_stores(name, wanted.tools, project, force_delete=wanted.force_delete),
        grant_toolbox_role=wanted.grant_toolbox_role,
        fingerprint_key=settings.fingerprint_key,
        description=wanted.description,
        rollout=wanted.rollout.rollout() if wanted.rollout else None,
        force_delete=wanted.force_delete,
        timeout_s=wanted.timeout_s,
        pull_role_budget_s=wanted.pull_role_budget_s,
        opts=_options(settings),
    )
    for caller in wanted.invoked_by:
        agent.grant_invoke(caller.principal_id, principal_type=PRINCIPALS[caller.principal_type])
    return agent


def _options(settings: Settings) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(protect=settings.production or None)
