"""A stack's file is read completely, or refused with every problem and its path."""

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


def test_an_agent_requires_only_an_image() -> None:
    assert loaded(GOOD) == Settings("eastus2", {"support": AgentSettings(f"support@{DIGEST}")})


def test_every_setting_of_an_agent_is_read() -> None:
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


def test_each_agent_has_its_own_settings() -> None:
    made = loaded({"a": {"image": f"a@{DIGEST}", "cpu": "2"}, "b": {"image": f"b@{DIGEST}"}})
    assert {name: agent.cpu for name, agent in made.agents.items()} == {"a": "2", "b": "1"}


def test_a_rollout_is_read_with_its_smoke_test() -> None:
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
def test_every_kind_of_rollout_can_be_set(given: Mapping[str, object], rollout: fa.Rollout) -> None:
    wanted = loaded(_agent(rollout=given)).agents["support"].rollout
    assert wanted is not None
    assert wanted.rollout() == rollout


def test_a_rollout_has_every_setting_of_the_component() -> None:
    """A new field of the component fails this test until someone adds or excludes it."""
    assert {row.name for row in fields(fa.Rollout)} - {row.name for row in fields(RolloutSettings)} == {
        "version",  # pinned
        "is_paused",  # paused
    }


def test_problems_of_a_rollout_have_their_full_path() -> None:
    rollout = {"steps": [10, "50"], "bake": ["2m"], "smoke": {"expect": 7, "tires": 2}, "paused": "yes"}
    assert problems(_agent(rollout=rollout)) == [
        "agents.support.rollout.bake must be text or a number",
        "agents.support.rollout.paused must be true or false",
        "agents.support.rollout.smoke.expect must be text: put the value in quotes",
        "agents.support.rollout.smoke.question is required",
        "agents.support.rollout.smoke.tires is not a setting; settings: "
        + ", ".join(sorted(row.name for row in fields(fa.SmokeTest))),
        "agents.support.rollout.steps[1] must be a whole number",
    ]


def test_a_rollout_is_not_both_pinned_and_paused() -> None:
    (line,) = problems(_agent(rollout={"pinned": 7, "paused": True}))
    assert line.startswith("agents.support.rollout.paused and agents.support.rollout.pinned exclude each other")


# --- Project and registry ---------------------------------------------------------------------------------------------


_REGISTRY = {"login_server": "acme.azurecr.io", "resource_id": "/images"}


def test_the_pull_role_requires_a_principal() -> None:
    project = {"endpoint": "https://acme/api/projects/demo"}
    (line,) = problems(GOOD, project=project, registry=_REGISTRY)
    assert line.startswith("project.principal_id is required for the pull role")
    made = loaded(GOOD, project=project, registry={**_REGISTRY, "grants": False})
    assert made.registry == ExistingRegistry("acme.azurecr.io", "/images", grants=False)


def test_the_role_to_invoke_requires_the_id_of_the_project() -> None:
    project = {"endpoint": "https://acme/api/projects/demo", "principal_id": "p"}
    agents = _agent(invoked_by=[{"principal_id": "app"}])
    (line,) = problems(agents, project=project, registry=_REGISTRY)
    assert line.startswith("project.resource_id is required for invoked_by")


def test_callers_are_read_and_checked() -> None:
    callers = [{"principal_id": "app"}, {"principal_id": "team", "principal_type": "Group"}]
    assert loaded(_agent(invoked_by=callers)).agents["support"].invoked_by == (Caller("app"), Caller("team", "Group"))
    assert problems(_agent(invoked_by=[{"principal_id": 7}, {}, "app"])) == [
        "agents.support.invoked_by[0].principal_id must be text: put the value in quotes",
        "agents.support.invoked_by[1].principal_id is required",
        "agents.support.invoked_by[2] must be a map of settings",
    ]
    assert problems(_agent(invoked_by={"principal_id": "app"})) == ["agents.support.invoked_by must be a list"]
    (line,) = problems(_agent(invoked_by=[{"principal_id": "app", "principal_type": "App"}]))
    assert line == "agents.support.invoked_by[0].principal_type must be one of ServicePrincipal, User, Group"


def test_an_existing_project_and_registry_need_no_location() -> None:
    project = {"endpoint": "https://acme/api/projects/demo", "principal_id": "p", "resource_id": "/r"}
    made = loaded(GOOD, location="", project=project, registry=_REGISTRY)
    assert made.project == ExistingProject(**project)
    assert made.registry == ExistingRegistry("acme.azurecr.io", "/images")


