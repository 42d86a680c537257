"""What goes wrong on the real engine: killed runs, missing rights, bad settings."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.support.harness import REGISTRY, Deployment, kill

pytestmark = pytest.mark.engine

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


def test_the_next_run_finishes_one_that_was_killed_while_waiting_with_exactly_one_version(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 1, cut in the middle of the wait: engine, language host and plugins die at once. pu#15958"""
    here = deploy(provisioning_s=6)
    command = here.project.command("up", "--yes", "--skip-preview")
    run = subprocess.Popen(
        command,
        cwd=here.project.folder,
        env=here.project.variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    here.azure.wait_until(lambda: here.posted() == 1, timeout_s=60)
    kill(run)
    # A killed CLI can't release its lock.
    here.project.run("cancel", "--yes", "--stack", "local").succeeded()

    here.project.up().succeeded()

    assert [version["version"] for version in here.agent()["versions"]] == ["1"]
    assert here.posted() == 1
    assert here.agent()["rules"] == [{"version": "1", "percentage": 100}]


def test_a_missing_pull_role_names_principal_role_and_registry_and_leaves_nothing_behind(
    deploy: Callable[..., Deployment],
) -> None:
    """Cases 6 and 23. Taken away, `up` fails; given back, `up` succeeds. azd#7515"""
    here = deploy(whole=True)
    here.project.up().succeeded()
    arm = here.azure.emulator.arm
    resources = here.azure.run(lambda: [str(resource["id"]) for resource in arm.resources()])
    here.azure.delete(next(resource for resource in resources if "roleAssignments" in resource))
    here.project.set_environment(GREETING="Howdy")

    failed = here.project.up().failed()

    project = here.azure.run(lambda: arm.project("agents"))
    assert project is not None
    assert "version support:2 failed: ImageError" in failed.output
    assert project.principal_id in failed.output
    assert ACR_PULL in failed.output
    assert f'registry "{REGISTRY}" (checked: AcrPull, Container Registry Repository Reader)' in failed.output
    assert f"registries/{REGISTRY}`, then run `pulumi up` again" in failed.output
    assert "support:2 was removed; support:1 serves 100 %" in failed.output
    assert "Traceback" not in failed.output
    assert [version["version"] for version in here.agent()["versions"]] == ["1"]

    here.project.refresh().succeeded()
    here.project.up().succeeded()

    assert here.agent()["rules"] == [{"version": "3", "percentage": 100}]


def test_all_bad_settings_of_an_agent_are_reported_at_once_before_any_request(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 59 on the real engine."""
    here = deploy()
    here.project.config["agents"]["support"] |= {
        "cpu": "3",
        "environment": {"AGENT_MODE": "x", "2ND": "canary-value"},
        "description": "x" * 600,
    }
    here.project.write_config()

    failed = here.project.preview().failed()

    assert "4 problems in the agent's settings" in failed.output
    for path in ('cpu "3": not a tier', "environment.AGENT_MODE", "environment.2ND", "description"):
        assert path in failed.output
    assert "canary-value" not in failed.output
    assert "Traceback" not in failed.output
    assert here.writes() == []


def test_a_misspelt_setting_is_reported_with_its_path_in_the_stacks_file(deploy: Callable[..., Deployment]) -> None:
    """No traceback, nothing sent."""
    here = deploy(whole=True)
    here.project.config["agents"]["support"]["memroy"] = "2Gi"
    here.project.write_config()

    failed = here.project.preview().failed()

    assert "1 problem in stacks/Pulumi.local.yaml" in failed.output
    assert "agents.support.memroy is not a setting" in failed.output
    assert "unhandled error" not in failed.output
    assert "Traceback" not in failed.output
    assert here.writes() == []


def test_an_agent_of_another_stack_is_refused_and_nothing_is_changed(deploy: Callable[..., Deployment]) -> None:
    """Case 7."""
    here = deploy()
    here.project.up().succeeded()
    metadata = {"foundry-agents.managed-by": "pulumi-foundry-agents", "foundry-agents.owner": "acme/agents/prod"}
    with here.azure.client("agents") as other:
        image = f"{here.project.given['registry']}/{here.project.config['agents']['support']['image']}"
        definition = {
            "kind": "hosted",
            "cpu": "1",
            "memory": "2Gi",
            "container_configuration": {"image": image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        }
        body = {"definition": definition, "metadata": metadata}
        other.post("agents/sales/versions", json=body).raise_for_status()
    here.project.config["agents"]["sales"] = here.project.config["agents"]["support"]
    here.project.write_config()
    before = len(here.writes())

    failed = here.project.up().failed()

    assert 'agent "sales" exists and is not managed by this stack' in failed.output
    assert '"acme/agents/prod" manages it' in failed.output
    assert "No changes were made." in failed.output
    assert len(here.writes()) == before


def test_the_error_for_a_deployer_without_the_data_role_names_role_and_scope(deploy: Callable[..., Deployment]) -> None:
    """Case 32. azd#9205"""
    here = deploy()
    arm = here.azure.emulator.arm
    for assignment in here.azure.run(lambda: [str(r["id"]) for r in arm.resources(seeded=True)]):
        if "roleAssignments" in assignment and _is_foundry_user(here, assignment):
            here.azure.delete(assignment)

    failed = here.project.up().failed()

    assert "HTTP 403" in failed.output
    assert "53ca6127-db72-4b80-b1b0-d745d6d5456d" in failed.output
    assert "/api/projects/agents/agents/support" in failed.output
    assert "(request " in failed.output
    assert "Traceback" not in failed.output
    assert here.posted() == 0


def _is_foundry_user(here: Deployment, assignment: str) -> bool:
    arm = here.azure.emulator.arm
    found = here.azure.run(lambda: next(r for r in arm.resources(seeded=True) if r["id"] == assignment))
    return "53ca6127-db72-4b80-b1b0-d745d6d5456d" in str(found)
