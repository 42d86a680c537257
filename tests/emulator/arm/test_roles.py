from __future__ import annotations

from typing import cast

import pytest

from foundry_emulator.arm import roles
from foundry_emulator.identity import DEPLOYER
from tests.emulator.arm.azure import GROUP, PROJECT, REGISTRY, SUBSCRIPTION, Azure, grant_body

OTHER = "11111111-1111-1111-1111-111111111111"
NAME = "22222222-2222-2222-2222-222222222222"
PULL = {roles.ACR_PULL}


def assignment(scope: str, name: str = NAME) -> str:
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def test_the_deployer_starts_as_owner_and_foundry_user(azure: Azure) -> None:
    assert azure.arm.has_role(DEPLOYER, {roles.OWNER}, GROUP)
    assert azure.arm.has_role(DEPLOYER, {roles.FOUNDRY_USER}, PROJECT)
    assert not azure.arm.has_role(OTHER, {roles.OWNER}, GROUP)


def test_a_role_is_in_effect_at_its_scope_and_below_only(azure: Azure) -> None:
    azure.registry()
    path = azure.grant(REGISTRY, roles.ACR_PULL, OTHER)
    assert azure.arm.has_role(OTHER, PULL, REGISTRY.upper())
    assert azure.arm.has_role(OTHER, PULL, f"{REGISTRY}/anything/below")
    assert not azure.arm.has_role(OTHER, PULL, GROUP)
    assert not azure.arm.has_role(OTHER, PULL, f"{REGISTRY}2")
    assert not azure.arm.has_role(OTHER, {roles.ACR_PUSH}, REGISTRY)
    azure.send("DELETE", path)
    assert not azure.arm.has_role(OTHER, PULL, REGISTRY)


def test_a_role_at_a_resource_group_is_inherited(azure: Azure) -> None:
    azure.registry()
    azure.grant(GROUP, roles.ACR_PULL, OTHER)
    assert azure.arm.has_role(OTHER, PULL, REGISTRY)


def test_a_role_may_be_scoped_to_an_agent(azure: Azure) -> None:
    azure.project()
    azure.grant(f"{PROJECT}/agents/support", roles.FOUNDRY_AGENT_CONSUMER, OTHER)
    consumer = {roles.FOUNDRY_AGENT_CONSUMER}
    assert azure.arm.has_role(OTHER, consumer, f"{PROJECT}/agents/support")
    assert not azure.arm.has_role(OTHER, consumer, f"{PROJECT}/agents/sales")


def test_a_new_role_is_in_effect_after_its_propagation() -> None:
    azure = Azure(role_delay_s=30)
    azure.registry()
    azure.grant(REGISTRY, roles.ACR_PULL, OTHER)
    azure.now += 29
    assert not azure.arm.has_role(OTHER, PULL, REGISTRY)
    azure.now += 1
    assert azure.arm.has_role(OTHER, PULL, REGISTRY)


def test_repeating_an_assignment_succeeds_and_another_name_is_a_conflict(azure: Azure) -> None:
    """Case 34: a name that is the same on every run finds the existing assignment."""
    azure.registry()
    body = grant_body(roles.ACR_PULL, OTHER)
    assert azure.send("PUT", assignment(REGISTRY), body)[0] == 201
    assert azure.send("PUT", assignment(REGISTRY), body)[0] == 200
    other = assignment(REGISTRY, "33333333-3333-3333-3333-333333333333")
    assert azure.code("PUT", other, body) == (409, "RoleAssignmentExists")


def test_an_assignment_cannot_change_its_principal_or_role(azure: Azure) -> None:
    azure.registry()
    azure.put(assignment(REGISTRY), grant_body(roles.ACR_PULL, OTHER))
    changed = grant_body(roles.ACR_PUSH, OTHER)
    assert azure.code("PUT", assignment(REGISTRY), changed) == (400, "RoleAssignmentUpdateNotPermitted")


@pytest.mark.parametrize(
    ("scope", "name", "body", "refusal"),
    [
        (GROUP, NAME, grant_body(NAME, OTHER), (400, "RoleDefinitionDoesNotExist")),
        (GROUP, "no-guid", grant_body(roles.ACR_PULL, OTHER), (400, "InvalidResourceName")),
        (GROUP, NAME, grant_body(roles.ACR_PULL, "me"), (400, "InvalidPrincipalId")),
        (GROUP, NAME, {}, (400, "InvalidRequestContent")),
        (REGISTRY, NAME, grant_body(roles.ACR_PULL, OTHER), (404, "ResourceNotFound")),
    ],
)
def test_a_bad_assignment_is_refused(
    azure: Azure, scope: str, name: str, body: object, refusal: tuple[int, str]
) -> None:
    azure.group()
    assert azure.code("PUT", assignment(scope, name), body) == refusal


def test_assignments_are_listed_by_scope_and_principal(azure: Azure) -> None:
    azure.registry()
    azure.grant(REGISTRY, roles.ACR_PULL, OTHER)
    azure.grant(GROUP, roles.ACR_PUSH, OTHER)
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments"
    found = {
        requested: len(cast("list[object]", azure.send("GET", path, **{"$filter": requested})[1]["value"]))
        for requested in ("", "atScope()", f"principalId eq '{OTHER}'", f"principalId eq '{NAME}'")
    }
    assert list(found.values()) == [4, 3, 2, 0]
    assert azure.send("GET", path, **{"$filter": "other"})[0] == 501


def test_writes_require_a_role_at_the_resource_or_above(azure: Azure) -> None:
    azure.group()
    body = {"location": "eastus2", "sku": {"name": "Basic"}}
    assert azure.code("PUT", REGISTRY, body, principal=OTHER) == (403, "AuthorizationFailed")
    azure.grant(GROUP, roles.CONTRIBUTOR, OTHER)
    assert azure.send("PUT", REGISTRY, body, principal=OTHER)[0] == 201
    assert azure.code("DELETE", GROUP.replace("/rg", "/other"), principal=OTHER)[0] == 403


@pytest.mark.parametrize(
    ("role", "assigned", "status"),
    [
        (roles.CONTRIBUTOR, roles.ACR_PULL, 403),
        (roles.USER_ACCESS_ADMINISTRATOR, roles.ACR_PULL, 201),
        (roles.RBAC_ADMINISTRATOR, roles.ACR_PULL, 201),
        (roles.FOUNDRY_PROJECT_MANAGER, roles.ACR_PULL, 403),
        (roles.FOUNDRY_PROJECT_MANAGER, roles.FOUNDRY_USER, 201),
    ],
)
def test_only_principals_with_the_right_may_assign_roles(azure: Azure, role: str, assigned: str, status: int) -> None:
    azure.group()
    azure.grant(GROUP, role, OTHER)
    answer = azure.send("PUT", assignment(GROUP), grant_body(assigned, NAME), principal=OTHER)
    assert answer[0] == status, answer


def test_a_built_in_role_has_a_definition(azure: Azure) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    assert "AcrPull" in str(azure.send("GET", f"{path}/{roles.ACR_PULL}"))
    assert azure.code("GET", f"{path}/{NAME}") == (404, "RoleDefinitionDoesNotExist")