def test_settings_of_a_new_project_or_registry_are_refused_for_an_existing_one() -> None:
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
def test_tags_are_a_map_with_text_values(tags: object) -> None:
    assert problems(GOOD, tags=tags) == ["tags must be a map with text values"]
    assert loaded(GOOD, tags={"team": "support"}).tags == {"team": "support"}


def test_a_fingerprint_key_must_be_a_secret() -> None:
    """Case 55: a key in plain text protects nothing."""
    assert loaded(GOOD, fingerprintKey="k").fingerprint_key is not None
    (line,) = problems(GOOD, fingerprintKey=CANARY, secret_key=False)
    assert line == "fingerprintKey must be a secret: pulumi config set --secret fingerprintKey"


# --- Production -------------------------------------------------------------------------------------------------------


def test_production_has_its_own_defaults() -> None:
    made = loaded(GOOD, production=True)
    assert made.production
    assert made.agents["support"].rollout == RolloutSettings(steps=(10, 50), bake="10m", keep_versions=2)
    own = loaded(_agent(rollout={"steps": [], "keep_versions": 5}), production=True)
    assert own.agents["support"].rollout == RolloutSettings((), keep_versions=5)
    assert not loaded(GOOD).production
    assert loaded(GOOD).agents["support"].rollout is None


def test_production_refuses_settings_that_would_harm_users() -> None:
    found = problems(_agent(force_delete=True, rollout={"keep_versions": 1}), production=True)
    assert [line.split()[0] for line in found] == [
        "agents.support.force_delete",
        "agents.support.rollout.keep_versions",
    ]


@pytest.mark.parametrize("key", ["production", "promote"])
def test_a_boolean_setting_is_true_or_false(key: str) -> None:
    assert f"{key} must be true or false" in problems(GOOD, promoteFrom="staging", **{key: "maybe"})


# --- Promotion --------------------------------------------------------------------------------------------------------


def test_an_agent_without_an_image_is_promoted_from_the_stack_before() -> None:
    made = loaded({"support": {}}, promoteFrom="acme/foundry-agents/staging")
    assert (made.promote_from, made.promote) == ("acme/foundry-agents/staging", True)
    assert made.agents["support"].image is None
    assert not loaded({"support": {}}, promoteFrom="staging", promote=False).promote


def test_the_stack_before_can_have_a_short_name() -> None:
    assert loaded({"support": {}}, promoteFrom="staging").promote_from == "acme/foundry-agents/staging"


def test_without_a_stack_before_an_image_is_required() -> None:
    (line,) = problems({"support": {}})
    assert line == (
        "agents.support.image is required: repository@sha256:…; or set build, tag or code instead, or promoteFrom for "
        "the stack"
    )


@pytest.mark.parametrize(
    ("promotion", "message"),
    [
        ({"promoteFrom": "dev"}, "promoteFrom names this stack itself"),
        ({"promoteFrom": "acme/foundry-agents/dev"}, "promoteFrom names this stack itself"),
        ({"promoteFrom": "a/b"}, "promoteFrom must be the name of a stack"),
        ({"promoteFrom": "a stack"}, "promoteFrom must be the name of a stack"),
        ({"promote": True}, "promote requires promoteFrom"),
    ],
)
def test_a_promotion_without_a_valid_stack_before_is_refused(promotion: dict[str, Any], message: str) -> None:
    (line,) = problems(GOOD, **promotion)
    assert line.startswith(message)


def test_all_problems_are_reported_at_once_sorted_by_path() -> None:
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


def test_a_misspelt_setting_is_refused_with_a_list_of_the_settings() -> None:
    (line,) = problems(_agent(enviroment={"TOKEN": CANARY}))
    assert line.startswith("agents.support.enviroment is not a setting; settings: build, code, cpu, description, ")
    assert CANARY not in line


