"""Rollouts through the real plugin process and the real SDK, against a local Azure whose journal is the judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from foundry_agents.lifecycle.inputs.rollout_settings import Rollout, SmokeTest
from foundry_emulator.testing import LocalAzure
from tests.support.plugin import ProviderError, running
from tests.wire.rollout_bench import OWNER, PROVIDER, Agent, Bench, names

ECHO = SmokeTest("ping", expect="Echo: ping", timeout=5)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with (
        LocalAzure(tmp_path_factory.mktemp("azure"), provisioning_s=0) as azure,
        running(azure.env) as plugin,
        running(azure.env) as destroying,
    ):
        project = azure.seed_project("rollouts")
        yield Bench(azure, plugin, destroying, project, azure.push_image(project))


@pytest.fixture
def agent(bench: Bench) -> Iterator[Agent]:
    yield Agent(bench, next(names))
    bench.azure.control.clear_faults()


# --- The way there ---------------------------------------------------------------------------------------------------


def test_a_canary_is_tested_before_traffic_and_at_each_step_and_leaves_no_session(agent: Agent) -> None:
    """Cases 35, 37 and 44: the whole sequence on the wire."""
    one = agent.create(agent.post(A="1")).outs
    two = agent.post(A="2")
    since = agent.now()

    state = agent.update(one, two, Rollout.canary([10, 50], smoke=ECHO)).outs

    wire = [write for write in agent.writes(since) if "/protocols/" not in write]
    assert wire[0] == "POST /endpoint/sessions", "tested before any traffic"
    assert [write for write in wire if write == "PATCH "] == ["PATCH "] * 3
    assert agent.traffic() == {two: 100}
    assert agent.sessions() == 0
    assert (state["serving_version"], state["previous_version"]) == (two, "1")
    assert state["served_versions"] == ["1", two]
    assert state["kept_versions"] == [two, "1"]
    assert state["responses_url"].endswith(f"/agents/{agent.name}/endpoint/protocols/openai/responses")
    assert f"smoke test on {agent.name}:{two} passed through the endpoint at 100 %" in agent.lines()
    assert agent.lines()[-1] == f"100 % on {two}, verified"


def test_a_rollback_is_one_patch_and_no_question(agent: Agent) -> None:
    """Case 9: 0 POSTs, 1 PATCH."""
    canary = Rollout.canary([10], smoke=ECHO)
    state = agent.create(agent.post(A="1"), canary).outs
    state = agent.update(state, agent.post(A="2"), canary).outs
    since = agent.now()
    state = agent.update(state, "1", canary).outs
    assert agent.writes(since) == ["PATCH "]
    assert (state["serving_version"], state["previous_version"]) == ("1", "2")


def test_protocols_schemes_and_card_that_others_set_are_kept(agent: Agent) -> None:
    """Only rules are sent, and only what differs."""
    agent.post(A="1")
    others = {
        "agent_endpoint": {
            "protocol_configuration": {"responses": {}, "a2a": {}},
            "authorization_schemes": [{"type": "BotService"}],
        },
        "agent_card": {"version": "1", "description": "theirs", "skills": []},
    }
    agent.call("PATCH", f"agents/{agent.name}", others)
    agent.create("1", protocols=["responses"])
    seen = agent.call("GET", f"agents/{agent.name}")
    assert set(seen["agent_endpoint"]["protocol_configuration"]) == {"responses", "a2a"}
    assert seen["agent_endpoint"]["authorization_schemes"] == [{"type": "BotService"}]
    assert seen["agent_card"]["description"] == "theirs"


def test_424_for_a_while_is_waited_out(agent: Agent, bench: Bench) -> None:
    """Case 44."""
    state = agent.create(agent.post(A="1")).outs
    bench.azure.control.fault(status=424, method="POST", path=f"{agent.name}/endpoint/protocols", times=3)
    agent.update(state, agent.post(A="2"), Rollout.all_at_once(smoke=ECHO))
    assert agent.traffic() == {"2": 100}


def test_endless_424_moves_nothing_and_leaves_no_session(agent: Agent, bench: Bench) -> None:
    """Case 44: 0 PATCHes."""
    state = agent.create(agent.post(A="1")).outs
    two = agent.post(A="2")
    bench.azure.control.fault(status=424, method="POST", path=f"{agent.name}/endpoint/protocols")
    since = agent.now()
    with pytest.raises(ProviderError) as caught:
        agent.update(state, two, Rollout.all_at_once(smoke=SmokeTest("ping", expect="pong", timeout=1)))
    text = str(caught.value)
    assert text.startswith(f"RolloutError: smoke test on {agent.name}:2 failed")
    assert "(request " in text
    assert f"State: {agent.name}:2 got no traffic; 100 % on 1" in text
    assert "PATCH " not in agent.writes(since)
    assert agent.sessions() == 0
    assert agent.traffic() == {"1": 100}


@pytest.mark.parametrize("action", ["reset_before_commit", "commit_then_reset"])
def test_a_patch_whose_connection_is_lost_is_looked_at_and_the_rollout_goes_on(
    agent: Agent, bench: Bench, action: str
) -> None:
    """Case 1, cut at the PATCH: carried out or not, it ends as asked."""
    state = agent.create(agent.post(A="1")).outs
    two = agent.post(A="2")
    bench.azure.control.fault(action=action, method="PATCH", path=f"{agent.name}$", times=1)
    agent.update(state, two)
    assert agent.traffic() == {two: 100}
    assert [fault["fired"] for fault in bench.azure.control.faults()] == [1]


def test_a_patch_that_is_refused_for_good_says_what_is_in_force(agent: Agent, bench: Bench) -> None:
    """Case 38."""
    state = agent.create(agent.post(A="1")).outs
    two = agent.post(A="2")
    bench.azure.control.fault(status=403, method="PATCH", path=f"{agent.name}$")
    with pytest.raises(ProviderError, match="the routing is as it was found: 100 % on 1"):
        agent.update(state, two)


@pytest.mark.parametrize(("number", "says"), [("7", "does not exist"), ("2", 'is "failed"')])
def test_a_version_that_is_not_there_or_failed_is_refused_with_the_function_that_is_not_either(
    agent: Agent, bench: Bench, number: str, says: str
) -> None:
    """All at once, before the first write."""
    agent.create(agent.post(A="1"))
    script = {"agent": agent.name, "steps": [{"status": "failed", "error": {"code": "CodeError", "message": "x"}}]}
    bench.azure.control.set(scripts=[script])
    agent.call("POST", f"agents/{agent.name}/versions", {"definition": agent.definition(A="2"), "metadata": {}})
    bench.azure.wait_until(lambda: agent.statuses()["2"] == "failed")
    since = agent.now()
    with pytest.raises(ProviderError) as caught:
        agent.create(number, Rollout.all_at_once(smoke=SmokeTest("ping", check="no_such_module_here:f")))
    assert says in str(caught.value)
    assert "no_such_module_here:f" in str(caught.value)
    assert agent.writes(since) == []


# --- Drift -----------------------------------------------------------------------------------------------------------


def test_a_change_in_the_portal_is_one_field_and_one_write(agent: Agent) -> None:
    """Case 40: weights, and the switch."""
    state = agent.create(agent.post(A="1")).outs
    two = agent.post(A="2")
    state = agent.update(state, two).outs

    def shown_and_restored(key: str, *, value: object, write: str) -> None:
        seen = agent.read(state)
        assert seen.inputs is not None
        wanted = agent.inputs(two)
        assert {name for name, now in seen.inputs.items() if now != wanted.get(name)} == {key}
        assert seen.outs[key] == value
        assert agent.bench.plugin.diff(PROVIDER, seen.outs, wanted, agent.name).changes
        since = agent.now()
        restored = agent.update(seen.outs, two).outs
        assert agent.writes(since) == [write]
        assert set(state) == set(restored), "0 output keys lost"

    agent.route(v1=70, v2=30)
    shown_and_restored("version", value="1: 70 %, 2: 30 %", write="PATCH ")
    agent.call("POST", f"agents/{agent.name}:disable")
    shown_and_restored("enabled", value=False, write="POST :enable")


def test_a_paused_rollout_leaves_traffic_to_others(agent: Agent) -> None:
    state = agent.create(agent.post(A="1")).outs
    two = agent.post(A="2")
    paused = agent.update(state, two, Rollout.paused(smoke=ECHO)).outs
    assert agent.traffic() == {"1": 100}
    assert (paused["version"], paused["serving_version"], paused["served_versions"]) == (two, "1", ["1"])
    agent.route(v1=50, v2=50)
    seen = agent.read(paused)
    wanted = agent.inputs(two, Rollout.paused(smoke=ECHO))
    assert not agent.bench.plugin.diff(PROVIDER, seen.outs, wanted, agent.name).changes
    assert agent.bench.plugin.diff(PROVIDER, seen.outs, agent.inputs(two), agent.name).changes, "going on is a change"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"status": 401}, "HTTP 401"),
        ({"status": 403}, "HTTP 403"),
        ({"status": 500}, "HTTP 500"),
        ({"action": "reset_before_commit"}, "was lost or is not usable"),
    ],
    ids=str,
)
def test_a_refresh_without_an_answer_keeps_the_state_with_one_warning(
    agent: Agent, bench: Bench, fault: Mapping[str, object], says: str
) -> None:
    """Case 42. pu#929, pu#424"""
    state = agent.create(agent.post(A="1")).outs
    bench.azure.control.fault(method="GET", path=f"{agent.name}$", **fault)
    bench.plugin.lines.clear()
    seen = agent.read(state)
    assert (seen.id, seen.outs) == (agent.name, state)
    (warning,) = [line for line in bench.plugin.lines if line.stays]
    assert "its state is kept" in warning.text
    assert says in warning.text


