"""The program of every environment: a project, a registry it pulls from, and the agents that the settings name."""

from __future__ import annotations

import sys

import pulumi

import foundry_agents as fa
from stacks import guard, promotion, tool_settings
from stacks.agent_settings import PRINCIPALS, AgentSettings
from stacks.settings import Settings, SettingsError, load, refuse

SHOWN = 32
"""With this exit code Pulumi takes it that the user has been told, and adds no line of its own."""


def deploy() -> None:
    """Declares the stack and publishes its contract, which `make up` and other projects read."""
    try:
        guard.check(pulumi.get_stack())
        settings = load()
        project = _project(settings)
        registry = _registry(settings, project)
        agents = _agents(settings, project, registry)
    except (SettingsError, guard.WrongAzure) as error:
        pulumi.log.error(str(error))
        sys.exit(SHOWN)
    fa.export_contract(project, *agents, registry=registry)


def _project(settings: Settings) -> fa.Project:
    there = settings.project
    if there is not None:
        return fa.FoundryProject.existing(
            endpoint=there.endpoint, principal_id=there.principal_id, resource_id=there.resource_id
        )
    return fa.FoundryProject(
        "agents",
        location=settings.location,
        project_name=settings.project_name or f"agents-{pulumi.get_stack()}",
        models=settings.models,
        app_insights=settings.telemetry,
        tags=settings.tags,
        opts=pulumi.ResourceOptions.merge(
            _options(settings), pulumi.ResourceOptions(transformations=[] if settings.project_name else [_named_once])
        ),
    )


def _named_once(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Keeps the project's name, made from the stack's, when the stack is renamed."""
    if args.type_ != "azure-native:cognitiveservices:Project":
        return None
    kept = pulumi.ResourceOptions(ignore_changes=["projectName"])
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, kept))


def _registry(settings: Settings, project: fa.Project) -> fa.Registry | None:
    """The registry of all images; none for code that runs in a project that exists."""
    if settings.project is not None and settings.registry is None:
        return None
    there = settings.registry
    if there is not None:
        return fa.AgentRegistry.existing(
            "images",
            login_server=there.login_server,
            resource_id=there.resource_id,
            pulled_by=project,
            grants=there.grants,
            opts=_options(settings),
        )
    return fa.AgentRegistry(
        "images", pulled_by=project, registry_name=settings.registry_name, tags=settings.tags, opts=_options(settings)
    )


def _agents(settings: Settings, project: fa.Project, registry: fa.Registry | None) -> list[fa.HostedAgent]:
    """Every agent; what a folder or a file lacks is told of all of them at once."""
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
    """The image that the file names or has built, else the promoted one; none for an agent of code."""
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
        tools=tool_settings.declared(name, wanted.tools, project, force_delete=wanted.force_delete),
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
