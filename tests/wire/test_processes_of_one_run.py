"""A run may have several plugin processes, one for each instance of the provider; none deletes what another knows."""

from __future__ import annotations

import pytest

from tests.support.bench import VERSION, Agent
from tests.support.plugin import Plugin, State, running


def went_on(agent: Agent, state: State, plugin: Plugin) -> None:
    """What the engine asks for a resource of the program that has no change."""
    checked = plugin.check(VERSION, {**agent.inputs(), "kept_by_rollout": state.outs.get("kept_by_rollout")})
    assert not plugin.diff(VERSION, state.outs, checked.inputs, state.id).changes


def test_an_agent_that_moved_to_another_instance_of_the_provider_stays(one: Agent) -> None:
    """The engine deletes the replaced version in the process of the old instance, which has checked nothing."""
    state = one.create(kept_by_rollout=True)
    env = one.bench.azure.env
    with running(env) as old, running(env, beside=old) as new:
        changed = new.check(VERSION, one.inputs(kept_by_rollout=True, environment={"GREETING": "Howdy"}))
        new.create(VERSION, changed.inputs)
        one.delete(state, old)
        assert sorted(one.versions()) == ["1", "2"]


def test_what_a_run_declared_that_has_ended_is_not_declared(one: Agent) -> None:
    """Not even for a run whose engine has the same address."""
    state = one.create(kept_by_rollout=True)
    env = one.bench.azure.env
    with running(env) as destroying:
        with running(env, beside=destroying) as ended:
            went_on(one, state, ended)
        one.delete(state, destroying)
    assert one.versions() == {}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in this process", "in another process"])
def test_what_the_program_goes_on_with_is_not_deleted_for_an_older_entry_of_the_same_id(
    one: Agent, *, elsewhere: bool
) -> None:
    """A forced replacement adopts, the run fails, and the next one has an id to delete that is in use."""
    state = one.create()
    env = one.bench.azure.env
    with running(env) as old, running(env, beside=old) as new:
        went_on(one, state, new if elsewhere else old)
        one.delete(state, old)
        assert list(one.versions()) == ["1"]


def test_what_is_replaced_after_a_refresh_goes(one: Agent) -> None:
    """A refresh compares it first, and finds no change; then the program does."""
    state = one.create()
    with running(one.bench.azure.env) as up:
        up.diff(VERSION, state.outs, state.outs, state.id)
        changed = up.check(VERSION, one.inputs(environment={"GREETING": "Howdy"})).inputs
        assert up.diff(VERSION, state.outs, changed, state.id).replaces
        up.create(VERSION, changed)
        one.route(v2=100)
        one.delete(state, up)
    assert list(one.versions()) == ["2"]


def test_what_the_program_has_no_more_goes_although_a_refresh_has_compared_it(one: Agent) -> None:
    state = one.create()
    with running(one.bench.azure.env) as up:
        up.diff(VERSION, state.outs, state.outs, state.id)
        one.delete(state, up)
    assert one.versions() == {}
