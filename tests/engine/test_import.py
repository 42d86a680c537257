"""Versions that exist, of an image and of code, are taken into a stack."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from foundry_agents.agent.import_existing import import_file
from foundry_agents.azure import agent_service
from foundry_agents.sources.code_package import packed
from tests.support.harness import Deployment

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
fa.HostedAgentVersion(
    "coded",
    project_endpoint=config.require("endpoint"),
    agent_name="coder",
    code=fa.CodePackage("agent", entry_point=["python", "main.py"], dependency_resolution="remote_build"),
)
"""


def test_imported_versions_do_not_differ_from_a_program_with_the_same_inputs(
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
        _upload(portal, here.project.folder / "agent")
    (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    here.project.config = {"endpoint": project.endpoint, "image": image}
    here.project.write_config()
    before = len(here.writes())

    content: dict[str, Any] = {"resources": []}
    for agent, name in (("elder", "taken"), ("coder", "coded")):
        with mock.patch.dict(os.environ, here.azure.env):
            taken = import_file(
                agent_service(project.endpoint),
                project_endpoint=project.endpoint,
                agent=agent,
                version="1",
                owner="organization/foundry-agents/local",
                resource_name=name,
            )
        content["resources"] += taken["resources"]
    file = here.project.folder / "import.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    here.project.run("import", "--file", str(file), "--generate-code=false", "--protect=false", "--yes").succeeded()
    preview = here.project.preview().succeeded()

    assert "3 unchanged" in preview.output
    assert "replace" not in preview.output
    assert len(here.writes()) == before


def _upload(portal: httpx.Client, folder: Path) -> None:
    """Create the agent `coder` from a folder, as a user of another tool would."""
    folder.mkdir()
    (folder / "main.py").write_text("print('hello')\n", encoding="utf-8")
    (folder / "requirements.txt").write_text("", encoding="utf-8")
    definition = {
        "kind": "hosted",
        "cpu": "1",
        "memory": "2Gi",
        "code_configuration": {
            "runtime": "python_3_13",
            "entry_point": ["python", "main.py"],
            "dependency_resolution": "remote_build",
        },
        "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
    }
    with packed(folder) as (archive, _):
        parts: dict[str, Any] = {
            "metadata": (None, json.dumps({"definition": definition}), "application/json"),
            "code": ("code.zip", archive.read(), "application/octet-stream"),
        }
    portal.post("agents/coder/versions", files=parts).raise_for_status()
