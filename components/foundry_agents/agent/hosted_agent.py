"""HostedAgent: an agent that runs and serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Unpack

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization

from foundry_agents.agent.toolbox_access import grant_toolbox_access, toolbox_of, with_toolbox
from foundry_agents.grants.naming import former_names
from foundry_agents.grants.role_assignment import Grants, PrincipalType, Role, principal_suffix
from foundry_agents.image.agent_image import AgentImage
from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.lifecycle.inputs.rollout_settings import Rollout, SmokeTest
from foundry_agents.lifecycle.inputs.version import Tier
from foundry_agents.project.project import Project, project_scope
from foundry_agents.registry.registry import Registry
from foundry_agents.resources import AgentRollout, HostedAgentVersion, ToolboxVersion
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources.options import VersionOptions, reject_unknown
from foundry_agents.sources.code_package import CodePackage
from foundry_agents.tools.toolbox import Toolbox
from foundry_agents.tools.tools import AnyTool

DEFAULT_PROTOCOLS: Mapping[str, str] = {"responses": "2.0.0"}
"""`2.0.0` is current [docs, azd]."""


class HostedAgent(pulumi.ComponentResource):
    """A hosted agent: the version that its settings describe, and the traffic that goes to it.

    A change of settings creates a new version, and traffic moves only when that version is active. Former versions stay
    with the agent, so that reverting a change adopts the former version instead of creating it again.

    Every option of ``VersionOptions`` is an argument too (``cpu``, ``memory``, ``code``, ``description``, …) and goes
    to the version as it is. Two of them reach further here: with ``force_delete=True`` and a project of this stack, the
    agent is deleted with its project and needs no request of its own; with ``take_over=True`` a destroy deletes all of
    the agent, and its former owner must not manage it any more.

    Args:
        name: Name of the component and, unless ``agent_name`` says otherwise, of the agent; its children are
            ``{name}-version`` and ``{name}-rollout``.
        project: The project that the agent lives in.
        image: The image that it runs; exactly one of image and code.
        agent_name: Name in the project: 1 to 63 letters, digits and hyphens.
        tier: Size, instead of cpu and memory; ``Tier.of("4", "8Gi")`` for a size newer than this release.
        protocols: Version of each protocol that the container speaks. ``AgentProtocol.of("…")`` names one that is newer
            than this release.
        environment: Variables of the container. Secret values stay secret in state.
        tools: ``[CodeInterpreter(), Mcp("docs", "https://…"), …]``, or a Toolbox that several agents share. The
            container finds them over MCP at ``TOOLBOX_ENDPOINT``, the version that this version of the agent was tested
            with; ``TOOLBOX_NAME`` is the toolbox's name. A change of tools is a new version of the agent.
        grant_toolbox_role: Grant the agent's identity the role Foundry User on the project, which toolboxes require.
            False where someone else grants it.
        rollout: How traffic moves to a new version: ``Rollout.canary([10, 50], bake="2m", smoke=…)``; default all at
            once. A pinned rollout serves its version, whatever the settings describe.
        opts: Options of the component.
        **options: The options of ``VersionOptions``.

    Attributes:
        version: The version that the settings describe.
        rollout: The traffic.
        toolbox: The version of the toolbox that it calls; None without tools.
        agent_name: Name in the project.
        endpoint: The agent's endpoint.
        responses_url: URL of the responses protocol.
        serving_version: The number of the version that serves.
        traffic: Percent by version number.
        principal_id: Object id of the agent's own identity, to grant roles to.

    Raises:
        pulumi.RunError: Arguments of the wrong type, or that exclude each other; the message names all of them.
    """

    version: HostedAgentVersion
    rollout: AgentRollout
    toolbox: ToolboxVersion | None
    agent_name: Output[str]
    endpoint: Output[str]
    responses_url: Output[str]
    serving_version: Output[str]
    traffic: Output[Mapping[str, int]]
    principal_id: Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        image: AgentImage | None = None,
        agent_name: Input[str] | None = None,
        tier: Tier | None = None,
        protocols: Mapping[str, str] = DEFAULT_PROTOCOLS,
        environment: Mapping[str, Input[str]] | None = None,
        tools: Sequence[AnyTool] | Toolbox | None = None,
        grant_toolbox_role: bool = True,
        rollout: Rollout | None = None,
        opts: ResourceOptions | None = None,
        **options: Unpack[VersionOptions],
    ) -> None:
        reject_unknown("HostedAgent.__init__()", options)
        code, force_delete = options.get("code"), options.get("force_delete")
        plain.reject_problems(
            plain.subject_of("HostedAgent", name),
            plain.texts(name=name),
            plain.mappings(protocols=protocols, environment=environment),
            plain.flags(grant_toolbox_role=grant_toolbox_role),
            _wrong_types(project=project, image=image, code=code, tier=tier, rollout=rollout),
            _exclusive_options(tier, image, options),
        )
        super().__init__("foundry-agents:index:HostedAgent", name, None, opts)
        self._grants = Grants(self, name)
        self._project = project
        self._former_names = former_names(opts)
        pull_role = image.registry.grant_pull(project) if image and image.registry else None
        deleted_with = project.deleted_with if force_delete is True else None
        self.toolbox = toolbox_of(
            name,
            tools,
            project=project,
            toolbox_name=agent_name or name,
            take_over=options.get("take_over"),
            chosen=() if agent_name else ("toolbox_name",),
            # Every change of tools replaces it, and Pulumi replaces no protected resource.
            opts=ResourceOptions(parent=self, protect=False, deleted_with=deleted_with),
        )
        self.version = HostedAgentVersion(
            f"{name}-version",
            project_endpoint=project.endpoint,
            agent_name=agent_name or name,
            image=image.reference if image else None,
            accept_new_tier=tier.accept_new if tier else None,
            check_image=image.check if image else None,
            start_image=True if image and image.start else None,
            protocols=protocols,
            environment=with_toolbox(environment, self.toolbox),
            pull_identity=project.principal_id.apply(lambda known: known or ""),
            registry_id=image.registry.resource_id if image and image.registry else None,
            pull_role_granted_at=pull_role.created_on if pull_role else None,
            chosen=() if agent_name else ("agent_name",),
            # The rollout owns the agent's history: a replaced version stays, so that a revert can adopt it. There is
            # nothing to protect, and Pulumi replaces no protected resource.
            kept_by_rollout=True,
            opts=ResourceOptions(
                parent=self,
                protect=False,
                deleted_with=deleted_with,
                # A refresh can't tell a deleted project from one that does not answer yet. A project that is created
                # again has another identity, so its agents are replaced with it.
                replacement_trigger=project.replacement_trigger,
                depends_on=_before_pull(project, image, pull_role),
            ),
            **{**options, "cpu": tier.cpu, "memory": tier.memory} if tier else options,
        )
        self.principal_id = self.version.principal_id
        before_rollout: list[pulumi.Resource] = [self.version]
        if self.toolbox and grant_toolbox_role:
            identity, role = grant_toolbox_access(name, self.version, project=project, parent=self)
            self.principal_id = identity.principal_id
            before_rollout.append(role)
        pinned = rollout is not None and rollout.version is not None
        self.rollout = AgentRollout(
            f"{name}-rollout",
            project_endpoint=project.endpoint,
            agent_name=self.version.agent_name,
            version=None if pinned else self.version.version,
            described_version=self.version.version if pinned else None,
            rollout=rollout,
            protocols=sorted(map(str, protocols)),
            force_delete=force_delete,
            project_resource_id=project.resource_id,
            owner=self.version.owner,
            former_owners=self.version.former_owners,
            opts=ResourceOptions(parent=self, deleted_with=deleted_with, depends_on=before_rollout),
        )
        self.agent_name = self.version.agent_name
        self.endpoint = self.rollout.endpoint
        self.responses_url = self.rollout.responses_url
        self.serving_version = self.rollout.serving_version
        self.traffic = self.rollout.traffic
        self.register_outputs({"endpoint": self.endpoint, "serving_version": self.serving_version})

    def grant_invoke(
        self, principal_id: Input[str], *, principal_type: PrincipalType = "ServicePrincipal", name: str | None = None
    ) -> authorization.RoleAssignment:
        """Allow a principal to call this agent and nothing else: Foundry Agent Consumer on the agent [observed].

        ``FoundryProject.grant_invoke`` grants the role on every agent of the project, as the documentation shows it.

        Args:
            principal_id: Object id of the principal; a second call for it returns the same grant.
            principal_type: What kind of principal it is.
            name: The assignment is called ``{agent}-invoke-{name}``; default the principal's id. A second principal
                that is known only after the update needs one.
        """
        project_id = project_scope(self._project, needed_for=f'HostedAgent "{self.pulumi_resource_name}", grant_invoke')
        return self._grants.give(
            principal_suffix("invoke", principal_id, name),
            Role.FOUNDRY_AGENT_CONSUMER,
            scope=Output.concat(project_id, "/agents/", self.agent_name),
            principal_id=principal_id,
            principal_type=principal_type,
            opts=ResourceOptions(depends_on=[self.version]),
        )

    def grant_pull(self, registry: Registry) -> authorization.RoleAssignment | None:
        """Allow the agent's own identity to pull from a registry; the project's identity is granted it in any case.

        The documentation names the project's identity as the one that pulls, but one page names the agent's [docs].

        Returns:
            The assignment; None where the registry's ``grants`` are off.
        """
        # It is named after the agent, so it follows an agent that is renamed with an alias.
        former = [f"{registry.pulumi_resource_name}-pull-agent-{name}" for name in self._former_names]
        return registry.grant_pull_to(
            self.principal_id,
            name=f"agent-{self.pulumi_resource_name}",
            opts=ResourceOptions(aliases=[pulumi.Alias(name=name) for name in former]),
        )


_EXPECTED: Mapping[str, tuple[type, str]] = {
    "image": (AgentImage, 'AgentImage.pinned("registry/repository@sha256:…")'),
    "code": (CodePackage, 'CodePackage("folder", entry_point=["python", "main.py"])'),
    "tier": (Tier, 'Tier.of("2", "4Gi")'),
    "rollout": (Rollout, "Rollout.canary([10, 50])"),
    "rollout.smoke": (SmokeTest, 'SmokeTest("ping", expect="pong")'),
}


def _wrong_types(*, project: object, **given: object) -> Iterator[Problem]:
    """Find what a type checker would report: programs run without one, too."""
    yield from plain.projects("project", project)
    if isinstance(rollout := given["rollout"], Rollout):
        given["rollout.smoke"] = rollout.smoke
    for name, value in given.items():
        expected, example = _EXPECTED[name]
        if value is not None and not isinstance(value, expected):
            yield Problem(name, f"expected {expected.__name__}, got {type(value).__name__}; for example {example}")


def _exclusive_options(tier: Tier | None, image: AgentImage | None, options: VersionOptions) -> Iterator[Problem]:
    if tier is not None and (options.get("cpu"), options.get("memory")) != (None, None):
        yield Problem("tier", "cannot be combined with cpu or memory")
    if (image, options.get("code")).count(None) != 1:
        yield Problem("image", "give exactly one of image and code")


def _before_pull(
    project: Project, image: AgentImage | None, pull_role: pulumi.Resource | None
) -> Sequence[pulumi.Resource]:
    first = [*(image.depends_on if image else ()), *project.before_agents]
    if image and image.registry:
        first += image.registry.before_the_pull
    return [*first, pull_role] if pull_role else first
