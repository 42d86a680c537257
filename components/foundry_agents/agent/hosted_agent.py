"""HostedAgent: an agent that runs and serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization

from foundry_agents.agent.toolbox_access import grant_toolbox_access, toolbox_of, with_toolbox
from foundry_agents.grants.naming import former_names
from foundry_agents.grants.role_assignment import Grants, PrincipalType, Role, principal_suffix
from foundry_agents.image.agent_image import AgentImage
from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.inputs.rollout_settings import Rollout, SmokeTest
from foundry_agents.lifecycle.inputs.version import Tier
from foundry_agents.project.project import Project, project_scope
from foundry_agents.registry.registry import Registry
from foundry_agents.resources import AgentRollout, HostedAgentVersion, ToolboxVersion
from foundry_agents.resources.inputs import Moderation, TelemetryEndpoint
from foundry_agents.sources.code_package import CodePackage
from foundry_agents.tools.toolbox import Toolbox
from foundry_agents.tools.tools import AnyTool

DEFAULT_PROTOCOLS: Mapping[str, str] = {"responses": "2.0.0"}
"""`2.0.0` is current [docs, azd]."""


class HostedAgent(pulumi.ComponentResource):
    """A hosted agent: the version that its settings describe, and the traffic that goes to it.

    A change of settings makes a new version, and traffic moves only when that version is active. Former versions stay
    with the agent, so that reverting a change adopts what was there instead of making it again.

    Args:
        name: Name of the component and, unless ``agent_name`` says otherwise, of the agent; its children are
            ``{name}-version`` and ``{name}-rollout``.
        project: Where the agent lives.
        image: What it runs.
        code: Instead of an image, a folder of source that the service runs.
        agent_name: Name in the project: 1 to 63 letters, digits and hyphens.
        cpu: Cores, "0.5", "1" or "2"; default "1".
        memory: "1Gi", "2Gi" or "4Gi", as goes with cpu; default "2Gi".
        tier: Instead of cpu and memory; ``Tier.of("4", "8Gi")`` for a size newer than this release.
        protocols: Version of each protocol that the container speaks; default responses 2.0.0.
            ``AgentProtocol.of("…")`` names one that is newer than this release.
        environment: Variables of the container. Secret values stay secret in state.
        tools: ``[CodeInterpreter(), Mcp("docs", "https://…"), …]``, or a Toolbox that several agents share. The
            container finds them over MCP at ``TOOLBOX_ENDPOINT``, the version that this version of the agent was tested
            with; ``TOOLBOX_NAME`` is the toolbox's name. A change of tools is a new version of the agent.
        grant_toolbox_role: Give the agent's identity the role Foundry User on the project, which toolboxes ask for;
            default True. False where somebody else grants it.
        session_idle_timeout_s: Seconds until an idle session is put to sleep, 300 to 3600.
        registry_connection: Connection of the project for a private registry that is not ACR.
        memory_snapshot: Start sessions from a snapshot of the initialised process.
        rai_policy: Name of the Responsible AI policy to apply.
        rai_moderation: Where requests and answers of the protocol ``invocations`` hold text for that policy.
        telemetry: Collectors of your own for logs, traces and metrics.
        description: At most 512 characters.
        metadata: Up to 12 pairs of your own.
        fingerprint_key: Secret of at least 16 characters under which versions are fingerprinted, so that the
            fingerprint in their metadata can't be used to try values of short secrets. Keep it the same.
        pull_role_budget_s: For how long after it was granted a pull role may not be in effect; default 600.
        rollout: How traffic moves to a new version: ``Rollout.canary([10, 50], bake="2m", smoke=…)``; default all at
            once. A pinned rollout serves its version, whatever the settings describe.
        take_over: Manage an agent that exists and that this stack has not made: all of it, so that a destroy takes it
            away. Its former owner must not manage it any more.
        force_delete: On destroy end active sessions instead of refusing. With True and a project of this stack, an
            agent goes with its project when both go: no request of its own.
        timeout_s: Give up waiting for the version after this many seconds; default 1200.
        poll_interval_s: Longest pause between two looks at it; default 5.

    Attributes:
        version: The version that the settings describe.
        rollout: The traffic.
        toolbox: The version of the toolbox that it calls; None without tools.
        agent_name: Name in the project.
        endpoint: The agent's endpoint.
        responses_url: Where the responses protocol is answered.
        serving_version: The number that serves.
        traffic: Percent by version number.
        principal_id: Object id of the agent's own identity, to grant roles to.

    Raises:
        pulumi.RunError: Arguments of another kind, or that exclude each other; all of them are named.
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
        code: CodePackage | None = None,
        agent_name: Input[str] | None = None,
        cpu: Input[str | float] | None = None,
        memory: Input[str] | None = None,
        tier: Tier | None = None,
        protocols: Mapping[str, str] = DEFAULT_PROTOCOLS,
        environment: Mapping[str, Input[str]] | None = None,
        tools: Sequence[AnyTool] | Toolbox | None = None,
        grant_toolbox_role: bool = True,
        session_idle_timeout_s: Input[int] | None = None,
        registry_connection: Input[str] | None = None,
        memory_snapshot: Input[bool] | None = None,
        rai_policy: Input[str] | None = None,
        rai_moderation: Input[Moderation] | None = None,
        telemetry: Input[Sequence[Input[TelemetryEndpoint]]] | None = None,
        description: Input[str] | None = None,
        metadata: Mapping[str, Input[str]] | None = None,
        fingerprint_key: Input[str] | None = None,
        pull_role_budget_s: Input[float] | None = None,
        rollout: Rollout | None = None,
        take_over: Input[bool] | None = None,
        force_delete: Input[bool] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        problems = [
            *_not_what_is_wanted(project=project, image=image, code=code, tier=tier, rollout=rollout),
            *_not_together(of_size=tier is not None, sized=(cpu, memory) != (None, None), given=(image, code)),
        ]
        if problems:
            raise pulumi.RunError(str(InputError(f'HostedAgent "{name}"', problems)))
        super().__init__("foundry-agents:index:HostedAgent", name, None, opts)
        self._grants = Grants(self, name)
        self._project = project
        self._former_names = former_names(opts)
        may_pull = image.registry.grant_pull(project) if image and image.registry else None
        deleted_with = project.deleted_with if force_delete is True else None
        self.toolbox = toolbox_of(
            name,
            tools,
            project=project,
            toolbox_name=agent_name or name,
            take_over=take_over,
            chosen=() if agent_name else ("toolbox_name",),
            # Replaced by every change of tools, as the version is by every change.
            opts=ResourceOptions(parent=self, protect=False, deleted_with=deleted_with),
        )
        self.version = HostedAgentVersion(
            f"{name}-version",
            project_endpoint=project.endpoint,
            agent_name=agent_name or name,
            image=image.reference if image else None,
            code=code,
            cpu=tier.cpu if tier else cpu,
            memory=tier.memory if tier else memory,
            accept_new_tier=tier.accept_new if tier else None,
            check_image=image.check if image else None,
            start_image=image.start or None if image else None,
            protocols=protocols,
            environment=with_toolbox(environment, self.toolbox),
            session_idle_timeout_s=session_idle_timeout_s,
            description=description,
            metadata=metadata,
            registry_connection=registry_connection,
            memory_snapshot=memory_snapshot,
            rai_policy=rai_policy,
            rai_moderation=rai_moderation,
            telemetry=telemetry,
            fingerprint_key=fingerprint_key,
            pull_identity=project.principal_id.apply(lambda known: known or ""),
            registry_id=image.registry.resource_id if image and image.registry else None,
            pull_role_granted_at=may_pull.created_on if may_pull else None,
            pull_role_budget_s=pull_role_budget_s,
            take_over=take_over,
            force_delete=force_delete,
            timeout_s=timeout_s,
            poll_interval_s=poll_interval_s,
            chosen=() if agent_name else ("agent_name",),
            # The rollout owns the agent's history: a replaced version stays, to be adopted by a revert. So there is
            # nothing to protect, and Pulumi replaces no protected resource.
            kept_by_rollout=True,
            opts=ResourceOptions(
                parent=self,
                protect=False,
                deleted_with=deleted_with,
                # A refresh can't tell a deleted project from one that does not answer yet. A project that is created
                # again has another identity, so its agents are replaced with it.
                replacement_trigger=project.replacement_trigger,
                depends_on=_before_the_pull(project, image, may_pull),
            ),
        )
        self.principal_id = self.version.principal_id
        before_the_test: list[pulumi.Resource] = [self.version]
        if self.toolbox and grant_toolbox_role:
            identity, role = grant_toolbox_access(name, self.version, project=project, parent=self)
            self.principal_id = identity.principal_id
            before_the_test.append(role)
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
            opts=ResourceOptions(parent=self, deleted_with=deleted_with, depends_on=before_the_test),
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
        """Lets a principal call this agent, and do nothing else: Foundry Agent Consumer on the agent [observed].

        ``FoundryProject.grant_invoke`` gives the right to every agent of the project, as the documentation has it.

        Args:
            principal_id: Object id of who may call; asked for again, the grant that is there is returned.
            principal_type: What that is.
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
        """Lets the agent's own identity pull from a registry too; the project's gets the right by itself.

        The documentation names the project's identity as the one that pulls, and one page of it the agent's [docs].

        Returns:
            The assignment; None where the registry's ``grants`` are off.
        """
        # It is called after the agent, so it follows one that is renamed with an alias.
        former = [f"{registry.pulumi_resource_name}-pull-agent-{name}" for name in self._former_names]
        return registry.grant_pull_to(
            self.principal_id,
            name=f"agent-{self.pulumi_resource_name}",
            opts=ResourceOptions(aliases=[pulumi.Alias(name=name) for name in former]),
        )


_WANTED: Mapping[str, tuple[type, str]] = {
    "image": (AgentImage, 'AgentImage.pinned("registry/repository@sha256:…")'),
    "code": (CodePackage, 'CodePackage("folder", entry_point=["python", "main.py"])'),
    "tier": (Tier, 'Tier.of("2", "4Gi")'),
    "rollout": (Rollout, "Rollout.canary([10, 50])"),
    "rollout.smoke": (SmokeTest, 'SmokeTest("ping", expect="pong")'),
}


def _not_what_is_wanted(*, project: object, **given: object) -> Iterator[Problem]:
    """What a type checker would tell; a program need not have been through one."""
    if isinstance(project, str | Output):
        yield Problem("project", "is no project: FoundryProject(…), or FoundryProject.existing(endpoint=…)")
    if isinstance(rollout := given["rollout"], Rollout):
        given["rollout.smoke"] = rollout.smoke
    for name, value in given.items():
        wanted, way = _WANTED[name]
        if value is not None and not isinstance(value, wanted):
            yield Problem(name, f"is no {wanted.__name__} but a {type(value).__name__}: {way}")


def _not_together(*, of_size: bool, sized: bool, given: tuple[object, object]) -> Iterator[Problem]:
    if of_size and sized:
        yield Problem("tier", "goes without cpu and memory: give either")
    if given.count(None) != 1:
        yield Problem("image", "give exactly one of image and code")


def _before_the_pull(
    project: Project, image: AgentImage | None, may_pull: pulumi.Resource | None
) -> Sequence[pulumi.Resource]:
    first = [*(image.depends_on if image else ()), *project.before_agents]
    if image and image.registry:
        first += image.registry.before_the_pull
    return [*first, may_pull] if may_pull else first
