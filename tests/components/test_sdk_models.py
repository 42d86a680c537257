"""The check of requests against Azure's SDKs can fail: each kind of mistake is found by its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sdk_models import problems_of

ACCOUNT = "Microsoft.CognitiveServices/accounts"
CONNECTION = f"{ACCOUNT}/projects/connections"
REGISTRY = "Microsoft.ContainerRegistry/registries"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (ACCOUNT, {"kinds": "AIServices"}, "kinds is not a field of Account"),
        (
            ACCOUNT,
            {"properties": {"allowProjects": True}},
            "properties.allowProjects is not a field of AccountProperties",
        ),
        (ACCOUNT, {"properties": {"allowProjectManagement": "yes"}}, "properties.allowProjectManagement is 'yes', not"),
        (
            ACCOUNT,
            {"properties": {"publicNetworkAccess": "Off"}},
            "properties.publicNetworkAccess is 'Off', and Public",
        ),
        (
            ACCOUNT,
            {"properties": {"networkInjections": [{"scenario": "agents"}]}},
            "properties.networkInjections[0].scenario is 'agents', and ScenarioType has",
        ),
        (
            CONNECTION,
            {"properties": {"authType": "ManagedIdentity", "credentials": {"key": "k"}}},
            "properties.credentials.key is not a field of ConnectionManagedIdentity",
        ),
        (REGISTRY, {"properties": {"policies": {"armPolicy": {}}}}, "properties.policies.armPolicy is not a field of"),
        (REGISTRY, {"sku": {"name": "Huge"}}, "sku.name is 'Huge', and SkuName has"),
        (REGISTRY, {"properties": {"adminUserEnabled": "no"}}, "properties.adminUserEnabled is 'no', not a bool"),
        (ASSIGNMENT, {"properties": {"principal": "p"}}, "properties.principal is not a field of RoleAssignment"),
        (ASSIGNMENT, {"properties": {"principalType": "Robot"}}, "properties.principalType is 'Robot', and Principal"),
    ],
)
def test_a_mistake_in_a_request_is_found_by_its_path(kind: str, body: dict[str, Any], said: str) -> None:
    (problem,) = problems_of(kind, body)
    assert problem.startswith(f"{kind}: {said}")
