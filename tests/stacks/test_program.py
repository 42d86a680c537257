"""The program of every stack: what it declares and exports, and how it ends with bad settings."""

from __future__ import annotations

import json
import logging
from typing import Any

import pulumi
import pytest

from stacks import program
from tests.stacks.stack_file import deployed
from tests.support.program import (
    ASSIGNMENT,
    ENDPOINT,
    LOGIN_SERVER,
    PROJECT,
    REGISTRY,
    ROLLOUT,
    VERSION,
    Secret,
    run,
)

DIGEST = "sha256:" + "a" * 64
AGENTS = {
    "support": {"image": f"support@{DIGEST}", "environment": {"GREETING": "Hello"}, "timeout_s": 120},
    "sales": {"image": f"sales@{DIGEST}", "cpu": "2", "memory": "4Gi", "force_delete": True},
}


def test_it_declares_a_project_a_registry_and_each_agent_of_the_settings() -> None:
    made = deployed(AGENTS)
    assert (made.one(PROJECT).parent, made.one(REGISTRY).parent) == ("agents", "images")
    versions = {one.name: one.inputs for one in made.declared if one.type == VERSION}
    assert {name: (inputs["agent_name"], inputs["cpu"]) for name, inputs in versions.items()} == {
        "support-version": ("support", "1"),
        "sales-version": ("sales", "2"),
    }
    assert versions["support-version"]["environment"] == {"GREETING": "Hello"}
    assert {one.name for one in made.declared if one.type == ROLLOUT} == {"support-rollout", "sales-rollout"}


def test_the_settings_name_the_registry() -> None:
    assert deployed(AGENTS, registryName="imagesdev").one(REGISTRY).inputs["registryName"] == "imagesdev"


def test_names_derived_from_the_stack_stay_when_it_is_renamed() -> None:
    """Finding pulumi-features A4: `pulumi stack rename`."""
    made, named = deployed(AGENTS), deployed(AGENTS, projectName="shop", registryName="imagesdev")
    assert (made.one(PROJECT).inputs["projectName"], made.one(PROJECT).ignore_changes) == (
        "agents-dev",
        ("projectName",),
    )
    assert made.one(REGISTRY).ignore_changes == ("registryName",)
    assert (named.one(PROJECT).ignore_changes, named.one(REGISTRY).ignore_changes) == ((), ())


def test_it_exports_what_make_up_and_other_projects_read(monkeypatch: pytest.MonkeyPatch) -> None:
    exported: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)

    def declare() -> dict[str, object]:
        program.deploy()
        return exported

    config = {"foundry-agents:location": "eastus2", "foundry-agents:agents": json.dumps(AGENTS)}
    outputs = run(declare, config=config).outputs
    assert set(outputs) == {"contract"}
    assert outputs["contract"]["project"]["endpoint"] == ENDPOINT
    assert outputs["contract"]["registry"]["login_server"] == LOGIN_SERVER
    assert set(outputs["contract"]["agents"]) == {"support", "sales"}


def test_bad_settings_end_the_program_with_all_problems_and_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    with pytest.raises(SystemExit) as caught:
        deployed({"support": {"imgae": "x"}, "sales": {"image": 7}})
    assert caught.value.code == program.ERROR_REPORTED
    (text,) = caplog.messages
    assert text.startswith("3 problems in stacks/Pulumi.dev.yaml")


def test_on_the_wrong_azure_the_program_declares_and_reads_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARM_METADATA_HOSTNAME", "localhost:8443")
    caplog.set_level(logging.ERROR)
    with pytest.raises(SystemExit):
        deployed({"support": {"imgae": "x"}})
    (text,) = caplog.messages
    assert text.startswith("stack `dev` is for the real Azure")


def test_in_production_everything_except_versions_is_protected() -> None:
    """Pulumi does not replace a protected resource, and every change replaces a version.

    Roles are protected because Pulumi checks one resource at a time: a refused destroy would still delete them.
    """
    made = deployed(AGENTS | {"sales": {"image": f"sales@{DIGEST}"}}, production="true")
    assert {one.name for one in made.declared if one.custom and not one.protect} == {"support-version", "sales-version"}
    assert {one.name for one in deployed(AGENTS).declared if one.protect} == set()


