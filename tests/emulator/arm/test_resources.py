from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from foundry_emulator.identity import ARM_AUDIENCE, DEPLOYER
from tests.emulator.arm.azure import ACCOUNT, GROUP, PROJECT, REGISTRY, SUBSCRIPTION, Azure

Properties = dict[str, object]


def properties(resource: dict[str, object]) -> Properties:
    return cast("Properties", resource["properties"])


def test_a_new_resource_is_201_and_the_same_again_200(azure: Azure) -> None:
    assert azure.send("PUT", GROUP, {"location": "eastus2"})[0] == 201
    assert azure.send("PUT", GROUP, {"location": "eastus2"})[0] == 200


def test_an_account_gets_its_endpoint_and_identity_from_azure(azure: Azure) -> None:
    account = azure.account()
    assert properties(account)["endpoint"] == "https://localhost:8443/"
    assert properties(account)["provisioningState"] == "Succeeded"
    identity = cast("Properties", account["identity"])
    assert identity["principalId"] != identity["tenantId"]


def test_a_project_shows_the_endpoint_of_the_data_plane(azure: Azure) -> None:
    project = azure.project()
    endpoint = "https://localhost:8443/api/projects/demo"
    assert properties(project)["endpoints"] == {"AI Foundry API": endpoint}
    view = azure.arm.project("DEMO")
    assert view is not None
    assert (view.endpoint, view.account_name, view.location) == (endpoint, "acct", "eastus2")
    assert view.principal_id == cast("Properties", project["identity"])["principalId"]


def test_addresses_follow_the_server_when_it_moves(azure: Azure) -> None:
    azure.project()
    assert azure.arm.project("demo") is not None
    azure.urls = replace(azure.urls, data_plane="https://localhost:9999")
    view = azure.arm.project("demo")
    assert view is not None
    assert view.endpoint == "https://localhost:9999/api/projects/demo"


def test_resources_survive_a_restart(azure: Azure) -> None:
    before = azure.project()
    azure.restart()
    assert azure.send("GET", PROJECT) == (200, before)


def test_ids_compare_without_case_and_keep_the_case_of_their_creation(azure: Azure) -> None:
    made = azure.account()
    found = azure.send("GET", ACCOUNT.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))[1]
    assert found["id"] == made["id"] == ACCOUNT
    again = azure.put(ACCOUNT.lower().replace("/acct", "/ACCT"), {
        "location": "eastus2", "kind": "AIServices", "sku": {"name": "S0"},
    })  # fmt: skip
    assert again["id"] == ACCOUNT


def test_a_project_requires_an_account_that_allows_projects(azure: Azure) -> None:
    azure.account(allowProjectManagement=False)
    assert azure.code("PUT", PROJECT, {"location": "eastus2"}) == (400, "ProjectManagementNotAllowed")


def test_a_project_name_serves_one_account_only(azure: Azure) -> None:
    azure.project()
    other = ACCOUNT.replace("/acct", "/other")
    azure.put(
        other,
        {
            "location": "eastus2",
            "kind": "AIServices",
            "sku": {"name": "S0"},
            "properties": {"allowProjectManagement": True},
        },
    )
    status, answer = azure.send("PUT", f"{other}/projects/demo", {"location": "eastus2"})
    assert status == 409
    assert "addresses projects by name alone" in str(answer)


def test_a_registry_gets_azures_defaults_and_a_login_server(azure: Azure) -> None:
    registry = properties(azure.registry())
    assert registry["loginServer"] == "localhost:5000/acmereg"
    assert registry["adminUserEnabled"] is False
    policies = cast("Properties", registry["policies"])
    assert policies["azureADAuthenticationAsArmPolicy"] == {"status": "enabled"}


def test_an_image_reference_names_its_registry_by_the_first_path_segment(azure: Azure) -> None:
    azure.registry(policies={"azureADAuthenticationAsArmPolicy": {"status": "disabled"}})
    view = azure.arm.registry_for("localhost:5000/acmereg/support@sha256:" + "0" * 64)
    assert view is not None
    assert (view.id, view.arm_audience_enabled) == (REGISTRY, False)
    assert azure.arm.registry_for("localhost:5000/acmeregister/support:1") is None
    assert azure.arm.registry_for("elsewhere.azurecr.io/support:1") is None


