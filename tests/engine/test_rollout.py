"""Rollouts on the real engine: a broken version, an interrupted rollout, drift, retention, a destroy."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.harness import Deployment, Run

pytestmark = pytest.mark.engine

PROGRAM = '''
import pulumi

import foundry_agents as fa
from stacks.settings import load

settings = load()
wanted = settings.agents["support"]
project = fa.FoundryProject("agents", location=settings.location)
registry = fa.AgentRegistry("images", pulled_by=project, registry_name=settings.registry_name)
agent = fa.HostedAgent(
    "support",
    project=project,
    image=fa.AgentImage.pinned(wanted.image, registry=registry),
    environment=wanted.environment,
    force_delete=True,
    rollout={rollout},
)
pulumi.export("serving", agent.rollout.serving_version)
pulumi.export("previous", agent.rollout.previous_version)
pulumi.export("kept", agent.rollout.kept_versions)
'''


class Rolled:
    """A deployment whose program has a rollout."""

    def __init__(self, here: Deployment) -> None:
        self.here = here

    def program(self, rollout: str) -> None:
        """Writes the program, as a person would edit it."""
        text = textwrap.dedent(PROGRAM).replace("{rollout}", rollout)
        (self.here.project.folder / "__main__.py").write_text(text, encoding="utf-8")

    def up(self, rollout: str | None = None, **environment: str) -> Run:
        """Edits rollout and environment, and runs `pulumi up`."""
        if rollout is not None:
            self.program(rollout)
        if environment:
            self.here.project.set_environment(**environment)
        return self.here.project.up()

    def traffic(self) -> dict[str, int]:
        """The routing of the local Azure."""
        return {rule["version"]: rule["percentage"] for rule in self.here.agent()["rules"]}

    def versions(self) -> list[str]:
        """The versions of the local Azure."""
        return [version["version"] for version in self.here.agent()["versions"]]


CANARY = (
    'fa.Rollout.canary([10, 50], bake="2s", keep_versions=2, '
    'smoke=fa.SmokeTest("ping", matches=r"^(Hello|Howdy) support \\\\d+: ", tries=2))'
)


def test_a_broken_version_never_gets_traffic_and_the_next_up_with_a_fixed_one_succeeds(
    deploy: Callable[..., Deployment], sample_agent: Path
) -> None:
    """Cases 35, 38 and 53 with real agent processes: the whole story of a bad release."""
    rolled = Rolled(deploy(sample_agent, runtime="process"))
    first = rolled.up(CANARY).succeeded()
    print(first.output)
    assert "support:1 can't be dark" in first.output

    broken = rolled.up(GREETING="Oops").failed()
    print(broken.output)
