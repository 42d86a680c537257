"""The SDK's models, and threads that meet where a model is used for the first time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROJECT = """
import json
from azure.ai.projects import models
from azure.ai.projects._utils.model_base import Model
from foundry_agents.azure.agents import hosted
from foundry_agents.azure.clients import agent_service
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from tests.conformance.recording import recording, recordings
from tests.support.settings import EVERYTHING, OF_CODE, values

KINDS = {
    "agent": models.AgentDetails,
    "agent.version": models.AgentVersionDetails,
    "agent.deleted": models.DeleteAgentResponse,
    "agent.version.deleted": models.DeleteAgentVersionResponse,
}

def read(body):
    if isinstance(body, dict):
        if body.get("object") in KINDS:
            KINDS[body["object"]](body)
        elif "agent_session_id" in body and "version_indicator" in body:
            models.AgentSessionResource(body)
        elif "default_version" in body:
            models.ToolboxObject(body)
        elif "tools" in body and "version" in body:
            models.ToolboxVersionObject(body)
        elif "error" in body:
            models.ApiErrorResponse(body)
        for item in body.get("data") or []:
            read(item)

agent_service("https://acme.services.ai.azure.com/api/projects/demo")
before = set(Model._calculated)
for props in (EVERYTHING, OF_CODE):
    hosted(AgentDefinition.from_values(values(props)))
bodies = [entry.answer for name in recordings() for entry in recording(name)]
for body in bodies:
    read(body)
assert len(bodies) >= 50
print(json.dumps({"before": len(before), "later": sorted(set(Model._calculated) - before)}))
"""

TASKS = """
import json
from azure.mgmt.containerregistrytasks import models
from azure.mgmt.containerregistrytasks._utils.model_base import Model
from foundry_agents.azure.acr_tasks import AcrTasks

tasks = AcrTasks("/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme")
before = set(Model._calculated)
models.SourceUploadDefinition({"uploadUrl": "u", "relativePath": "p"})
models.DockerBuildRequest(
    docker_file_path="Dockerfile",
    platform=models.PlatformProperties(os=models.OS.LINUX, architecture=models.Architecture.AMD64),
    arguments=[models.Argument(name="BASE", value="b")],
)
properties = {"runId": "ca1", "status": "Failed", "runErrorMessage": "no", "outputImages": [{"tag": "t"}]}
properties |= {"platform": {"os": "Linux"}, "agentConfiguration": {"cpu": 2}}
models.Run({"name": "ca1", "properties": properties, "systemData": {"createdBy": "x"}}).status
models.RunGetLogResult({"logLink": "l"})
models.ErrorResponse({"error": {"code": "c", "details": [{"code": "d"}], "additionalInfo": [{"type": "t"}]}})
print(json.dumps({"before": len(before), "later": sorted(set(Model._calculated) - before)}))
"""


@pytest.mark.parametrize(("program", "at_least"), [(PROJECT, 200), (TASKS, 15)], ids=["project", "tasks"])
def test_a_clients_models_are_set_up_before_its_first_request(program: str, at_least: int) -> None:
    """Else two threads do it at once, and a refresh fails: "'dict' object has no attribute 'as_dict'" (seen in CI)."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["before"] > at_least
    assert seen["later"] == []