def test_an_agent_that_is_gone_is_gone(agent: Agent) -> None:
    """Case 41."""
    state = agent.create(agent.post(A="1")).outs
    agent.call("DELETE", f"agents/{agent.name}", force="true")
    assert agent.read(state).id == ""


# --- Older state -----------------------------------------------------------------------------------------------------


def test_state_of_an_older_release_is_read_compared_updated_and_deleted(agent: Agent) -> None:
    """Case 76: 0 exceptions, 0 changes."""
    agent.post(A="1")
    agent.route(v1=100)
    endpoint = f"{agent.bench.project.endpoint}/agents/{agent.name}/endpoint"
    old = {
        "project_endpoint": agent.bench.project.endpoint,
        "agent_name": agent.name,
        "version": "1",
        "protocols": ["responses"],
        "owner": OWNER,
        "urn": "urn:x",
        "force_delete": False,
        "timeout_s": 120.0,
        "poll_interval_s": 1.0,
        "keep_agent": False,
        "serving_version": "1",
        "traffic": {"1": 100.0},
        "endpoint": endpoint,
        "responses_url": f"{endpoint}/protocols/openai/responses",
    }
    assert agent.read(old).id == agent.name
    same = agent.inputs("1", protocols=["responses"])
    assert not agent.bench.plugin.diff(PROVIDER, old, same, agent.name).changes
    two = agent.post(A="2")
    state = agent.update(old, two).outs
    assert state["served_versions"] == ["1", two]
    agent.delete(old)
    assert agent.statuses() == {"1": "active", two: "active"}


