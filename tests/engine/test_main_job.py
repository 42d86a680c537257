"""The main job on the real engine: up, nothing changed, a change, its revert, destroy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.harness import Deployment, without_wire

pytestmark = pytest.mark.engine


def test_the_sample_agent_is_deployed_answers_and_is_destroyed(
    deploy: Callable[..., Deployment], sample_agent: Path
) -> None:
    """The whole path with a real agent process: its image, its readiness, its answer, and nothing left behind."""
    here = deploy(sample_agent, whole=True, runtime="process")

    here.project.up().succeeded()

    support = here.project.outputs()["contract"]["agents"]["support"]
    assert (support["version"], support["traffic"]) == ("1", {"1": 100})
    answer = here.ask("Which version answers?")
    assert answer["output"][0]["content"][0]["text"] == 'Hello support 1: you asked "Which version answers?"'
    assert answer["agent_reference"] == {"type": "agent_reference", "name": "support", "version": "1"}

    here.project.destroy().succeeded()

    state = here.azure.control.state()
    assert (state["agents"], state["arm_resources"], state["instances"]) == (0, 0, 0)


def test_a_second_up_and_a_refresh_change_nothing_and_write_nothing(deploy: Callable[..., Deployment]) -> None:
    """Case 12. azd#7461, maf#1955"""
    here = deploy(whole=True)
    here.project.up().succeeded()
    before = len(here.writes())

    again = here.project.up().succeeded()
    refreshed = here.project.refresh().succeeded()
    previewed = here.project.preview().succeeded()

    assert "11 unchanged" in again.output
    assert "11 unchanged" in refreshed.output
    assert "11 unchanged" in previewed.output
    assert len(here.writes()) == before


def test_a_changed_variable_creates_version_2_and_its_revert_adopts_version_1(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 9. The preview names the field; the revert posts nothing and serves version 1 again. azd#5356"""
    here = deploy()
    here.project.up().succeeded()

    here.project.set_environment(GREETING="Howdy")
    preview = here.project.preview().succeeded()
    assert "support-version replace [diff: ~environment]" in preview.output
    assert "support-rollout update [diff: ~version]" in preview.output
    assert "1 to update" in preview.output
    assert "+-1 to replace" in preview.output
    assert here.posted() == 1, "a preview posts nothing"

    here.project.up().succeeded()
    assert here.agent()["rules"] == [{"version": "2", "percentage": 100}]
    assert here.ask("?")["agent_reference"]["version"] == "2"

    here.project.set_environment(GREETING="Hello")
    reverted = here.project.up().succeeded()
    assert "adopted support:1 (same definition, no POST)" in reverted.output
    assert here.posted() == 2, "the revert posts nothing"
    assert here.agent()["rules"] == [{"version": "1", "percentage": 100}]
    assert here.ask("?")["agent_reference"]["version"] == "1"


def test_a_version_deleted_out_of_band_is_created_again_after_a_refresh(deploy: Callable[..., Deployment]) -> None:
    """Case 41, agent and version; the rule is in tests/wire/test_rollout.py, toolboxes in test_toolbox_on_azure.py.

    Role, policy, registry and project are in test_every_option.py.
    """
    here = deploy()
    here.project.up().succeeded()
    with here.azure.client("agents") as portal:
        portal.delete("agents/support", params={"force": "true"}).raise_for_status()

    here.project.refresh().succeeded()
    here.project.up().succeeded()

    assert here.agent()["rules"] == [{"version": here.agent()["versions"][0]["version"], "percentage": 100}]
    assert here.posted() == 2


def test_a_secret_variable_is_never_shown(deploy: Callable[..., Deployment]) -> None:
    """Case 54. The canary passes through settings, inputs, state, progress and the most verbose output. pu#8265"""
    here = deploy()
    canary = "canary-5f1c07"
    name = "foundry-agents:agents.support.environment.TOKEN"
    set_secret = ("config", "set", "--path", "--secret", name, canary, "--stack", "local")
    here.project.run(*set_secret).succeeded()

    up = here.project.run("up", "--yes", "--skip-preview", "--verbose=9", "--logtostderr").succeeded()
    details = here.project.run("preview", "--diff").succeeded()
    agent_sees = here.azure.journal()

    with here.azure.client("agents") as service:
        definition = service.get("agents/support/versions/1").json()["definition"]
    assert definition["environment_variables"]["TOKEN"] == canary, "the agent itself gets the value"
    assert canary not in without_wire(up.output)
    assert canary not in details.output
    assert canary not in here.project.state_text()
    assert canary not in str(agent_sees)
