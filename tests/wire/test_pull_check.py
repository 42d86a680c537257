"""Why a pull failed, read from Resource Manager: against the local Azure's, and against answers of any kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport

from foundry_agents.azure import registry_permissions
from foundry_agents.azure.arm import ResourceManager
from foundry_agents.azure.registry_permissions import ArmRegistryAccess
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ResponseLostError,
    ServiceError,
    UnreachableError,
)
from foundry_agents.lifecycle.views import PullAccess
from tests.support.bench import Agent
from tests.support.failed_pulls import CAUSES, failed_pull, named_in
from tests.wire.scripted_service import DROP, Answer, AnyCredential, Script, failure, serving


@pytest.mark.parametrize("cause", CAUSES)
def test_one_image_error_has_three_causes_and_the_error_names_the_right_one(one: Agent, cause: str) -> None:
    """Case 23: 3 of 3, with their remedy. holiday-peak-hub#1103, holiday-peak-hub#1108"""
    text = failed_pull(one, cause)
    assert named_in(text) == [cause]
    assert "Service said: [ImageError]" in text
    assert f"{one.name}:1 was removed" in text


def test_no_pull_that_works_asks_resource_manager(one: Agent) -> None:
    """Case 23: only a pull that failed."""
    project = one.bench.project
    one.create(pull_identity=project.principal_id, registry_id=project.registry_id)
    assert one.bench.azure.journal(plane="arm", since=one.since) == []


# --- Answers of any kind ---------------------------------------------------------------------------------------------

REGISTRY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme"
WHO = "7c1e-principal"
PLAIN = Answer(200, {"id": REGISTRY, "properties": {"loginServer": "acme.azurecr.io"}})


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with serving() as started:
        yield started


@pytest.fixture
def registries(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmRegistryAccess]:
    # Plain HTTP in this test: the SDK refuses to send a token that way, so none is sent.
    monkeypatch.setattr(registry_permissions, "BearerTokenCredentialPolicy", lambda *_: SansIOHTTPPolicy())
    monkeypatch.setattr(registry_permissions, "TRIES", 0)
    cloud = ResourceManager(script.url, "scope")
    with RequestsTransport() as transport:
        yield ArmRegistryAccess(lambda: cloud, AnyCredential(), transport)


def _assigned(role: str, scope: str, condition: str | None = None) -> dict[str, Any]:
    definition = f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {"properties": {"roleDefinitionId": definition, "scope": scope, "principalId": WHO, "condition": condition}}


def test_roles_at_the_registry_and_above_count_and_those_beside_and_below_do_not(
    script: Script, registries: ArmRegistryAccess
) -> None:
    group = REGISTRY.partition("/providers")[0]
    scopes = {
        "a": REGISTRY.upper(),
        "b": group,
        "c": "/subscriptions/s",
        "d": "/",
        "e": f"{REGISTRY}/webhooks/w",
        "f": f"{REGISTRY}2",
        "g": f"{group}2",
    }
    script.says(PLAIN, Answer(200, {"value": [_assigned(role, scope) for role, scope in scopes.items()]}))
    assert registries.pull_access(REGISTRY, WHO) == PullAccess(REGISTRY, frozenset("abcd"))
    asked = script.asked[1].path
    assert f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01" in asked
    assert "assignedTo%28%27" in asked or "assignedTo('" in asked
    assert WHO in asked


def test_every_page_of_the_assignments_is_read(script: Script, registries: ArmRegistryAccess) -> None:
    first = {"value": [_assigned("a", REGISTRY)], "nextLink": f"{script.url}/next?page=2"}
    script.says(PLAIN, Answer(200, first), Answer(200, {"value": [_assigned("b", REGISTRY)]}))
    assert registries.pull_access(REGISTRY, WHO).roles == frozenset("ab")
    assert script.asked[2].path.endswith("/next?page=2")


def test_a_role_with_and_without_a_condition_has_none(script: Script, registries: ArmRegistryAccess) -> None:
    rows = [_assigned("A", "/", "@Resource…"), _assigned("b", "/", "@Resource…"), _assigned("b", REGISTRY)]
    script.says(PLAIN, Answer(200, {"value": rows}))
    access = registries.pull_access(REGISTRY, WHO)
    assert (access.roles, access.conditional) == (frozenset("ab"), frozenset("a"))


@pytest.mark.parametrize(
    ("properties", "takes_arm_tokens", "repository_permissions"),
    [
        ({}, True, False),
        ({"policies": None, "roleAssignmentMode": "LegacyRegistryPermissions"}, True, False),
        ({"policies": {"azureADAuthenticationAsArmPolicy": {"status": "Disabled"}}}, False, False),
        ({"policies": {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}}}, True, False),
        ({"roleAssignmentMode": "AbacRepositoryPermissions"}, True, True),
    ],
)
def test_policy_and_mode_are_read_and_a_missing_one_is_azures_default(
    script: Script,
    registries: ArmRegistryAccess,
    properties: Mapping[str, Any],
    *,
    takes_arm_tokens: bool,
    repository_permissions: bool,
) -> None:
    script.says(Answer(200, {"properties": properties}), Answer(200, {"value": []}))
    access = registries.pull_access(REGISTRY, WHO)
    assert (access.takes_arm_tokens, access.repository_permissions) == (takes_arm_tokens, repository_permissions)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failure(403, "AuthorizationFailed", "No authorization."), AccessDeniedError),
        (failure(404, "ResourceNotFound", "Not there."), ServiceError),
        (failure(500, "InternalServerError", "Sorry."), ResponseLostError),
        (Answer(DROP), ServiceError),
        (Answer(200, "<html>"), ResponseLostError),
        (Answer(200, ["odd"]), ResponseLostError),
        (Answer(200, {"properties": "odd"}), ResponseLostError),
    ],
)
def test_an_answer_that_explains_nothing_is_an_error_of_ours(
    script: Script, registries: ArmRegistryAccess, answer: Answer, error: type[ServiceError]
) -> None:
    """Case 23: the error reports it together with the failure, not instead of it."""
    script.says(answer)
    with pytest.raises(error):
        registries.pull_access(REGISTRY, WHO)


def test_a_cloud_that_does_not_describe_itself_is_an_error_of_the_check_alone() -> None:
    """Case 23: found out when it is asked, not before a version is posted."""

    def nowhere() -> ResourceManager:
        raise UnreachableError("no such host", operation="GET …/metadata/endpoints")

    access = ArmRegistryAccess(nowhere, AnyCredential(), RequestsTransport())
    with pytest.raises(UnreachableError):
        access.pull_access(REGISTRY, WHO)