def test_credentials_of_a_connection_are_never_returned(azure: Azure) -> None:
    azure.project()
    connection = azure.put(
        f"{PROJECT}/connections/acr",
        {"properties": {"authType": "ApiKey", "category": "ApiKey", "credentials": {"key": "canary"}}},
    )
    assert "canary" not in str(connection)
    assert "canary" not in str(azure.send("GET", f"{PROJECT}/connections/acr"))


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        (f"{GROUP}x/providers/Microsoft.ContainerRegistry/registries/acmereg", {}, (404, "ResourceGroupNotFound")),
        (
            f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/none/projects/p",
            {},
            (404, "ParentResourceNotFound"),
        ),
        ("/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups/rg", {}, (403, "AuthorizationFailed")),
        (f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s", {}, (501, "NotImplemented")),
        (f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/a-b", {}, (400, "InvalidResourceName")),
        (REGISTRY, {"sku": {"name": "Basic"}}, (400, "LocationRequired")),
        (REGISTRY, {"location": "eastus2"}, (400, "InvalidRequestContent")),
        (REGISTRY, {"location": "eastus2", "sku": "Basic"}, (400, "InvalidRequestContent")),
        (REGISTRY, ["no", "object"], (400, "InvalidRequestContent")),
        ("/subscriptions/x/y", {}, (400, "InvalidResourceId")),
    ],
)
def test_an_invalid_write_is_refused_with_azures_text(
    azure: Azure, path: str, body: object, refusal: tuple[int, str]
) -> None:
    azure.group()
    assert azure.code("PUT", path, body) == refusal


@pytest.mark.parametrize(
    "body", ["", "{", "NaN", '{"tags":{"a":1e999}}', '{"tags":{"a":"\\ud800"}}', '{"tags":' + "[" * 100_000]
)
def test_what_is_not_json_is_400_and_changes_nothing(azure: Azure, body: str) -> None:
    azure.group()
    token = azure.identity.token(DEPLOYER, ARM_AUDIENCE)
    answer = azure.client.put(
        GROUP, params={"api-version": "2025-06-01"}, content=body, headers={"Authorization": f"Bearer {token}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert "tags" not in azure.send("GET", GROUP)[1]


def test_a_location_cannot_change(azure: Azure) -> None:
    azure.group()
    assert azure.code("PUT", GROUP, {"location": "westus"}) == (409, "InvalidResourceLocation")
    assert azure.send("PUT", GROUP, {"location": "East US 2"})[0] == 200


def test_a_missing_resource_is_404_and_its_deletion_204(azure: Azure) -> None:
    azure.group()
    assert azure.code("GET", REGISTRY) == (404, "ResourceNotFound")
    assert azure.send("DELETE", REGISTRY)[0] == 204


def test_deleting_a_group_deletes_everything_below_it(azure: Azure) -> None:
    azure.project()
    azure.registry()
    azure.grant(REGISTRY, "7f951dda-4ed3-4680-a7ca-43fe172d538d", "11111111-1111-1111-1111-111111111111")
    assert azure.arm.count() == 5
    assert azure.send("DELETE", GROUP)[0] == 200
    assert azure.arm.count() == 0
    assert azure.arm.project("demo") is None
    assert azure.arm.count(seeded=True) == 3  # the subscription and the deployer's two roles


def test_a_patch_merges(azure: Azure) -> None:
    azure.registry(adminUserEnabled=True)
    status, patched = azure.send("PATCH", REGISTRY, {"tags": {"team": "support"}})
    assert status == 200
    assert patched["tags"] == {"team": "support"}
    assert properties(patched)["adminUserEnabled"] is True


def test_the_resources_of_a_group_are_listed(azure: Azure) -> None:
    azure.project()
    azure.registry()
    _, answer = azure.send("GET", f"{GROUP}/resources")
    assert [r["id"] for r in cast("list[Properties]", answer["value"])] == [ACCOUNT, PROJECT, REGISTRY]
    _, answer = azure.send("GET", f"{ACCOUNT}/projects")
    assert [r["id"] for r in cast("list[Properties]", answer["value"])] == [PROJECT]
    _, answer = azure.send("GET", f"{SUBSCRIPTION}/resourceGroups")
    assert [r["name"] for r in cast("list[Properties]", answer["value"])] == ["rg"]


def test_every_request_requires_an_api_version(azure: Azure) -> None:
    answer = azure.client.get(
        GROUP, headers={"Authorization": f"Bearer {azure.identity.token('x', 'https://management.azure.com')}"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "MissingApiVersionParameter"


def test_a_request_without_a_token_for_arm_is_401(azure: Azure) -> None:
    token = azure.identity.token("x", "https://ai.azure.com")
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer a.b.c"}):
        answer = azure.client.get(GROUP, params={"api-version": "2025-06-01"}, headers=headers)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
        assert set(answer.json()["error"]) == {"code", "message"}
