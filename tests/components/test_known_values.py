"""What a preview knows of a resource that is only updated, and what it asks Azure for."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pytest
from pulumi import Output
from pulumi.runtime import rpc

import foundry_agents as fa
from tests.support.program import ASSIGNMENT, ENDPOINT, GROUP, PRINCIPAL, PROJECT, run

GET_PROJECT = "azure-native:cognitiveservices:getProject"
PROJECT_ID = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/shop-account/projects/shop"
LIVE: Mapping[str, Mapping[str, object]] = {
    GET_PROJECT: {
        "id": PROJECT_ID.replace("resourceGroups", "resourcegroups"),
        "identity": {"principalId": PRINCIPAL},
        "properties": {"endpoints": {"AI Foundry API": f"{ENDPOINT}/"}},
    },
}
NOTHING: Mapping[str, Mapping[str, object]] = {PROJECT: {"properties": rpc.UNKNOWN, "identity": rpc.UNKNOWN}}
"""What azure-native says of outputs in the preview of an update."""


def _shop() -> dict[str, pulumi.Input[object]]:
    project = fa.FoundryProject("shop", location="eastus2")
    fa.AgentRegistry("images", pulled_by=project)

    def known(output: Output[object]) -> Output[object]:
        return output.apply(lambda value: str(value) if isinstance(value, str) else None, run_with_unknowns=True)

    return {
        "principal": known(project.principal_id),
        "endpoint": known(project.endpoint),
        "project": known(project.project_name),
    }


def test_the_preview_of_an_update_knows_what_azure_says() -> None:
    """Finding field-faults F1: the mock has ids and no outputs, as azure-native in the preview of an update."""
    made = run(_shop, preview=True, answers=NOTHING, live=LIVE)

    assert (made.outputs["principal"], made.outputs["endpoint"]) == (PRINCIPAL, ENDPOINT)
    assert made.outputs["project"] == "shop"
    assert made.one(ASSIGNMENT, "images-pull").inputs["principalId"] == PRINCIPAL


@pytest.mark.parametrize("answer", [{}, {"id": f"{PROJECT_ID}2", "identity": {"principalId": "other"}}])
def test_what_azure_does_not_say_of_this_resource_stays_unknown(answer: Mapping[str, object]) -> None:
    """Not signed in, not there, or read in another subscription."""
    made = run(_shop, preview=True, answers=NOTHING, live={**LIVE, GET_PROJECT: answer})

    assert (made.outputs["principal"], made.outputs["endpoint"]) == (None, None)


def test_what_is_known_is_not_asked_for_and_an_update_asks_nothing() -> None:
    """The mock fails at any call."""
    run(_shop, preview=True)
    run(_shop)