@pytest.mark.parametrize(
    ("key", "raw", "kind"),
    [
        ("image", 7, "text: put the value in quotes"),
        ("image", ["a"], "text"),
        ("cpu", ["1"], "text or a number"),
        ("cpu", True, "text or a number"),
        ("memory", 2, "text: put the value in quotes"),
        ("environment", ["A=1"], "a map"),
        ("environment", "A=1", "a map"),
        ("description", 7, "text: put the value in quotes"),
        ("force_delete", "true", "true or false"),
        ("force_delete", 1, "true or false"),
        ("timeout_s", "60", "a number"),
        ("timeout_s", True, "a number"),
    ],
)
def test_a_setting_of_the_wrong_type_is_refused_with_the_expected_type(key: str, raw: object, kind: str) -> None:
    (line,) = problems(_agent(**{key: raw}))
    assert line == f"agents.support.{key} must be {kind}"


@pytest.mark.parametrize("raw", [None, [], "support", 7])
def test_an_agent_must_be_a_map(raw: object) -> None:
    assert problems({"support": raw}) == ["agents.support must be a map of settings"]


@pytest.mark.parametrize("raw", [None, {}, [], 7, "not json"])
def test_agents_that_are_not_a_map_are_one_problem(raw: object) -> None:
    (line,) = problems(raw)
    assert line.startswith("agents ")


def test_a_location_is_required() -> None:
    assert problems(GOOD, location="") == ["location is required, for example eastus2"]


@pytest.mark.parametrize("cpu", [1, 1.0, "1"])
def test_a_cpu_can_be_a_number_or_text(cpu: object) -> None:
    assert float(loaded(_agent(cpu=cpu)).agents["support"].cpu) == 1


def test_a_setting_that_is_null_has_its_default() -> None:
    assert loaded(_agent(cpu=None, description=None)).agents["support"].cpu == "1"


def test_an_unknown_setting_is_refused_even_when_it_is_null() -> None:
    (line,) = problems(_agent(rollout={"keep_version": None}))
    assert line.startswith("agents.support.rollout.keep_version is not a setting; settings: bake, ")


# --- Variables --------------------------------------------------------------------------------------------------------


def test_a_build_passes_its_digest_in_a_variable() -> None:
    made = loaded({"support": {"image": "support@${SUPPORT_DIGEST}"}}, environ={"SUPPORT_DIGEST": DIGEST})
    assert made.agents["support"].image == f"support@{DIGEST}"


def test_an_image_can_name_several_variables() -> None:
    made = loaded({"support": {"image": "${REPO}@sha256:${HEX}"}}, environ={"REPO": "team/support", "HEX": "a" * 64})
    assert made.agents["support"].image == f"team/support@{DIGEST}"


def test_an_unset_variable_is_refused_with_its_name() -> None:
    (line,) = problems({"support": {"image": "support@${SUPPORT_DIGEST}"}})
    assert line == "agents.support.image names the environment variable SUPPORT_DIGEST, which is not set"


def test_a_variable_of_the_container_is_not_expanded() -> None:
    """Case 56: the platform resolves the placeholder of a connection."""
    placeholder = "${{connections.search.credentials.key}}"
    made = loaded(_agent(environment={"KEY": placeholder, "HOME_OF": "${HOME}"}), environ={"HOME": "/root"})
    assert made.agents["support"].environment == {"KEY": placeholder, "HOME_OF": "${HOME}"}


# --- Secrets ----------------------------------------------------------------------------------------------------------


def test_variables_of_a_secret_configuration_are_secrets() -> None:
    """Case 54: Pulumi does not say which value of the file is secret."""
    made = loaded(_agent(environment={"TOKEN": CANARY}), secret=True)
    token = made.agents["support"].environment["TOKEN"]
    assert isinstance(token, pulumi.Output)

    assert is_secret(token)


def test_an_invalid_secret_configuration_is_refused_without_showing_it() -> None:
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


def test_every_environment_has_a_file() -> None:
    assert {path.name for path in STACKS.glob("Pulumi.*.yaml")} == {
        f"Pulumi.{stack}.yaml" for stack in ("local", "dev", "staging", "prod")
    }


@pytest.mark.parametrize("path", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_the_files_of_this_repository_have_no_problems(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
    found: list[Settings] = []

    def program() -> None:
        found.append(load(pulumi.Config("foundry-agents"), {"SUPPORT_DIGEST": DIGEST}))

    pulumi_config = {key: raw if isinstance(raw, str) else json.dumps(raw) for key, raw in content.items()}
    run(program, config=pulumi_config, stack=path.name.split(".")[1])
    assert list(found[0].agents) == ["support"]
    assert found[0].production == (path.name == "Pulumi.prod.yaml")
