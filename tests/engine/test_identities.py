"""Roles follow an agent's own identity, on the real engine: where each of its versions has one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from foundry_emulator.settings import Settings
from tests.support.harness import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.long]

FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
READER = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
PROGRAM = """
import pulumi
from pulumi_azure_native import authorization

import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject.existing(
    endpoint=given.require("endpoint"), principal_id=given.require("principal"), resource_id=given.require("resource")
)
agent = fa.HostedAgent(
    "support",
    project=project,
    image=fa.AgentImage.pinned(given.require("image")),
    environment={"GREETING": given.require("greeting")},
    tools=[fa.CodeInterpreter()],
    rollout=fa.Rollout.canary([50], smoke=fa.SmokeTest("ping", expect=given.require("expect"), tries=1)),
    force_delete=True,
    timeout_s=60,
)
authorization.RoleAssignment(
    "of-ours",
    scope=given.require("scope"),
    principal_id=agent.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id="/providers/Microsoft.Authorization/roleDefinitions/ROLE",
)
""".replace("ROLE", READER)


class Identities:
    """A deployed agent with tools, and a role that the program gives its identity on something else."""

    def __init__(self, here: Deployment) -> None:
        self.here = here
        here.project.given["image"] = f"{here.project.given['registry']}/{_image(here)}"
        ids = [str(found["id"]) for found in here.azure.control.state()["arm_list"]]
        (self.project,) = (found for found in ids if found.endswith("/projects/agents"))
        (self.registry,) = (
            found for found in ids if "/registries/" in found and "/providers/Microsoft.Auth" not in found
        )
        (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")

    def configure(self, greeting: str, expect: str = "Echo: ping") -> None:
        """What the program reads."""
        self.here.project.given |= {
            "resource": self.project,
            "scope": self.registry,
            "greeting": greeting,
            "expect": expect,
        }
        self.here.project.write_config()

    def of(self, version: str) -> str:
        """Return the identity of a version."""
        with self.here.azure.client("agents") as service:
            found = service.get(f"agents/support/versions/{version}").json()
        return str(found["instance_identity"]["principal_id"])

    def granted(self, role: str, scope: str) -> set[str]:
        """Return who has a role on something, apart from the project itself."""
        found = self.here.azure.run(lambda: list(self.here.azure.emulator.arm.assignments()))
        held = {one.principal_id for one in found if (one.role, one.scope) == (role, scope.lower())}
        return held - {self.here.project.given["principal"]}

    def assert_held_by(self, *versions: str) -> None:
        """Exactly these have the role that toolboxes ask for and the one of the program's own: 0 stale, 0 missing."""
        wanted = {self.of(version) for version in versions}
        assert self.granted(FOUNDRY_USER, self.project) == wanted
        assert self.granted(READER, self.registry) == wanted

    def steps(self) -> list[str]:
        """Return the writes of one run that show in what order roles, questions and traffic changed."""
        steps: list[str] = []
        for entry in self.here.azure.journal(writes=True, since=self.since):
            if "/roleAssignments/" in entry.path and self.project in entry.path:
                steps.append("grant" if entry.method == "PUT" else "take away")
            elif entry.path.endswith("/protocols/openai/responses"):
                steps.append("ask")
            elif entry.method == "PATCH" and entry.path.endswith("/agents/support"):
                steps.append("route")
        return [step for before, step in zip(["", *steps], steps, strict=False) if step != before]

    def begin(self) -> None:
        """Begin a run."""
        self.since = max(entry.n for entry in self.here.azure.journal())


def _image(here: Deployment) -> str:
    return str(here.project.config["agents"]["support"]["image"])


def test_roles_follow_the_identity_in_one_up_and_what_serves_keeps_its_own_until_the_rollout_is_over(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 47, a service whose versions have an identity each: 0 stale and 0 missing grants. hub#1107

    The other mode, one identity for all versions, is in test_tools.py.
    """
    agent = Identities(deploy(settings=Settings(provisioning_s=0.0, identity_per_version=True)))
    agent.configure("Hello")
    agent.here.project.up().succeeded()
    agent.assert_held_by("1")

    agent.configure("Howdy")
    agent.begin()
    agent.here.project.up().succeeded()
    assert agent.of("1") != agent.of("2")
    agent.assert_held_by("2")
    assert agent.steps() == ["grant", "ask", "route", "ask", "route", "ask", "take away"]

    agent.configure("Oops", expect="never said")
    agent.here.project.up().failed()
    agent.assert_held_by("2", "3")
    assert agent.here.agent()["rules"] == [{"version": "2", "percentage": 100}]

    # The limit that docs/tools.md names: what serves lacks nothing, and the way out is forwards.
    agent.configure("Howdy")
    assert "cannot create already existing resource" in agent.here.project.up().failed().output
    agent.assert_held_by("2", "3")
    agent.configure("Hi")
    agent.here.project.up().succeeded()
    agent.assert_held_by("4")
