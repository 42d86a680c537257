"""The SDK's models, and threads that meet where a model is used for the first time."""

from __future__ import annotations

import json
import subprocess
import sys

IN_A_NEW_PROCESS = """
import json
from azure.ai.projects import models
from azure.ai.projects._utils.model_base import Model
from foundry_agents.azure.agents import hosted
from foundry_agents.azure.sdk_models import set_up
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

set_up()
before = set(Model._calculated)
for props in (EVERYTHING, OF_CODE):
    hosted(AgentDefinition.from_values(values(props)))
bodies = [entry.answer for name in recordings() for entry in recording(name)]
for body in bodies:
    read(body)
print(json.dumps({"read": len(bodies), "before": len(before), "later": sorted(set(Model._calculated) - before)}))
"""


def test_no_model_is_set_up_by_two_threads_at_once() -> None:
    """A refresh of two agents failed in CI: "'dict' object has no attribute 'as_dict'"; see `sdk_models`."""
    done = subprocess.run([sys.executable, "-c", IN_A_NEW_PROCESS], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["read"] >= 50
    assert seen["before"] > 200
    assert seen["later"] == []
