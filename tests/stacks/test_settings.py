"""What a stack's file may say: every problem at once, each with its path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

import foundry_agents as fa
from stacks.agent_settings import AgentSettings, Caller, RolloutSettings
from stacks.settings import ExistingProject, ExistingRegistry, Settings, SettingsError, load
from tests.stacks.stack_file import is_secret, loaded, problems
from tests.support.program import run

DIGEST = "sha256:" + "a" * 64
CANARY = "canary-4711"


GOOD = {"support": {"image": f"support@{DIGEST}"}}


def _agent(**settings: object) -> dict[str, object]:
    return {"support": {"image": f"support@{DIGEST}", **settings}}


def test_an_agent_needs_no_more_than_an_image() -> None:
    assert loaded(GOOD) == Settings("eastus2", {"support": AgentSettings(f"support@{DIGEST}")})


def test_everything_that_can_be_said_arrives() -> None:
    given = {
        "cpu": "2",
        "memory": "4Gi",
        "environment": {"GREETING": "Hello"},
        "description": "Answers.",
        "force_delete": True,
        "timeout_s": 120,
    }
    made = loaded(_agent(**given), registry_name="imagesdev")
    assert made.registry_name == "imagesdev"
    assert made.agents["support"] == AgentSettings(
        f"support@{DIGEST}",
        cpu="2",
        memory="4Gi",
        environment={"GREETING": "Hello"},
        description="Answers.",
        force_delete=True,
        timeout_s=120,
    )


def test_several_agents_keep_their_own_settings() -> None:
    made = loaded({"a": {"image": f"a@{DIGEST}", "cpu": "2"}, "b": {"image": f"b@{DIGEST}"}})
    assert {name: agent.cpu for name, agent in made.agents.items()} == {"a": "2", "b": "1"}


def test_a_rollout_is_read_as_deep_as_it_goes() -> None:
    given = {
        "steps": [10, 50],
        "bake": "2m",
        "keep_versions": 3,
        "smoke": {"question": "ping", "expect": "pong", "tries": 2, "timeout": 30},
    }
    wanted = loaded(_agent(rollout=given)).agents["support"].rollout
    smoke = fa.SmokeTest("ping", "pong", tries=2, timeout=30)
    assert wanted == RolloutSettings(steps=(10, 50), bake="2m", keep_versions=3, smoke=smoke)
    assert wanted.rollout() == fa.Rollout.canary([10, 50], bake="2m", keep_versions=3, smoke=smoke)


@pytest.mark.parametrize(
    ("given", "rollout"),
    [
        ({}, fa.Rollout.all_at_once()),
        ({"pinned": 7, "steps": [10]}, fa.Rollout.pinned("7")),
        ({"pinned": "7", "keep_versions": 2}, fa.Rollout.pinned("7", keep_versions=2)),
        ({"paused": True}, fa.Rollout.paused()),
        (
            {"steps": [0], "bake": 60, "smoke": {"question": "?", "check": "a.b:c"}, "timeout": "1h"},
            fa.Rollout.blue_green(bake=60, smoke=fa.SmokeTest("?", check="a.b:c"), timeout="1h"),
        ),
    ],
)
def test_every_kind_of_rollout_can_be_said(given: Mapping[str, object], rollout: fa.Rollout) -> None:
    wanted = loaded(_agent(rollout=given)).agents["support"].rollout
    assert wanted is not None
    assert wanted.rollout() == rollout


def test_what_a_rollout_may_say_is_what_the_component_takes() -> None:
    """A new field of the component is missing here until somebody decides about it."""
    assert {row.name for row in fields(fa.Rollout)} - {row.name for row in fields(RolloutSettings)} == {
        "version",  # pinned
        "is_paused",  # paused
    }


def test_problems_of_a_rollout_come_with_their_whole_path() -> None:
    rollout = {"steps": [10, "50"], "bake": ["2m"], "smoke": {"expect": 7, "tires": 2}, "paused": "yes"}
    assert problems(_agent(rollout=rollout)) == [
        "agents.support.rollout.bake must be text or a number",
        "agents.support.rollout.paused must be true or false",
        "agents.support.rollout.smoke.expect must be text",
        "agents.support.rollout.smoke.question is required",
        "agents.support.rollout.smoke.tires is not a setting; settings: "
        + ", ".join(sorted(row.name for row in fields(fa.SmokeTest))),
        "agents.support.rollout.steps[1] must be a whole number",
    ]


def test_a_rollout_is_pinned_or_paused_but_not_both() -> None:
    (line,) = problems(_agent(rollout={"pinned": 7, "paused": True}))
    assert line.startswith("agents.support.rollout.paused and agents.support.rollout.pinned exclude each other")


# --- Where it goes ----------------------------------------------------------------------------------------------------


_REGISTRY = {"login_server": "acme.azurecr.io", "resource_id": "/images"}


def test_a_right_to_pull_needs_somebody_to_give_it_to() -> None:
    project = {"endpoint": "https://acme/api/projects/demo"}
    (line,) = problems(GOOD, project=project, registry=_REGISTRY)
    assert line.startswith("project.principal_id is required to give it the right to pull")
    made = loaded(GOOD, project=project, registry={**_REGISTRY, "grants": False})
    assert made.registry == ExistingRegistry("acme.azurecr.io", "/images", grants=False)


def test_a_right_to_call_needs_something_to_give_it_on() -> None:
    project = {"endpoint": "https://acme/api/projects/demo", "principal_id": "p"}
    agents = _agent(invoked_by=[{"principal_id": "app"}])
    (line,) = problems(agents, project=project, registry=_REGISTRY)
    assert line.startswith("project.resource_id is required for invoked_by")


def test_callers_are_read_and_checked() -> None:
    callers = [{"principal_id": "app"}, {"principal_id": "team", "principal_type": "Group"}]
    assert loaded(_agent(invoked_by=callers)).agents["support"].invoked_by == (Caller("app"), Caller("team", "Group"))
    assert problems(_agent(invoked_by=[{"principal_id": 7}, {}, "app"])) == [
        "agents.support.invoked_by[0].principal_id must be text",
        "agents.support.invoked_by[1].principal_id is required",
        "agents.support.invoked_by[2] must be a map of settings",
    ]
    assert problems(_agent(invoked_by={"principal_id": "app"})) == ["agents.support.invoked_by must be a list"]
    (line,) = problems(_agent(invoked_by=[{"principal_id": "app", "principal_type": "App"}]))
    assert line == "agents.support.invoked_by[0].principal_type must be one of ServicePrincipal, User, Group"


def test_a_project_and_a_registry_that_exist_need_no_location() -> None:
    project = {"endpoint": "https://acme/api/projects/demo", "principal_id": "p", "resource_id": "/r"}
    made = loaded(GOOD, location="", project=project, registry=_REGISTRY)
    assert made.project == ExistingProject(**project)
    assert made.registry == ExistingRegistry("acme.azurecr.io", "/images")


def test_what_exists_is_not_made() -> None:
    found = problems(
        GOOD,
        project={"endpoint": "https://acme/api/projects/demo", "principal_id": "p"},
        projectName="demo",
        registry=_REGISTRY,
        registry_name="images",
    )
    assert [line.split(":")[0] for line in found] == [
        "projectName and project exclude each other",
        "registryName and registry exclude each other",
    ]
    (line,) = problems(GOOD, project={"endpoint": "https://acme/api/projects/demo"})
    assert line.startswith("registry is required with an existing project")


@pytest.mark.parametrize("tags", ["x", ["a"], {"team": 7}])
def test_tags_are_texts_by_name(tags: object) -> None:
    assert problems(GOOD, tags=tags) == ["tags must be a map of texts"]
    assert loaded(GOOD, tags={"team": "support"}).tags == {"team": "support"}


def test_a_key_for_fingerprints_has_to_be_a_secret() -> None:
    """Case 55: a key that stands in the file in plain text protects nothing."""
    assert loaded(GOOD, fingerprintKey="k").fingerprint_key is not None
    (line,) = problems(GOOD, fingerprintKey=CANARY, secret_key=False)
    assert line == "fingerprintKey must be a secret: pulumi config set --secret fingerprintKey"


# --- Production -------------------------------------------------------------------------------------------------------


def test_production_has_defaults_for_what_the_file_leaves_open() -> None:
    made = loaded(GOOD, production=True)
    assert made.production
    assert made.agents["support"].rollout == RolloutSettings(steps=(10, 50), bake="10m", keep_versions=2)
    own = loaded(_agent(rollout={"steps": [], "keep_versions": 5}), production=True)
    assert own.agents["support"].rollout == RolloutSettings((), keep_versions=5)
    assert not loaded(GOOD).production
    assert loaded(GOOD).agents["support"].rollout is None


def test_production_refuses_what_would_hurt_users() -> None:
    found = problems(_agent(force_delete=True, rollout={"keep_versions": 1}), production=True)
    assert [line.split()[0] for line in found] == [
        "agents.support.force_delete",
        "agents.support.rollout.keep_versions",
    ]


@pytest.mark.parametrize("key", ["production", "promote"])
def test_a_switch_is_true_or_false(key: str) -> None:
    assert f"{key} must be true or false" in problems(GOOD, promoteFrom="staging", **{key: "maybe"})


# --- Promotion --------------------------------------------------------------------------------------------------------


def test_an_agent_without_an_image_takes_the_one_of_the_stack_before() -> None:
    made = loaded({"support": {}}, promoteFrom="acme/foundry-agents/staging")
    assert (made.promote_from, made.promote) == ("acme/foundry-agents/staging", True)
    assert made.agents["support"].image is None
    assert not loaded({"support": {}}, promoteFrom="staging", promote=False).promote


def test_the_stack_before_may_be_named_in_short() -> None:
    assert loaded({"support": {}}, promoteFrom="staging").promote_from == "acme/foundry-agents/staging"


def test_without_a_stack_before_an_image_is_required() -> None:
    (line,) = problems({"support": {}})
    assert line == (
        "agents.support.image is required: repository@sha256:…, or one of build, tag, code in its place, or "
        "promoteFrom for the stack"
    )


@pytest.mark.parametrize(
    ("promotion", "words"),
    [
        ({"promoteFrom": "dev"}, "promoteFrom names this stack itself"),
        ({"promoteFrom": "acme/foundry-agents/dev"}, "promoteFrom names this stack itself"),
        ({"promoteFrom": "a/b"}, "promoteFrom must be a stack"),
        ({"promoteFrom": "a stack"}, "promoteFrom must be a stack"),
        ({"promote": True}, "promote is only of use together with promoteFrom"),
    ],
)
def test_a_promotion_from_nowhere_is_refused(promotion: dict[str, Any], words: str) -> None:
    (line,) = problems(GOOD, **promotion)
    assert line.startswith(words)


def test_every_problem_comes_at_once_sorted_by_path() -> None:
    """Case 59, for the stack's file."""
    found = problems(
        {
            "b": {"image": 7, "force_delete": "yes"},
            "a": {"imgae": f"a@{DIGEST}", "memory": 2},
            "c": "c",
            "d": {"image": "d@${DIGEST_OF_D}"},
        },
        location="",
    )
    assert [line.split()[0] for line in found] == [
        "agents.a.image",
        "agents.a.imgae",
        "agents.a.memory",
        "agents.b.force_delete",
        "agents.b.image",
        "agents.c",
        "agents.d.image",
        "location",
    ]


