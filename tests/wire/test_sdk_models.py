"""The SDKs' models, and threads that meet where a model is used for the first time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROJECT = """
from azure.ai.projects._utils.model_base import Model
from foundry_agents.azure.clients import {service}
{service}("https://acme.services.ai.azure.com/api/projects/demo")
"""

TASKS = """
from azure.mgmt.containerregistrytasks._utils.model_base import Model
from foundry_agents.azure.acr_tasks import AcrTasks
AcrTasks("/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme")
"""

REPORT = """
import json

def below(model):
    for each in model.__subclasses__():
        yield each
        yield from below(each)

names = {f"{each.__module__}.{each.__qualname__}" for each in below(Model)}
print(json.dumps({"all": len(names), "left": sorted(names - Model._calculated)}))
"""


@pytest.mark.parametrize(
    ("client", "at_least"),
    [
        *(
            pytest.param(PROJECT.format(service=f"{service}_service"), 600, id=service)
            for service in ("agent", "toolbox", "vector_store")
        ),
        pytest.param(TASKS, 60, id="tasks"),
    ],
)
def test_all_models_are_set_up_before_a_clients_first_request(client: str, at_least: int) -> None:
    """Else two threads may set one up at once, and one of them fails.

    Seen: "'dict' object has no attribute 'as_dict'" in a refresh, "dictionary changed size during iteration" before an
    upload of code.
    """
    done = subprocess.run([sys.executable, "-c", client + REPORT], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["all"] >= at_least
    assert seen["left"] == []
