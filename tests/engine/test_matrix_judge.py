"""What the judge of the matrix sees and what it lets pass, without the engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.matrix.judge import Judge, Seen, Wanted, kind_of
from tests.engine.matrix.program import KINDS, Settings
from tests.engine.matrix.world import Agent, World
from tests.support.harness import Run

SEEDED = "/subscriptions/s/resourcegroups/agents/providers/microsoft.cognitiveservices/accounts/agents-account"
ACCOUNT = "/subscriptions/s/resourcegroups/agents/providers/microsoft.cognitiveservices/accounts/shop"
REGISTRY = "/subscriptions/s/resourcegroups/agents/providers/microsoft.containerregistry/registries/images"
GIVEN = Settings(endpoint="https://localhost/api/projects/agents", principal="p", resource=SEEDED, image="i")
SERVING = Agent("guid", {"1": "active"}, {"1": 100}, frozenset({("support", "1")}))
WORLD = World(
    agents={"support": SERVING, "pair": replace(SERVING, guid="other", calls=frozenset())},
    toolboxes={"support": {"1": frozenset()}, "box": {"1": frozenset({"vs"})}},
    stores={"vs": "faq"},
    files=frozenset({"file"}),
    arm=frozenset({SEEDED, ACCOUNT, REGISTRY}),
)
STATE = [
    {"urn": f"urn::{name}", "type": f"x:{kind}", "id": identity, "outputs": {"traffic": {"1": 100}}}
    for name, kind, identity in (
        ("support-version", "HostedAgentVersion", "support:1"),
        ("support-rollout", "AgentRollout", "support"),
        ("pair", "HostedAgentVersion", "pair:1"),
        ("support-toolbox", "ToolboxVersion", "support:1"),
        ("box", "ToolboxVersion", "box:1"),
        ("faq", "VectorStore", "vs"),
        ("shop-account", "Account", ACCOUNT),
        ("images-registry", "Registry", REGISTRY),
    )
]
WELL = Run(0, "")


def found(world: World, wanted: Wanted | None = None, run: Run = WELL, **seen: object) -> set[tuple[str, str]]:
    state = seen.get("state", STATE)
    deleted = seen.get("deleted", ())
    assert isinstance(state, list)
    assert isinstance(deleted, tuple)
    judge = Judge(WORLD, frozenset({SEEDED}))
    findings = judge.findings(wanted or Wanted("a step", GIVEN), Seen(run, world, state, deleted))
    return {(one.kind, one.what) for one in findings}


def test_an_unchanged_world_is_as_specified() -> None:
    assert found(WORLD) == set()


@pytest.mark.parametrize(
    "agent",
    [
        None,
        replace(SERVING, guid="another"),
        replace(SERVING, versions={"1": "failed"}),
        replace(SERVING, shares={"1": 50}),
    ],
)
def test_an_agent_that_is_missing_replaced_or_not_serving_is_a_loss(agent: Agent | None) -> None:
    agents = {"pair": WORLD.agents["pair"], **({"support": agent} if agent else {})}
    assert ("agent", "loss") in found(replace(WORLD, agents=agents))


def test_an_account_that_was_deleted_and_created_again_is_a_loss() -> None:
    assert found(WORLD, deleted=(ACCOUNT,)) == {("project", "loss")}


def test_a_toolbox_or_store_that_is_used_and_missing_is_a_loss() -> None:
    world = replace(WORLD, toolboxes={"support": {"2": frozenset()}, "box": {"1": frozenset({"gone"})}})
    assert {("toolbox", "loss"), ("store", "loss")} <= found(world)


def test_what_is_not_declared_is_left_over_after_a_successful_untargeted_run() -> None:
    nothing = replace(GIVEN, declares=())
    everything = {(kind, "left-over") for kind in KINDS}
    assert found(WORLD, Wanted("a step", nothing), state=[]) == everything
    assert found(WORLD, Wanted("a step", nothing, whole=False), state=[]) == set()
    assert found(WORLD, Wanted("a destroy", GIVEN, empty=True), state=[]) == everything
    assert found(WORLD, Wanted("a destroy", GIVEN, empty=True, retained=True), state=[]) == set()


def test_state_that_names_a_missing_thing_or_other_traffic_is_a_state_lie() -> None:
    moved = replace(WORLD, agents={**WORLD.agents, "support": replace(SERVING, shares={"1": 60, "2": 40})})
    assert ("agent", "state lie") in found(moved)
    assert ("store", "state lie") in found(replace(WORLD, stores={}))


def test_a_thing_that_is_declared_and_missing_in_state_is_a_state_lie() -> None:
    assert ("pair", "state lie") in found(WORLD, state=[one for one in STATE if one["urn"] != "urn::pair"])


def test_a_refusal_counts_for_the_kinds_that_its_errors_name_and_must_be_specified() -> None:
    run = Run(255, "Diagnostics:\n  pulumi-python:dynamic:ToolboxVersion (box):\n    error: it stays\n\n")
    assert found(WORLD, Wanted("a step", GIVEN, refuses=("toolbox",)), run) == {("toolbox", "refusal")}
    assert found(WORLD, None, run) == {("toolbox", "unspecified refusal")}


def test_a_traceback_is_never_a_specified_refusal() -> None:
    run = Run(255, "Diagnostics:\n  pulumi:pulumi:Stack (x-local):\n    error: failed\n    Traceback (most recent …\n")
    assert found(WORLD, Wanted("a step", GIVEN, refuses=KINDS), run) == {
        (kind, "unspecified refusal") for kind in KINDS
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("support-rollout", "agent"),
        ("helper-toolbox", "toolbox"),
        ("couple-rollout", "pair"),
        ("pictures-pull", "registry"),
    ],
)
def test_a_resource_belongs_to_the_kind_that_created_it(name: str, kind: str) -> None:
    assert kind_of(name) == kind
