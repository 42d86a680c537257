"""The program of every stack: what it declares and exports, and how it ends on bad settings."""

from __future__ import annotations

import json
import logging

import pulumi
import pytest

from stacks import program
from tests.components.program import ENDPOINT, PROJECT, REGISTRY, ROLLOUT, VERSION, Run, run

DIGEST = "sha256:" + "a" * 64
AGENTS = {
    "support": {"image": f"support@{DIGEST}", "environment": {"GREETING": "Hello"}, "timeout_s": 120},
    "sales": {"image": f"sales@{DIGEST}", "cpu": "2", "memory": "4Gi", "force_delete": True},
}


def _deployed(agents: object, **more: str) -> Run:
    config = {"location": "eastus2", "agents": json.dumps(agents), **more}
    return run(program.deploy, config={f"foundry-agents:{key}": value for key, value in config.items()})


def test_it_declares_a_project_a_registry_and_each_agent_of_the_settings() -> None:
    made = _deployed(AGENTS)
    assert (made.one(PROJECT).parent, made.one(REGISTRY).parent) == ("agents", "images")
    versions = {one.name: one.inputs for one in made.declared if one.type == VERSION}
    assert {name: (inputs["agent_name"], inputs["cpu"]) for name, inputs in versions.items()} == {
        "support-version": ("support", "1"),
        "sales-version": ("sales", "2"),
    }
    assert versions["support-version"]["environment"] == {"GREETING": "Hello"}
    assert {one.name for one in made.declared if one.type == ROLLOUT} == {"support-rollout", "sales-rollout"}


def test_the_registry_is_named_as_the_settings_say() -> None:
    assert _deployed(AGENTS, registryName="imagesdev").one(REGISTRY).inputs["registryName"] == "imagesdev"


def test_it_exports_what_make_up_and_other_projects_read(monkeypatch: pytest.MonkeyPatch) -> None:
    exported: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)

    def declare() -> dict[str, object]:
        program.deploy()
        return exported

    config = {"foundry-agents:location": "eastus2", "foundry-agents:agents": json.dumps(AGENTS)}
    outputs = run(declare, config=config).outputs
    assert outputs["project_endpoint"] == ENDPOINT
    assert set(outputs["agents"]) == {"support", "sales"}
    assert set(outputs["agents"]["support"]) == {
        "version",
        "status",
        "image",
        "traffic",
        "endpoint",
        "responses_url",
        "principal_id",
    }


def test_bad_settings_end_the_program_with_all_problems_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    with pytest.raises(SystemExit) as caught:
        _deployed({"support": {"imgae": "x"}, "sales": {"image": 7}})
    assert caught.value.code == 1
    (text,) = caplog.messages
    assert text.startswith("3 problems in stacks/Pulumi.dev.yaml")
