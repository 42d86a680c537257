"""Rollouts on the real engine: a broken release, an interrupted rollout, and a change in the portal."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.harness import Deployment, Run, kill

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi

import foundry_agents as fa
from stacks.settings import load


def left_alone(args):
    ignored = {ignored}
    if args.type_.endswith(":AgentRollout") and ignored:
        args.opts.ignore_changes = ignored
    return pulumi.ResourceTransformationResult(args.props, args.opts)


settings = load()
wanted = settings.agents["support"]
given = pulumi.Config("given")
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
agent = fa.HostedAgent(
    {name!r},
    agent_name="support",
    project=project,
    image=fa.AgentImage.pinned(given.require("registry") + "/" + wanted.image),
    environment=wanted.environment,
    force_delete=True,
    rollout={rollout},
    opts=pulumi.ResourceOptions(transformations=[left_alone]),
)
pulumi.export("serving", agent.rollout.serving_version)
pulumi.export("previous", agent.rollout.previous_version)
pulumi.export("kept", agent.rollout.kept_versions)
"""

CHECKS = """
def is_polite(text, answer):
    assert answer["status"] == "completed"
    if not text.startswith(("Hello", "Howdy")):
        raise ValueError("it does not say hello")
"""

CANARY = (
    'fa.Rollout.canary([10, 50], bake="2s", keep_versions=2, '
    'smoke=fa.SmokeTest("ping", check="smoke_checks:is_polite", tries=2))'
)


class Rolled:
    """A deployment whose program has a rollout."""

    def __init__(self, here: Deployment) -> None:
        self.here = here
        (here.project.folder / "smoke_checks.py").write_text(textwrap.dedent(CHECKS), encoding="utf-8")

    def program(self, rollout: str, *, ignored: tuple[str, ...] = (), name: str = "support") -> None:
        """Write the program, as a person would edit it."""
        text = PROGRAM.replace("{rollout}", rollout).replace("{ignored}", str(list(ignored)))
        text = text.replace("{name!r}", repr(name))
        (self.here.project.folder / "__main__.py").write_text(textwrap.dedent(text), encoding="utf-8")

    def up(self, **environment: str) -> Run:
        """Edit the environment and run `pulumi up`."""
        if environment:
            self.here.project.set_environment(**environment)
        return self.here.project.up()

    def traffic(self) -> dict[str, int]:
        """Return the routing of the local Azure."""
        return {rule["version"]: rule["percentage"] for rule in self.here.agent()["rules"]}

    def versions(self) -> list[str]:
        """Return the versions of the local Azure."""
        return [version["version"] for version in self.here.agent()["versions"]]

    def moves(self) -> int:
        """Return how often the routing was written."""
        return sum(entry.method == "PATCH" for entry in self.here.writes())

    def portal(self, method: str, path: str, body: object = None) -> None:
        """Change the agent as a user of the portal would."""
        with self.here.azure.client("agents") as portal:
            portal.request(method, path, json=body).raise_for_status()


def _routes(**shares: int) -> dict[str, object]:
    rules = [
        {"type": "FixedRatio", "agent_version": version.removeprefix("v"), "traffic_percentage": percent}
        for version, percent in shares.items()
    ]
    return {"agent_endpoint": {"version_selector": {"version_selection_rules": rules}}}


@pytest.mark.long
def test_a_broken_release_gets_no_traffic_and_the_next_up_with_a_fixed_one_succeeds(
    deploy: Callable[..., Deployment], sample_agent: Path
) -> None:
    """Cases 35, 38, 9 and 53 with real agent processes: the whole scenario of a bad release."""
    rolled = Rolled(deploy(sample_agent, runtime="process"))
    rolled.program(CANARY)
    first = rolled.up().succeeded()
    assert "no other version is active: support:1 gets the traffic before it is tested" in first.output

    broken = rolled.up(GREETING="Oops").failed()
    print(broken.output)
    for part in (
        "RolloutError: smoke test on support:2 failed",
        'expected smoke_checks:is_polite to accept it, got "Oops support 2: you asked "ping"": it does not say hello',
        "State: support:2 got no traffic; 100 % on 1",
        "Do: fix the agent and run `pulumi up` again",
    ):
        assert part in broken.output
    assert "Traceback" not in broken.output
    assert rolled.traffic() == {"1": 100}
    assert rolled.versions() == ["1", "2"]
    assert rolled.here.ask("?")["agent_reference"]["version"] == "1"

    fixed = rolled.up(GREETING="Howdy").succeeded()
    print(fixed.output)
    for line in ("smoke test on support:3 passed (", "10 % on 3, 90 % on 1 · baking", "50 % on 3, 50 % on 1 · baking"):
        assert line in fixed.output
    assert "100 % on 3, verified · kept 3, 1 · removed 2" in fixed.output
    assert rolled.traffic() == {"3": 100}
    assert rolled.versions() == ["1", "3"]
    assert rolled.here.ask("?")["output"][0]["content"][0]["text"].startswith("Howdy support 3")

    posted, moved = rolled.here.posted(), rolled.moves()
    reverted = rolled.up(GREETING="Hello").succeeded()
    assert "100 % on 1, verified" in reverted.output
    assert "smoke test" not in reverted.output, "a rollback does not wait"
    assert (rolled.here.posted() - posted, rolled.moves() - moved) == (0, 1)
    assert rolled.traffic() == {"1": 100}
    assert rolled.here.project.outputs() == {"serving": "1", "previous": "3", "kept": ["3", "1"]}


