from __future__ import annotations

import re
import uuid

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api


def test_a_created_version_has_the_recorded_fields_in_the_recorded_order(api: Api) -> None:
    made = api.post("support", metadata={"enableVnextExperience": "true"})
    assert made.status_code == 200
    body = made.json()
    assert list(body) == [
        "metadata",
        "object",
        "id",
        "name",
        "version",
        "description",
        "created_at",
        "definition",
        "status",
        "instance_identity",
        "blueprint",
        "blueprint_reference",
        "agent_guid",
    ]
    assert body["id"] == "support:1"
    assert body["description"] == ""
    assert body["status"] == "creating"
    assert isinstance(body["created_at"], int)
    assert list(body["definition"]) == [
        "kind",
        "container_protocol_versions",
        "cpu",
        "memory",
        "container_configuration",
        "protocol_versions",
    ]
    assert body["definition"]["container_protocol_versions"] == []


def test_answers_have_the_recorded_headers(api: Api) -> None:
    made = api.post("support")
    assert made.headers["api-supported-versions"] == "1.0,2025-05-15-preview,2025-11-15-preview"
    assert made.headers["content-type"] == "application/json; charset=utf-8"
    assert made.headers["x-ms-region"] == "Sweden Central"
    assert re.fullmatch("[0-9a-f]{32}", made.headers["x-request-id"])
    assert made.headers["apim-request-id"] == made.headers["x-request-id"]
    assert "location" not in made.headers


def test_all_versions_of_an_agent_share_one_identity(api: Api) -> None:
    first = api.create("support")
    second = api.create("support", cpu="1", memory="2Gi")
    for field in ("agent_guid", "instance_identity", "blueprint", "blueprint_reference"):
        assert first[field] == second[field]
    assert first["instance_identity"]["principal_id"] == first["instance_identity"]["client_id"]
    assert first["blueprint"]["principal_id"] != first["blueprint"]["client_id"]
    assert first["blueprint_reference"]["blueprint_id"] == f"support-{first['agent_guid'][:5]}"
    assert str(uuid.UUID(first["agent_guid"])) == first["agent_guid"]


def test_with_an_identity_per_version_each_keeps_its_own_and_the_agent_shows_the_newest(api: Api) -> None:
    """Case 47: a switch, because only a handful of recordings say that the versions share one."""
    api.azure.control.set(identity_per_version=True)
    try:
        made = [api.create("support", cpu=cpu, memory=memory) for cpu, memory in (("1", "2Gi"), ("2", "4Gi"))]
    finally:
        api.azure.control.set(identity_per_version=False)
    one, two = (version["instance_identity"]["principal_id"] for version in made)
    assert one != two
    assert api.http.get("/agents/support/versions/1").json()["instance_identity"]["principal_id"] == one
    assert api.http.get("/agents/support").json()["instance_identity"]["principal_id"] == two
    assert made[0]["blueprint"] == made[1]["blueprint"]


def test_another_agent_has_another_identity(api: Api) -> None:
    assert api.create("one")["agent_guid"] != api.create("two")["agent_guid"]


def test_the_old_definition_shape_is_echoed_as_it_was_sent(api: Api) -> None:
    old = {
        "kind": "hosted",
        "container_protocol_versions": [{"protocol": "responses", "version": "1.0.0"}],
        "cpu": "0.5",
        "memory": "1Gi",
        "environment_variables": {"A": "b"},
        "image": api.image,
        "tools": [{"type": "code_interpreter"}],
    }
    made = api.post("support", old)
    assert made.json()["definition"] == old
    assert list(made.json()["definition"]) == list(old)
    assert api.settled("support", "1")["status"] == "active"


def test_nulls_in_a_definition_mean_not_sent(api: Api) -> None:
    made = api.post("support", {**api.definition(), "environment_variables": None, "rai_config": None})
    assert made.status_code == 200
    assert "environment_variables" not in made.json()["definition"]
    assert "rai_config" not in made.json()["definition"]


def test_reposting_the_latest_definition_returns_the_latest_version(api: Api) -> None:
    assert api.post("support").json()["version"] == "1"
    assert api.post("support").json()["version"] == "1"


def test_dedup_compares_description_and_metadata_too(api: Api) -> None:
    api.post("support")
    assert api.post("support", description="other").json()["version"] == "2"
    assert api.post("support", description="other", metadata={"a": "b"}).json()["version"] == "3"


