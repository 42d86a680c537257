"""What a version's delete takes away, and what it leaves: the version resource alone takes an agent away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.bench import VERSION, Agent
from tests.support.plugin import Plugin, ProviderError, Secret, State, running


@pytest.fixture(params=[True, False], ids=["kept by a rollout", "on its own"])
def made(request: pytest.FixtureRequest, one: Agent) -> State:
    """A version in state, of both kinds."""
    return one.create(kept_by_rollout=request.param)


def foreign(one: Agent) -> None:
    """A version that another stack has posted to the same agent."""
    body = one.requests("POST", "/versions")
    assert body, "there is a version to copy"
    with one.bench.azure.client(one.bench.project.name) as client:
        definition = client.get(f"agents/{one.name}/versions/1").json()["definition"]
        client.post(
            f"agents/{one.name}/versions", json={"definition": {**definition, "cpu": "2", "memory": "4Gi"}}
        ).raise_for_status()


def test_an_agent_that_is_not_declared_any_more_is_deleted_with_its_version(
    one: Agent, made: State, later: Plugin
) -> None:
    """Case 48; twice."""
    one.create(environment={"GREETING": "Hello"})
    one.delete(made, later)
    assert one.versions() == {}
    writes = len(one.requests("DELETE"))
    one.delete(made, later)
    assert len(one.requests("DELETE")) == writes == 1


def test_live_sessions_refuse_the_removal_and_force_ends_them(one: Agent, made: State, later: Plugin) -> None:
    """Cases 48 and 50."""
    one.route(v1=100)
    one.someone_else("POST", "/endpoint/sessions", {"version_indicator": {"type": "version_ref", "agent_version": "1"}})
    with pytest.raises(ProviderError) as caught:
        one.delete(made, later)
    assert "force_delete=True" in str(caught.value)
    assert one.versions() == {"1": "active"}
    one.delete(State(made.id, {**made.outs, "force_delete": True}), later)
    assert one.versions() == {}


def test_of_a_shared_agent_only_own_versions_without_traffic_go(one: Agent, made: State, later: Plugin) -> None:
    """Case 51."""
    foreign(one)
    one.route(v2=100)
    one.delete(made, later)
    assert one.versions() == {"2": "active"}


def test_an_own_version_that_serves_in_a_shared_agent_stays_with_a_warning(
    one: Agent, made: State, later: Plugin
) -> None:
    """Case 51."""
    foreign(one)
    one.route(v1=100)
    one.delete(made, later)
    assert one.versions() == {"1": "active", "2": "active"}
    (warning,) = [line.text for line in later.lines if line.urn == one.urn and line.stays]
    assert warning == f"{one.name}:1 kept: the endpoint's rules give it traffic, and others share the agent"


def test_an_agent_that_is_declared_under_a_second_host_name_stays(one: Agent, made: State) -> None:
    """Case 84, pulumi-features A1: the service's identity of it is what counts."""
    second = one.bench.project.endpoint.replace("localhost", "127.0.0.1")
    assert second != one.bench.project.endpoint
    with running(one.bench.azure.env) as up:
        moved = up.check(VERSION, {**one.inputs(kept_by_rollout=True), "project_endpoint": second}).inputs
        assert up.create(VERSION, moved).id == made.id
        one.delete(made, up)
    assert one.versions() == {"1": "active"}
    assert one.requests("DELETE") == []


def test_an_agent_whose_identity_is_another_than_that_in_state_stays_with_a_warning(
    one: Agent, made: State, later: Plugin
) -> None:
    """Someone else has deleted it and created another one of the same name."""
    other = {**made.outs, "agent_guid": "0", "principal_id": "0"}
    one.delete(State(made.id, other), later)
    assert one.versions() == {"1": "active"}
    (warning,) = [line.text for line in later.lines if line.urn == one.urn and line.stays]
    assert "has another identity than what this stack has made" in warning