# --- Retention and the end -------------------------------------------------------------------------------------------


def test_the_newest_stay_and_so_does_a_version_with_a_session_and_a_message_says_so(agent: Agent) -> None:
    """Case 53."""
    state = agent.create(agent.post(A="1")).outs
    foreign = agent.post(A="2", owner="acme/agents/prod")
    held = agent.post(A="3")
    session = agent.session_on(held)
    agent.post(A="4")
    five = agent.post(A="5")
    state = agent.update(state, five, Rollout.all_at_once(keep_versions=2)).outs
    assert sorted(agent.statuses()) == ["1", foreign, held, five]
    assert (state["kept_versions"], state["skipped_versions"]) == ([five, "1"], [held])
    assert agent.lines()[-1] == f"100 % on {five}, verified · kept 5, 1 · removed 4 · 3 stays: live sessions"
    agent.call("DELETE", f"agents/{agent.name}/endpoint/sessions/{session}")
    agent.update(state, five, Rollout.all_at_once(keep_versions=1))
    assert sorted(agent.statuses()) == [foreign, five]


def test_the_link_to_the_portal_is_an_output_where_the_project_is_known(agent: Agent) -> None:
    version = agent.post(A="1")
    assert "playground_url" not in agent.create(version).outs
    outs = agent.create(version, project_resource_id=agent.bench.project.id).outs
    assert outs["playground_url"].endswith(f"/build/agents/{agent.name}/build?version={version}")


def test_a_rollout_that_is_deleted_leaves_the_agent_its_versions_and_its_traffic(agent: Agent) -> None:
    """Case 85, pulumi-features A2 and A3: also in a run that has declared nothing, as `destroy --target` does."""
    state = agent.create(agent.post(A="1")).outs
    since = agent.now()
    agent.delete(state)
    agent.bench.plugin.delete(PROVIDER, agent.name, state)
    assert agent.statuses() == {"1": "active"}
    assert agent.traffic() == {"1": 100}
    assert agent.writes(since) == []
