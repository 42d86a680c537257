"""What earlier releases left in users' state, given to today's plugin process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foundry_agents.resources.agent_rollout import AgentRolloutProvider
from foundry_agents.resources.hosted_agent_version import HostedAgentVersionProvider
from tests.support.bench import Bench
from tests.support.plugin import Plugin
from tests.support.recorded_states import RECORDED, Held, held

STATES = list(held())
REQUIRED = {
    row.name
    for provider in (HostedAgentVersionProvider, AgentRolloutProvider)
    for row in provider.table.fields
    if row.required
}


def test_there_is_a_recorded_release_with_both_resources() -> None:
    assert RECORDED
    assert {state.name.split()[0] for state in STATES} == {"HostedAgentVersion", "AgentRollout"}


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_provider_that_a_release_pickled_loads_and_sees_no_change(plugin: Plugin, state: Held) -> None:
    """Cases 74 and 75: 100 % load, 0 changes. pu#12401, pu#2900, pu#5621"""
    checked = plugin.check(state.blob, state.inputs)
    assert checked.failures == []
    assert plugin.diff(state.blob, state.outputs, checked.inputs, state.id).changes is False


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_state_that_lacks_any_one_key_is_compared_read_and_deleted(on_azure: Bench, state: Held) -> None:
    """Case 76: 0 exceptions; nothing is there, so read and delete end in "gone"."""
    for bag in _one_less({**state.outputs, "project_endpoint": on_azure.project.endpoint}):
        on_azure.plugin.diff(state.blob, bag, state.inputs, state.id)
        assert on_azure.plugin.read(state.blob, state.id, bag).id == ""
        on_azure.plugin.delete(state.blob, state.id, bag)


def _one_less(bag: dict[str, object]) -> Iterator[dict[str, object]]:
    for missing in sorted(bag.keys() - REQUIRED):
        yield {key: value for key, value in bag.items() if key != missing}