def test_in_a_run_that_is_not_known_to_be_an_up_or_a_destroy_the_removal_is_refused(one: Agent, made: State) -> None:
    """Case 85: no process of `pulumi` is above the plugin process, and nothing says what the run is."""
    with running({**one.bench.azure.env, "FOUNDRY_AGENTS_RUN": ""}) as unseen, pytest.raises(ProviderError) as caught:
        one.delete(made, unseen)
    assert "set the environment variable FOUNDRY_AGENTS_RUN" in str(caught.value)
    assert one.versions() == {"1": "active"}


def test_an_owner_that_is_in_state_stays_the_owner_whatever_the_stack_is_called(one: Agent, made: State) -> None:
    """Case 86, pulumi-features A6: a replacement is checked a second time, without the state."""
    renamed = {"owner": "acme/agents/renamed", "chosen": ["owner"], "environment": {"GREETING": "Howdy"}}
    kept = made.outs.get("kept_by_rollout")
    with running(one.bench.azure.env) as up:
        news = {**one.inputs(kept_by_rollout=kept), **renamed}
        first = up.check(VERSION, news, one.inputs(kept_by_rollout=kept))
        assert up.diff(VERSION, made.outs, first.inputs, made.id).replaces == ["environment"]
        second = up.check(VERSION, news)
        replaced = up.create(VERSION, second.inputs)
    assert first.inputs["owner"] == second.inputs["owner"] == replaced.outs["owner"] == made.outs["owner"]
    assert replaced.id == f"{one.name}:2"
    assert not isinstance(replaced.outs["owner"], Secret)


def test_a_name_that_the_library_chose_stays_as_it_was_first(one: Agent, made: State) -> None:
    """Case 87, pulumi-features A5: the component is renamed with an alias; also when the version is then replaced."""
    olds = one.inputs()
    with running(one.bench.azure.env) as up:
        news = {**olds, "agent_name": "renamed", "chosen": ["agent_name"]}
        checked = up.check(VERSION, news, olds).inputs
        assert not up.diff(VERSION, made.outs, checked, made.id).replaces
        changed = {**news, "environment": {"GREETING": "Howdy"}}
        up.check(VERSION, changed, olds)
        assert up.check(VERSION, changed).inputs["agent_name"] == one.name


def test_one_agent_that_is_declared_twice_is_refused_and_both_are_named(one: Agent) -> None:
    """Case 92, pulumi-features C1: by value, whatever the spelling."""
    with running(one.bench.azure.env) as up:
        up.check(VERSION, one.inputs())
        another = {**one.inputs(), "urn": f"{one.urn}-second", "agent_name": one.name.upper()}
        with pytest.raises(ProviderError) as caught:
            up.check(VERSION, another)
    assert f'"{one.name}" (HostedAgentVersion)' in str(caught.value)
    assert f'"{one.name}-second" (HostedAgentVersion)' in str(caught.value)


def test_one_agent_that_is_declared_under_two_host_names_is_refused_before_a_post(one: Agent, made: State) -> None:
    """Case 92."""
    second = one.bench.project.endpoint.replace("localhost", "127.0.0.1")
    posts = one.posts()
    with running(one.bench.azure.env) as up:
        checked = up.check(VERSION, one.inputs(kept_by_rollout=made.outs.get("kept_by_rollout"))).inputs
        up.diff(VERSION, made.outs, checked, made.id)
        another = {
            **one.inputs(environment={"GREETING": "Howdy"}),
            "urn": f"{one.urn}-second",
            "project_endpoint": second,
        }
        with pytest.raises(ProviderError, match="both declare the agent"):
            up.create(VERSION, up.check(VERSION, another).inputs)
    assert one.posts() == posts


def test_what_was_taken_over_is_deleted_by_a_destroy_and_can_be_reverted_to(
    one: Agent, made: State, later: Plugin
) -> None:
    """Case 89, pulumi-features A6."""
    mine: dict[str, Any] = {
        "owner": "acme/agents/mine",
        "take_over": True,
        "kept_by_rollout": made.outs.get("kept_by_rollout"),
    }
    taken = one.create(None, environment={"GREETING": "Howdy"}, **mine)
    assert taken.outs["former_owners"] == [made.outs["owner"]]
    back = one.create(None, former_owners=taken.outs["former_owners"], **mine)
    assert (back.id, one.posts()) == (made.id, 2)
    one.delete(back, later)
    assert one.versions() == {}