def test_a_misspelt_setting_is_refused_with_those_that_there_are() -> None:
    (line,) = problems(_agent(enviroment={"TOKEN": CANARY}))
    assert line.startswith("agents.support.enviroment is not a setting; settings: build, code, cpu, description, ")
    assert CANARY not in line


@pytest.mark.parametrize(
    ("key", "raw", "kind"),
    [
        ("image", 7, "text"),
        ("image", ["a"], "text"),
        ("cpu", ["1"], "text or a number"),
        ("cpu", True, "text or a number"),
        ("memory", 2, "text"),
        ("environment", ["A=1"], "a map"),
        ("environment", "A=1", "a map"),
        ("description", 7, "text"),
        ("force_delete", "true", "true or false"),
        ("force_delete", 1, "true or false"),
        ("timeout_s", "60", "a number"),
        ("timeout_s", True, "a number"),
    ],
)
def test_a_setting_of_the_wrong_type_is_refused_with_the_right_one(key: str, raw: object, kind: str) -> None:
    (line,) = problems(_agent(**{key: raw}))
    assert line == f"agents.support.{key} must be {kind}"


@pytest.mark.parametrize("raw", [None, [], "support", 7])
def test_an_agent_that_is_no_map_is_refused(raw: object) -> None:
    assert problems({"support": raw}) == ["agents.support must be a map of settings"]