@pytest.mark.long
def test_a_rollout_that_is_killed_at_a_step_continues_there_and_never_goes_back(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 1, cut while a step bakes."""
    rolled = Rolled(deploy())
    canary = 'fa.Rollout.canary([10, 50], bake="{}", smoke=fa.SmokeTest("ping", expect="Echo: ping"))'
    rolled.program(canary.format("60s"))
    rolled.up().succeeded()
    rolled.here.project.set_environment(GREETING="Howdy")
    project = rolled.here.project
    run = subprocess.Popen(
        project.command("up", "--yes", "--skip-preview"),
        cwd=project.folder,
        env=project.variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    rolled.here.azure.wait_until(lambda: rolled.traffic().get("2") == 10, timeout_s=60)
    kill(run)
    project.run("cancel", "--yes", "--stack", "local").succeeded()
    assert rolled.traffic() == {"2": 10, "1": 90}
    moved = rolled.moves()

    rolled.program(canary.format("1s"))
    going_on = rolled.up().succeeded()

    assert "10 % on 2, 90 % on 1 · baking 1 s left" in going_on.output
    assert rolled.moves() - moved == 2, "50 and 100; 10 is in force already"
    assert rolled.traffic() == {"2": 100}
    assert rolled.here.posted() == 2


@pytest.mark.long
def test_a_change_in_the_portal_is_one_field_in_the_preview_and_one_write_to_undo(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 40, both halves; and with ignore_changes it is left as it is."""
    rolled = Rolled(deploy())
    canary = 'fa.Rollout.canary([10], smoke=fa.SmokeTest("ping", expect="Echo: ping"))'
    rolled.program(canary)
    rolled.up().succeeded()
    rolled.up(GREETING="Howdy").succeeded()

    def shown_and_restored(field: str) -> None:
        rolled.here.project.refresh().succeeded()
        preview = rolled.here.project.preview().succeeded()
        assert f"support-rollout update [diff: ~{field}]" in preview.output
        assert "3 unchanged" in preview.output
        before = len(rolled.here.writes())
        rolled.here.project.up().succeeded()
        assert len(rolled.here.writes()) - before == 1

    rolled.portal("PATCH", "agents/support", _routes(v1=70, v2=30))
    shown_and_restored("version")
    assert rolled.traffic() == {"2": 100}

    rolled.portal("POST", "agents/support:disable")
    shown_and_restored("enabled")
    assert rolled.here.agent()["enabled"] is True

    rolled.program(canary, ignored=("version",))
    rolled.portal("PATCH", "agents/support", _routes(v1=100))
    rolled.here.project.refresh().succeeded()
    before = len(rolled.here.writes())
    left = rolled.here.project.up().succeeded()
    assert "4 unchanged" in left.output
    assert rolled.traffic() == {"1": 100}
    assert len(rolled.here.writes()) == before


@pytest.mark.long
def test_destroy_deletes_an_agent_whose_first_rollout_failed_and_a_rename_deletes_nothing(
    deploy: Callable[..., Deployment],
) -> None:
    """A rollout that never succeeded is in no state: the version takes the agent along. Case 48.

    A resource with another name declares the same agent: what replaces and what is replaced share the history.
    """
    rolled = Rolled(deploy())
    rolled.program('fa.Rollout.all_at_once(smoke=fa.SmokeTest("ping", expect="never said", tries=1))')
    first = rolled.up().failed()
    assert "smoke test on support:1 through the endpoint at 100 % failed" in first.output
    assert rolled.versions() == ["1"]
    rolled.here.project.destroy().succeeded()
    assert rolled.here.agents() == []

    rolled.program("fa.Rollout.all_at_once()")
    rolled.up().succeeded()
    before = len(rolled.here.writes())
    rolled.program("fa.Rollout.all_at_once()", name="helpdesk")
    renamed = rolled.up().succeeded()
    assert "support:1 is kept: its rollout removes old versions" in renamed.output
    assert len(rolled.here.writes()) == before
    assert rolled.traffic() == {"1": 100}
    assert "unchanged" in rolled.here.project.preview().succeeded().output

    rolled.here.project.destroy().succeeded()
    assert rolled.here.agents() == []
