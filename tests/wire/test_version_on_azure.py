"""HostedAgentVersion through the real plugin process and the real SDK: create, adopt, keep, retire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from foundry_agents import ConnectionSecret
from tests.support.bench import OWNER, VERSION, Agent, plain
from tests.support.plugin import Plugin, ProviderError, Secret, State, running

COMPUTED = {"version", "version_id", "status", "created_at", "principal_id", "client_id", "fingerprint"}


def test_a_version_is_made_with_one_post_and_its_outputs_say_what_the_service_says(one: Agent) -> None:
    state = one.create(environment={"GREETING": "Hello"})
    outs = plain(state.outs)
    assert state.id == f"{one.name}:1"
    assert (outs["version"], outs["version_id"], outs["status"]) == ("1", f"{one.name}:1", "active")
    assert outs["principal_id"] == outs["client_id"] != ""
    assert isinstance(outs["created_at"], float)
    assert outs["created_at"] > 1_700_000_000
    assert outs["environment"] == {"GREETING": "Hello"}
    assert one.versions() == {"1": "active"}
    assert [entry.method for entry in one.requests() if entry.write] == ["POST"]
    assert one.lines()[-1] == f"{one.name}:1 active"


def test_the_fingerprint_is_a_secret_in_state(one: Agent) -> None:
    """Case 54: it covers environment values."""
    printed = one.create().outs["fingerprint"]
    assert isinstance(printed, Secret)
    assert str(printed.value).startswith("v1:")


def test_a_run_that_is_killed_during_the_wait_is_gone_on_with_by_the_next_plugin(one: Agent) -> None:
    """Case 1: kill -9 in the middle of the wait; exactly 1 version, 1 POST. pulumi#15958, pulumi#11599"""
    one.bench.azure.control.set(provisioning_s=1.5)
    with running(one.bench.azure.env) as first, ThreadPoolExecutor(max_workers=1) as pool:
        cut = pool.submit(one.create, first)
        one.wait_for_a_post()
        first.kill()
        assert isinstance(cut.exception(), AssertionError), "the engine lost its plugin: UNAVAILABLE"
    assert one.versions() == {"1": "creating"}, "killed while it was waiting"
    state = one.create()
    assert plain(state.outs)["version"] == "1"
    assert one.versions() == {"1": "active"}
    assert one.posts() == 1
    assert one.lines()[-1] == f"adopted {one.name}:1 (same definition, no POST)"


def test_the_same_again_is_no_write(one: Agent) -> None:
    """Case 12: adopted by a stack whose state was lost."""
    first = one.create()
    again = one.create()
    assert plain(again.outs) == plain(first.outs)
    assert sum(entry.write for entry in one.requests()) == 1


def test_a_change_that_is_taken_back_is_no_post(one: Agent) -> None:
    """Case 9."""
    one.create(environment={"GREETING": "Hello"})
    one.create(environment={"GREETING": "Howdy"})
    before = one.posts()
    assert plain(one.create(environment={"GREETING": "Hello"}).outs)["version"] == "1"
    assert one.posts() - before == 0


def test_a_new_version_of_an_agent_that_follows_latest_takes_no_traffic(one: Agent) -> None:
    """Case 36: pinned before the POST."""
    one.create()
    one.create(environment={"GREETING": "Hello"})
    assert [entry.method for entry in one.requests() if entry.write] == ["POST", "PATCH", "POST"]
    assert [agent["rules"] for agent in one.bench.azure.control.state()["agent_list"] if agent["name"] == one.name] == [
        [{"version": "1", "percentage": 100}]
    ]


def test_a_failed_version_is_removed_and_the_next_run_posts_it_again(one: Agent) -> None:
    """Case 6. azd#7515"""
    failed = {"status": "failed", "error": {"code": "ImageError", "message": "Failed to pull container image."}}
    one.bench.azure.control.set(scripts=[{"agent": one.name, "steps": [failed]}])
    with pytest.raises(ProviderError) as caught:
        one.create(pull_identity=one.bench.project.principal_id)
    text = str(caught.value)
    assert text.startswith(f"VersionFailedError: version {one.name}:1 failed: ImageError")
    assert one.bench.project.principal_id in text
    assert "Service said: [ImageError] Failed to pull container image." in text
    assert f"{one.name}:1 was removed" in text
    assert one.versions() == {}
    assert plain(one.create().outs)["status"] == "active"
    assert one.posts() == 2


def test_an_agent_of_another_stack_is_refused_with_no_write(one: Agent) -> None:
    """Case 7: 0 writes; the owner is named and the last words are that nothing was changed."""
    one.create()
    writes = sum(entry.write for entry in one.requests())
    with pytest.raises(ProviderError) as caught:
        one.create(owner="acme/agents/prod", environment={"A": "b"})
    text = str(caught.value).strip()
    assert text.startswith("OwnershipError: ")
    assert OWNER in text
    assert "  State: No changes were made." in text.splitlines()
    assert sum(entry.write for entry in one.requests()) == writes