@pytest.mark.parametrize("raw", [None, {}, [], 7, "not json"])
def test_agents_that_are_no_map_are_one_problem_and_no_traceback(raw: object) -> None:
    (line,) = problems(raw)
    assert line.startswith("agents ")


def test_a_location_is_needed() -> None:
    assert problems(GOOD, location="") == ["location is required, for example eastus2"]


@pytest.mark.parametrize("cpu", [1, 1.0, "1"])
def test_a_cpu_may_be_a_number_or_text(cpu: object) -> None:
    assert float(loaded(_agent(cpu=cpu)).agents["support"].cpu) == 1


def test_a_setting_that_is_null_takes_its_default() -> None:
    assert loaded(_agent(cpu=None, description=None)).agents["support"].cpu == "1"


# --- Variables ------------------------------------------------------------------------------------------------------


def test_a_build_hands_its_digest_over_in_a_variable() -> None:
    made = loaded({"support": {"image": "support@${SUPPORT_DIGEST}"}}, environ={"SUPPORT_DIGEST": DIGEST})
    assert made.agents["support"].image == f"support@{DIGEST}"


def test_several_variables_may_stand_in_one_image() -> None:
    made = loaded({"support": {"image": "${REPO}@sha256:${HEX}"}}, environ={"REPO": "team/support", "HEX": "a" * 64})
    assert made.agents["support"].image == f"team/support@{DIGEST}"