def test_every_agent_uses_the_stacks_fingerprint_key_which_stays_secret() -> None:
    """Case 55."""
    made = deployed(AGENTS, fingerprintKey="a-key-of-16-chars-or-more")
    keys = [one.inputs["fingerprint_key"] for one in made.declared if one.type == VERSION]
    assert keys == [Secret("a-key-of-16-chars-or-more")] * 2


def test_a_caller_of_an_agent_gets_only_the_role_to_invoke() -> None:
    callers = [{"principal_id": "app"}, {"principal_id": "team", "principal_type": "Group"}]
    made = deployed({"support": {"image": f"support@{DIGEST}", "invoked_by": callers}})
    given = {one.name: one.inputs for one in made.declared if "-invoke-" in one.name}
    assert {name: inputs["principalType"] for name, inputs in given.items()} == {
        "support-invoke-app": "ServicePrincipal",
        "support-invoke-team": "Group",
    }
    assert {inputs["roleDefinitionId"].rpartition("/")[2] for inputs in given.values()} == {
        "eed3b665-ab3a-47b6-8f48-c9382fb1dad6"
    }


def test_an_existing_project_and_registry_are_used_and_not_created() -> None:
    project = {"endpoint": ENDPOINT, "principal_id": "p", "resource_id": "/r"}
    registry = {"login_server": LOGIN_SERVER, "resource_id": "/registry"}
    made = deployed(AGENTS, project=json.dumps(project), registry=json.dumps(registry))
    assert {one.type for one in made.declared if one.custom} == {VERSION, ROLLOUT, ASSIGNMENT}
    assert made.one(ASSIGNMENT).inputs["scope"] == "/registry"
    without = deployed(AGENTS, project=json.dumps(project), registry=json.dumps(registry | {"grants": False}))
    assert {one.type for one in without.declared if one.custom} == {VERSION, ROLLOUT}
    version = made.one(VERSION, "support-version")
    assert version.inputs["project_endpoint"] == ENDPOINT
    assert version.inputs["image"] == f"{LOGIN_SERVER}/support@{DIGEST}"


# --- Promotion --------------------------------------------------------------------------------------------------------

NEWER = "sha256:" + "b" * 64


def _published(digest: str) -> dict[str, object]:
    there = "localhost:5443/imagesstaging"
    known = ("agent_name", "endpoint", "responses_url", "version", "status", "serving_version", "traffic")
    agent = dict.fromkeys(known, "x") | {"image": f"{there}/support@{digest}"}
    registry = {"login_server": there}
    return {"contract": {"format": "1.0", "registry": registry, "agents": {"support": agent}}}


BOTH = {"acme/foundry-agents/staging": _published(NEWER), "acme/foundry-agents/dev": _published(DIGEST)}


@pytest.mark.parametrize(
    ("settings", "digest"),
    [({"promoteFrom": "staging"}, NEWER), ({"promoteFrom": "staging", "promote": "false"}, DIGEST)],
)
def test_a_promotion_uses_the_digest_of_the_stack_before_or_keeps_its_own(
    settings: dict[str, Any], digest: str
) -> None:
    """The repository and the digest come from the contract; the registry is this stack's own."""
    made = deployed({"support": {}}, BOTH, **settings)
    assert made.one(VERSION).inputs["image"] == f"{LOGIN_SERVER}/support@{digest}"


def test_an_image_in_the_file_has_priority_over_a_promotion() -> None:
    """An urgent fix does not wait for the stacks before, which may not even exist."""
    made = deployed({"support": {"image": f"support@{DIGEST}"}}, {}, promoteFrom="staging")
    assert made.one(VERSION).inputs["image"] == f"{LOGIN_SERVER}/support@{DIGEST}"


def test_without_promotion_and_a_published_contract_the_program_ends_with_an_error() -> None:
    with pytest.raises(pulumi.RunError, match='stack "acme/foundry-agents/dev" publishes no contract'):
        deployed({"support": {}}, {"acme/foundry-agents/dev": {}}, promoteFrom="staging", promote="false")