def test_a_connection_placeholder_reaches_the_service_byte_for_byte_and_is_no_change(one: Agent) -> None:
    """Case 56: the value itself is nowhere, so there is nothing to compare."""
    secret = ConnectionSecret("github", "token")
    state = one.create(environment={"TOKEN": secret})
    with one.bench.azure.client(one.bench.project.name) as client:
        sent = client.get(f"agents/{one.name}/versions/1").json()["definition"]["environment_variables"]
    assert sent == {"TOKEN": "${{connections.github.credentials.token}}"}
    seen = one.read(state)
    again = one.inputs(environment={"TOKEN": str(secret)})
    assert one.bench.plugin.diff(VERSION, seen.outs, again, state.id).changes is False


def test_12_pairs_of_metadata_and_the_ownership_metadata_fill_the_services_16_places(one: Agent) -> None:
    """Case 63."""
    one.create(metadata={f"k{number}": "v" for number in range(12)})
    with one.bench.azure.client(one.bench.project.name) as client:
        assert len(client.get(f"agents/{one.name}/versions/1").json()["metadata"]) == 16


# --- Read ------------------------------------------------------------------------------------------------------------


def test_a_read_of_what_has_not_changed_is_what_is_in_state(one: Agent) -> None:
    """Case 12: a refresh is no change."""
    state = one.create(environment={"GREETING": "Hello"}, description="Answers.", metadata={"team": "support"})
    writes = sum(entry.write for entry in one.requests())
    seen = one.read(state)
    assert seen.id == state.id
    assert plain(seen.outs) == plain(state.outs)
    assert isinstance(seen.outs["fingerprint"], Secret)
    assert one.bench.plugin.diff(VERSION, seen.outs, one.inputs(**_described()), state.id).changes is False
    assert sum(entry.write for entry in one.requests()) == writes


def _described() -> dict[str, object]:
    return {"environment": {"GREETING": "Hello"}, "description": "Answers.", "metadata": {"team": "support"}}


def test_a_version_that_someone_else_deleted_is_gone(one: Agent) -> None:
    """Case 41."""
    state = one.create()
    one.someone_else("DELETE", "/versions/1")
    assert one.read(state) == State("", {})


def test_an_agent_that_someone_else_deleted_is_gone(one: Agent) -> None:
    """Case 41."""
    state = one.create()
    one.someone_else("DELETE", "")
    assert one.read(state) == State("", {})


# --- Update ----------------------------------------------------------------------------------------------------------


def test_a_switch_of_ours_goes_into_state_with_no_request_and_no_output_lost(one: Agent) -> None:
    """Case 19. pulumi#7809"""
    state = one.create()
    before = len(one.requests())
    updated = one.bench.plugin.update(VERSION, state.id, state.outs, one.inputs(force_delete=True))
    assert plain(updated.outs) == {**plain(state.outs), "force_delete": True}
    assert set(updated.outs) >= COMPUTED
    assert isinstance(updated.outs["fingerprint"], Secret)
    assert len(one.requests()) == before


# --- Delete ----------------------------------------------------------------------------------------------------------


def test_a_version_of_an_earlier_run_is_deleted_and_deleting_it_again_is_fine(one: Agent, later: Plugin) -> None:
    """Case 48."""
    state = one.create()
    one.create(environment={"GREETING": "Hello"})
    one.route(v2=100)
    one.declare(later)
    one.delete(state, later)
    assert one.versions() == {"2": "active"}
    one.delete(state, later)
    assert one.versions() == {"2": "active"}
    assert len(one.requests("DELETE")) == 1


def test_a_version_that_this_run_has_adopted_is_not_deleted_by_what_it_replaces(one: Agent, later: Plugin) -> None:
    """Forced replacement: the engine creates the replacement, then deletes what it takes for the old one."""
    state = one.create()
    one.create(environment={"GREETING": "Hello"})
    one.route(v2=100)
    one.create(later)
    one.delete(state, later)
    assert one.versions() == {"1": "active", "2": "active"}
    assert one.requests("DELETE") == []


@pytest.mark.parametrize("percent", [1, 100])
def test_a_version_with_traffic_is_kept_with_a_warning(one: Agent, later: Plugin, percent: int) -> None:
    """Case 43: pending deletes of a failed run; whoever serves stays."""
    state = one.create()
    one.create(environment={"GREETING": "Hello"})
    one.route(**({"v1": 100} if percent == 100 else {"v1": percent, "v2": 100 - percent}))
    one.declare(later)
    one.delete(state, later)
    said = [line for line in later.lines if line.urn == one.urn]
    assert one.versions() == {"1": "active", "2": "active"}
    assert one.requests("DELETE") == []
    assert [(line.text, line.stays) for line in said] == [
        (f"{one.name}:1 kept: the endpoint's rules give it traffic", True)
    ]
