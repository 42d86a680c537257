"""What a stack's file may say of one agent."""

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
"""How traffic moves in production unless the file says otherwise [ours]."""


PRINCIPALS: Mapping[str, Literal["ServicePrincipal", "User", "Group"]] = {
    "ServicePrincipal": "ServicePrincipal",
    "User": "User",
    "Group": "Group",
}
"""What a caller may be; a managed identity is a service principal."""


@dataclass(frozen=True)
class Caller:
    """Who may call an agent, and do nothing else with it.

    Attributes:
        principal_id: Object id.
        principal_type: ServicePrincipal, User or Group.
    """

    principal_id: str
    principal_type: str = "ServicePrincipal"


@dataclass(frozen=True)
class RolloutSettings:
    """How traffic moves to a new version; see Rollout.

    Attributes:
        steps: Percentages on the way to 100; none is all at once.
        bake: How long each step lasts.
        smoke: What a version must answer before it gets traffic and at each step; the fields of SmokeTest.
        keep_versions: Newest versions that stay beside those with traffic; none keeps all.
        pinned: Serve this version, whatever the settings describe.
        paused: Make and test new versions, and leave traffic where it is.
        timeout: Give up proving that traffic has moved after this time.
    """

    steps: tuple[int, ...] | None = None
    bake: str | float | None = None
    smoke: fa.SmokeTest | None = None
    keep_versions: int | None = None
    pinned: str | int | None = None
    paused: bool = False
    timeout: str | float | None = None

    def rollout(self) -> fa.Rollout:
        """The same as the component takes it; a pinned or paused one has no steps."""
        held = self.pinned is not None or self.paused
        return fa.Rollout(
            steps=() if held else self.steps or (),
            bake=0 if held else self.bake or 0,
            smoke=self.smoke,
            keep_versions=self.keep_versions,
            timeout=self.timeout,
            version=None if self.pinned is None else str(self.pinned),
            is_paused=self.paused,
        )

    def problems(self, path: str) -> list[str]:
        """What does not go together."""
        if self.pinned is not None and self.paused:
            return [f"{path}.paused and {path}.pinned exclude each other: a pin says where traffic goes"]
        return []

    def in_production(self) -> RolloutSettings:
        """With the defaults of production where the file says nothing."""
        steps = PRODUCTION_STEPS if self.steps is None else self.steps
        bake = PRODUCTION_BAKE if self.steps is None and self.bake is None else self.bake
        keep = PRODUCTION_KEEP if self.keep_versions is None else self.keep_versions
        return replace(self, steps=steps, bake=bake, keep_versions=keep)


@dataclass(frozen=True)
class AgentSettings:
    """One agent of the stack.

    Attributes:
        image: ``repository@sha256:…`` in the stack's registry. ``${NAME}`` takes a variable of the environment, which
            is how a build hands its digest over. Where the stack has ``promoteFrom``, image, build, tag and code may
            all be left out: that says whose digest to take. Otherwise exactly one of them is given.
        build: The folder that the image is built from.
        tag: ``repository:tag`` in the stack's registry: what it points to when the stack is run. ``${NAME}`` as above.
        code: A folder of source that the service runs, without an image.
        cpu: Cores; see HostedAgent.
        memory: Gibibytes; see HostedAgent.
        environment: Variables of the container; secret when anything under ``agents`` is a secret in the file.
        tools: What it may call; see tool_settings.
        grant_toolbox_role: Give the agent the role that toolboxes ask for. False where somebody else does.
        description: At most 512 characters.
        rollout: How traffic moves to a new version.
        invoked_by: Who may call it.
        force_delete: On destroy end active sessions instead of refusing. For stacks that come and go.
        timeout_s: Give up waiting for a version after this many seconds.
        pull_role_budget_s: For how long after it was granted a pull role may not be in effect; see HostedAgent.
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
        """It runs what the stack before runs: its own settings name nothing."""
        return all(source is None for source in (self.image, self.build, self.tag, self.code))

    def problems(self, path: str) -> list[str]:
        """What does not go together."""
        found = self.rollout.problems(f"{path}.rollout") if self.rollout else []
        found += self.build.problems(f"{path}.build") if self.build else []
        for place, caller in enumerate(self.invoked_by):
            if caller.principal_type not in PRINCIPALS:
                found.append(f"{path}.invoked_by[{place}].principal_type must be one of {', '.join(PRINCIPALS)}")
        return found

    def in_production(self) -> AgentSettings:
        """With the defaults of production where the file says nothing."""
        return replace(self, rollout=(self.rollout or RolloutSettings()).in_production())

    def production_problems(self, path: str) -> list[str]:
        """What production does not allow."""
        found = []
        if self.tag is not None:
            found.append(
                f"{path}.tag may point to another image tomorrow, one that nobody tested; production takes a digest in "
                "image, or promoteFrom"
            )
        if self.force_delete:
            found.append(f"{path}.force_delete would end sessions of users; production does not allow it")
        kept = self.rollout.keep_versions if self.rollout else None
        if kept is not None and kept < PRODUCTION_KEEP:
            found.append(
                f"{path}.rollout.keep_versions must be {PRODUCTION_KEEP} or more in production: "
                "a reverted commit serves again at once only when its version is still there"
            )
        return found

    def kept_secret(self) -> AgentSettings:
        """Every variable as a secret: Pulumi says only that some value under ``agents`` is one, not which."""
        return replace(self, environment={name: pulumi.Output.secret(v) for name, v in self.environment.items()})
