"""Links into the portal."""

from __future__ import annotations

import pytest

from foundry_agents.lifecycle.portal import playground_url

PROJECT = (
    "/subscriptions/7a88071c-a0d3-49d0-adde-4250716cfd94/resourceGroups/rg agents"
    "/providers/Microsoft.CognitiveServices/accounts/acme/projects/support"
)


def test_the_link_names_subscription_group_account_project_agent_and_version() -> None:
    """The subscription stands there as the base64 of its 16 bytes [observed]."""
    assert playground_url(PROJECT, "support", "7") == (
        "https://ai.azure.com/nextgen/r/eogHHKDTSdCt3kJQcWz9lA,rg%20agents,,acme,support"
        "/build/agents/support/build?version=7"
    )


@pytest.mark.parametrize(
    "resource_id", ["", "support", PROJECT.replace("7a88071c", "mine"), PROJECT.rpartition("/projects")[0]]
)
def test_what_is_no_project_has_no_link(resource_id: str) -> None:
    assert playground_url(resource_id, "support", "7") is None