def test_a_variable_that_is_not_set_is_refused_by_its_name() -> None:
    (line,) = problems({"support": {"image": "support@${SUPPORT_DIGEST}"}})
    assert line == "agents.support.image names the environment variable SUPPORT_DIGEST, which is not set"


def test_a_variable_of_the_container_is_not_expanded() -> None:
    """Case 56: a connection's placeholder belongs to the platform."""
    placeholder = "${{connections.search.credentials.key}}"
    made = loaded(_agent(environment={"KEY": placeholder, "HOME_OF": "${HOME}"}), environ={"HOME": "/root"})
    assert made.agents["support"].environment == {"KEY": placeholder, "HOME_OF": "${HOME}"}


# --- Secrets --------------------------------------------------------------------------------------------------------


def test_variables_of_a_secret_configuration_are_secrets() -> None:
    """Case 54: Pulumi does not say which value of the file is the secret one."""
    made = loaded(_agent(environment={"TOKEN": CANARY}), secret=True)
    token = made.agents["support"].environment["TOKEN"]
    assert isinstance(token, pulumi.Output)

    assert is_secret(token)


def test_a_secret_configuration_that_is_broken_is_refused_without_showing_it() -> None:
    """Case 54."""
    with pytest.raises(SettingsError) as caught:
        loaded(f'{{"support": "{CANARY}', secret=True)
    assert CANARY not in str(caught.value)


def test_no_problem_shows_a_variable_of_the_container() -> None:
    """Case 54."""
    for environment in (CANARY, [CANARY], {"TOKEN": CANARY}):
        found = problems(_agent(environment=environment, memory=2))
        assert CANARY not in "\n".join(found)


# --- The files of this repository -------------------------------------------------------------------------------------

STACKS = Path(__file__).resolve().parents[2] / "stacks"


def test_there_is_a_file_for_every_environment() -> None:
    assert {path.name for path in STACKS.glob("Pulumi.*.yaml")} == {
        f"Pulumi.{stack}.yaml" for stack in ("local", "dev", "staging", "prod")
    }


@pytest.mark.parametrize("path", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_the_files_of_this_repository_have_no_problem(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
    found: list[Settings] = []

    def program() -> None:
        found.append(load(pulumi.Config("foundry-agents"), {"SUPPORT_DIGEST": DIGEST}))

    as_pulumi_has_it = {key: raw if isinstance(raw, str) else json.dumps(raw) for key, raw in content.items()}
    run(program, config=as_pulumi_has_it, stack=path.name.split(".")[1])
    assert list(found[0].agents) == ["support"]
    assert found[0].production == (path.name == "Pulumi.prod.yaml")
