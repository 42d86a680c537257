"""A version that exists is taken into a stack."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from unittest import mock

import pytest

from foundry_agents.azure import agent_service
from foundry_agents.resources.import_file import import_file
from tests.engine.harness import Deployment

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import foundry_agents as fa

config = pulumi.Config()
fa.HostedAgentVersion(
    "taken",
    project_endpoint=config.require("endpoint"),
    agent_name="elder",
    image=config.require("image"),
    cpu="0.5",
    memory="1Gi",
    protocols={"responses": "1.0.0"},
    environment={"A": "b"},
    session_idle_timeout_s=600,
    description="made by hand",
    metadata={"team": "support"},
)
"""


def test_an_imported_version_has_no_difference_from_a_program_that_says_the_same(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 46. pu#16175"""
    here = deploy()
    project = here.azure.seed_project("shop")
    image = here.azure.push_image(project)
    with here.azure.client("shop") as portal:
        definition = {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": image},
            "protocol_versions": [{"protocol": "responses", "version": "1.0.0"}],
            "environment_variables": {"A": "b"},
            "session_configuration": {"idle_timeout_seconds": 600},
        }
        body = {"definition": definition, "description": "made by hand", "metadata": {"team": "support"}}
        portal.post("agents/elder/versions", json=body).raise_for_status()
    (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    here.project.config = {"endpoint": project.endpoint, "image": image}
    here.project.write_config()
    before = len(here.writes())

    with mock.patch.dict(os.environ, here.azure.env):
        content = import_file(
            agent_service(project.endpoint),
            project_endpoint=project.endpoint,
            agent="elder",
            version="1",
            owner="organization/foundry-agents/local",
            resource_name="taken",
        )
    file = here.project.folder / "import.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    here.project.run("import", "--file", str(file), "--generate-code=false", "--protect=false", "--yes").succeeded()
    preview = here.project.preview().succeeded()

    assert "2 unchanged" in preview.output
    assert "replace" not in preview.output
    assert len(here.writes()) == before