def test_dedup_compares_the_latest_version_only(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    assert api.create("support")["version"] == "3"


def test_dedup_can_be_switched_off_or_limited_to_definitions(api: Api) -> None:
    try:
        api.azure.control.set(dedup="off")
        api.post("support")
        assert api.post("support").json()["version"] == "2"
        api.azure.control.set(dedup="definition")
        assert api.post("support", description="other").json()["version"] == "2"
    finally:
        api.azure.control.set(dedup="all")


def test_a_failed_latest_version_is_not_returned_again_by_default(api: Api) -> None:
    missing = {"image": api.image.split("@")[0] + "@sha256:" + "0" * 64}
    assert api.create("support", container_configuration=missing)["status"] == "failed"
    assert api.create("support", container_configuration=missing)["version"] == "2"
    try:
        api.azure.control.set(dedup_failed=True)
        assert api.create("support", container_configuration=missing)["version"] == "2"
    finally:
        api.azure.control.set(dedup_failed=False)


def test_a_deleted_highest_number_is_not_reused(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    deleted = api.http.delete("/agents/support/versions/2")
    assert deleted.json() == {
        "object": "agent.version.deleted",
        "name": "support",
        "version": "2",
        "deleted": True,
    }
    assert api.http.get("/agents/support").json()["versions"]["latest"]["version"] == "1"
    assert api.create("support", cpu="2", memory="4Gi")["version"] == "3"


def test_latest_names_the_newest_version(api: Api) -> None:
    api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    assert api.http.get("/agents/support/versions/@latest").json()["version"] == "2"


def test_missing_things_are_404_with_the_recorded_text(api: Api) -> None:
    agent = api.http.get("/agents/missing")
    assert agent.status_code == 404
    assert agent.json()["error"] == {
        "code": "not_found",
        "message": "Agent missing doesn't exist",
        "type": "error",
        "details": [],
        "additionalInfo": {"request_id": agent.headers["x-request-id"]},
    }
    api.create("support")
    version = api.http.get("/agents/support/versions/7")
    assert version.status_code == 404
    assert version.json()["error"]["message"] == "Agent support with version 7 not found"
    assert api.http.delete("/agents/support/versions/7").status_code == 404
    assert api.http.delete("/agents/missing").status_code == 404
    assert api.http.get("/agents/missing/versions").status_code == 404


def test_deleting_an_agent_deletes_its_versions_and_a_new_one_starts_at_1(api: Api) -> None:
    first = api.create("support")
    api.create("support", cpu="1", memory="2Gi")
    deleted = api.http.delete("/agents/support")
    assert deleted.status_code == 200
    assert deleted.json() == {"object": "agent.deleted", "name": "support", "deleted": True}
    assert api.http.get("/agents/support/versions/1").status_code == 404
    again = api.create("support")
    assert again["version"] == "1"
    assert again["agent_guid"] != first["agent_guid"]


def test_an_image_that_the_registry_lacks_fails_the_version_with_image_error(api: Api) -> None:
    missing = {"image": api.image.split("@")[0] + "@sha256:" + "0" * 64}
    version = api.create("support", container_configuration=missing)
    assert version["status"] == "failed"
    assert version["error"]["code"] == "ImageError"
    assert version["error"]["message"].startswith("Failed to pull container image.")


def test_without_the_pull_role_the_version_fails_and_with_it_the_next_succeeds(azure: LocalAzure) -> None:
    project = azure.seed_project("roleless", pull_role=False)
    image = azure.push_image(project)
    with azure.client("roleless") as http:
        body = {
            "definition": {
                "kind": "hosted",
                "cpu": "0.5",
                "memory": "1Gi",
                "container_configuration": {"image": image},
                "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
            }
        }

        def status(version: str) -> str:
            return str(http.get(f"/agents/support/versions/{version}").json()["status"])

        http.post("/agents/support/versions", json=body)
        azure.wait_until(lambda: status("1") != "creating")
        assert status("1") == "failed"
        azure.grant(project.principal_id, "7f951dda-4ed3-4680-a7ca-43fe172d538d", project.registry_id)
        http.post("/agents/support/versions", json=body)
        azure.wait_until(lambda: status("2") != "creating")
        assert status("2") == "active"
        assert status("1") == "failed"


def test_scripted_transitions_replace_the_real_ones_once(api: Api) -> None:
    error = {"code": "ProvisioningError", "message": "as scripted"}
    api.azure.control.set(
        scripts=[{"agent": "scripted", "steps": [{"status": "active"}, {"status": "failed", "error": error}]}]
    )
    api.post("scripted")
    api.azure.wait_until(lambda: api.http.get("/agents/scripted/versions/1").json()["status"] == "failed")
    assert api.http.get("/agents/scripted/versions/1").json()["error"] == error
    assert api.create("scripted", cpu="1", memory="2Gi")["status"] == "active"


def test_deleting_the_project_deletes_its_agents(api: Api) -> None:
    api.create("support")
    agents = api.azure.control.state()["agents"]
    api.azure.delete(api.project.id)
    assert api.azure.control.state()["agents"] == agents - 1
    assert api.http.get("/agents/support").json()["error"]["message"] == "The project does not exist"


def test_deleting_the_resource_group_over_http_deletes_the_projects_agents(api: Api) -> None:
    api.create("support")
    agents = api.azure.control.state()["agents"]
    group = api.project.id.split("/providers/")[0]
    token = api.azure.token(audience="https://management.azure.com")
    deleted = api.http.delete(
        api.azure.data_plane + group,
        params={"api-version": "2022-09-01"},
        headers={"authorization": f"Bearer {token}"},
    )
    assert deleted.status_code == 200, deleted.text
    assert api.azure.control.state()["agents"] == agents - 1
    assert api.azure.journal(plane="arm", writes=True)[-1].principal is not None


def test_an_agent_recreated_during_provisioning_gets_its_own_status(api: Api) -> None:
    api.azure.control.set(provisioning_s=600)
    try:
        api.post("support")
        api.http.delete("/agents/support")
    finally:
        api.azure.control.set(provisioning_s=0)
    assert api.create("support")["status"] == "active"
