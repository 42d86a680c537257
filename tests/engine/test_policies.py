"""The policy pack on the real engine: what is wrong is refused, rule by rule, before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from foundry_policies import RULES
from tests.support.environments import POLICIES
from tests.support.harness import Deployment

pytestmark = pytest.mark.engine

VIOLATIONS = """
import pulumi
from pulumi.dynamic import Resource, ResourceProvider
from pulumi_azure_native import authorization, containerregistry

import foundry_agents as fa

given = pulumi.Config("given")
digest = "sha256:" + "0" * 64
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
fa.HostedAgent(
    "large",
    project=project,
    image=fa.AgentImage.pinned(f"acme.azurecr.io/large@{digest}"),
    tier=fa.Tier.of("4", "8Gi"),
    environment={"DB_PASSWORD": "canary-4711"},
    rollout=fa.Rollout.all_at_once(keep_versions=1),
)


fa.ToolboxVersion(
    "keyed",
    project_endpoint=project.endpoint,
    toolbox_name="keyed",
    tools=[fa.Mcp("docs", "https://x.example/mcp", headers={"x-key": "canary-4711"})],
    readable=["tools.docs.headers.x-key"],
)


# The same type from a program that goes round the library, whose own check refuses a tag.
class Unchecked(Resource, module="foundry", name="HostedAgentVersion"):
    pass


Unchecked(ResourceProvider(), "tagged", {"image": "acme.azurecr.io/tagged:latest"})
containerregistry.Registry(
    "open",
    registry_name="openregistry",
    resource_group_name="agents",
    location="antarctica",
    sku={"name": "Basic"},
    admin_user_enabled=True,
)
authorization.RoleAssignment(
    "everything",
    scope="/subscriptions/00000000-0000-0000-0000-000000000001",
    principal_id=given.require("principal"),
    principal_type="ServicePrincipal",
    role_definition_id="/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
)
"""


def test_every_rule_refuses_a_violation_and_none_shows_a_secret(deploy: Callable[..., Deployment]) -> None:
    """Case 58. A clean stack passes in the scenario of a promotion."""
    here = deploy()
    (here.project.folder / "__main__.py").write_text(VIOLATIONS, encoding="utf-8")
    prod = here.project.add_stack("prod", {})
    prod.given = here.project.given
    prod.write_config()

    refused = prod.preview(*POLICIES).failed().output

    flagged = set(re.findall(r"\[mandatory\] \[severity: \w+\]  ([a-z-]+)  \(", refused))
    assert flagged == {rule.name for rule in RULES}, refused
    assert "canary-4711" not in refused
    assert here.writes() == []
