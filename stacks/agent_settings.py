"""The settings of one agent in a stack's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import pulumi

import foundry_agents as fa
from stacks.image_settings import BuildSettings, CodeSettings
from stacks.reading import STRUCTURE
from stacks.tool_settings import structure_tools

PRODUCTION_STEPS, PRODUCTION_BAKE, PRODUCTION_KEEP = (10, 50), "10m", 2
"""The default rollout in production [ours]."""


PRINCIPALS: Mapping[str, Literal["ServicePrincipal", "User", "Group"]] = {
    "ServicePrincipal": "ServicePrincipal",
    "User": "User",
    "Group": "Group",
}
"""The types of principal that may call an agent; a managed identity is a service principal."""


@dataclass(frozen=True)
class Caller:
    """A principal that may call an agent, without any other right.

    Attributes:
        principal_id: Object id.
        principal_type: ServicePrincipal, User or Group.
    """

    principal_id: str
    principal_type: str = "ServicePrincipal"


@dataclass(frozen=True)
class RolloutSettings:
    """The rollout of a new version; see Rollout.

    Attributes:
        steps: Percentages before 100; none moves all traffic at once.
        bake: How long each step waits.
        smoke: The test of a version before it gets traffic and at each step; the fields of SmokeTest.
        keep_versions: How many of the newest versions to keep, in addition to those with traffic; none keeps all.
        pinned: Serve this version, whatever the settings describe.
        paused: Create and test new versions, and do not move traffic.
        timeout: How long to wait until the service confirms the routing.
    """

    steps: tuple[int, ...] | None = None
    bake: str | float | None = None
    smoke: fa.SmokeTest | None = None
    keep_versions: int | None = None
    pinned: str | int | None = None
    paused: bool = False
    timeout: str | float | None = None

    def rollout(self) -> fa.Rollout:
        """Return the component's rollout; a pinned or paused one has no steps."""
        has_no_steps = self.pinned is not None or self.paused
        return fa.Rollout(
            steps=() if has_no_steps else self.steps or (),
            bake=0 if has_no_steps else self.bake or 0,
            smoke=self.smoke,
            keep_versions=self.keep_versions,
            timeout=self.timeout,
            version=None if self.pinned is None else str(self.pinned),
            is_paused=self.paused,
        )

    def problems(self, path: str) -> list[str]:
        """Return a message for each combination of settings that is not possible."""
        if self.pinned is not None and self.paused:
            return [f"{path}.paused and {path}.pinned exclude each other: set only one of them"]
        return []

    def with_production_defaults(self) -> RolloutSettings:
        """Return a copy with the defaults of production for settings that are not in the file."""
        steps = PRODUCTION_STEPS if self.steps is None else self.steps
        bake = PRODUCTION_BAKE if self.steps is None and self.bake is None else self.bake
        keep = PRODUCTION_KEEP if self.keep_versions is None else self.keep_versions
        return replace(self, steps=steps, bake=bake, keep_versions=keep)


@dataclass(frozen=True)
class AgentSettings:
    """One agent of the stack.

    Attributes:
        image: ``repository@sha256:…`` in the stack's registry. ``${NAME}`` inserts an environment variable, which is
            how a build passes its digest. Exactly one of image, build, tag and code is set, or none in a stack with
            ``promoteFrom``.
        build: The folder that the image is built from.
        tag: ``repository:tag`` in the stack's registry: the image that it points to during the run. ``${NAME}`` as
            above.
        code: A folder of source code that the service runs, without an image.
        cpu: Cores; see HostedAgent.
        memory: Gibibytes; see HostedAgent.
        environment: Variables of the container; all are secret if any value under ``agents`` is a secret in the file.
        tools: Its tools; see tool_settings.
        grant_toolbox_role: Assign the role for toolboxes to the agent. False if someone else does.
        description: At most 512 characters.
        rollout: The rollout of a new version.
        invoked_by: Who may call it.
        force_delete: End active sessions on destroy instead of refusing it. For temporary stacks.
        timeout_s: How many seconds to wait for a version.
        pull_role_budget_s: How long a new pull role may take to be in effect; see HostedAgent.
    """

    image: str | None = None
    build: BuildSettings | None = None
    tag: str | None = None
    code: CodeSettings | None = None
    cpu: str | float = "1"
    memory: str = "2Gi"
    environment: Mapping[str, str | pulumi.Output[str]] = field(default_factory=dict)
    tools: tuple[fa.AnyTool, ...] = field(default=(), metadata={STRUCTURE: structure_tools})
    grant_toolbox_role: bool = True
    description: str | None = None
    rollout: RolloutSettings | None = None
    invoked_by: tuple[Caller, ...] = ()
    force_delete: bool = False
    timeout_s: float | None = None
    pull_role_budget_s: float | None = None

    @property
    def is_promoted(self) -> bool:
        """Whether it runs the image of the stack before, because its own settings name none."""
        return all(source is None for source in (self.image, self.build, self.tag, self.code))

    def problems(self, path: str) -> list[str]:
        """Return a message for each combination of settings that is not possible."""
        found = self.rollout.problems(f"{path}.rollout") if self.rollout else []
        found += self.build.problems(f"{path}.build") if self.build else []
        for place, caller in enumerate(self.invoked_by):
            if caller.principal_type not in PRINCIPALS:
                found.append(f"{path}.invoked_by[{place}].principal_type must be one of {', '.join(PRINCIPALS)}")
        return found

    def with_production_defaults(self) -> AgentSettings:
        """Return a copy with the defaults of production for settings that are not in the file."""
        return replace(self, rollout=(self.rollout or RolloutSettings()).with_production_defaults())

    def production_problems(self, path: str) -> list[str]:
        """Return a message for each setting that production does not allow."""
        found = []
        if self.tag is not None:
            found.append(
                f"{path}.tag may point to another, untested image tomorrow; in production set image with a digest, or "
                "promoteFrom for the stack"
            )
        if self.force_delete:
            found.append(f"{path}.force_delete would end sessions of users; remove it in production")
        kept = self.rollout.keep_versions if self.rollout else None
        if kept is not None and kept < PRODUCTION_KEEP:
            found.append(
                f"{path}.rollout.keep_versions must be {PRODUCTION_KEEP} or more in production: "
                "a reverted commit serves again at once only if its version still exists"
            )
        return found

    def with_secret_environment(self) -> AgentSettings:
        """Return a copy with every variable as a secret: Pulumi does not say which value under ``agents`` is one."""
        return replace(self, environment={name: pulumi.Output.secret(v) for name, v in self.environment.items()})
