"""What a stack's file may say: every problem at once, each with its path."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pytest

from stacks.settings import AgentSettings, Settings, SettingsError, load
from tests.components.program import run

DIGEST = "sha256:" + "a" * 64
CANARY = "canary-4711"


def _loaded(
    agents: object = None,
    *,
    location: str = "eastus2",
    registry_name: str = "",
    environ: Mapping[str, str] | None = None,
    secret: bool = False,
) -> Settings:
    """The settings of a stack file with these values."""
    config = {"location": location, "registryName": registry_name}
    if agents is not None:
        config["agents"] = agents if isinstance(agents, str) else json.dumps(agents)
    found: list[Settings] = []

    def program() -> None:
        found.append(load(pulumi.Config("foundry-agents"), environ or {}))

    run(
        program,
        config={f"foundry-agents:{key}": value for key, value in config.items() if value},
        secret_config=("foundry-agents:agents",) if secret else (),
    )
    return found[0]


def _problems(agents: object = None, *, location: str = "eastus2") -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _loaded(agents, location=location)
    first, *lines = str(caught.value).splitlines()
    assert first == f"{len(lines)} problem{'s' if len(lines) > 1 else ''} in stacks/Pulumi.dev.yaml"
    return [line.removeprefix("  ") for line in lines]


GOOD = {"support": {"image": f"support@{DIGEST}"}}


def _agent(**settings: object) -> dict[str, object]:
    return {"support": {"image": f"support@{DIGEST}", **settings}}


def test_an_agent_needs_no_more_than_an_image() -> None:
    assert _loaded(GOOD) == Settings("eastus2", {"support": AgentSettings(f"support@{DIGEST}")})


def test_everything_that_can_be_said_arrives() -> None:
    given = {
        "cpu": "2",
        "memory": "4Gi",
        "environment": {"GREETING": "Hello"},
        "description": "Answers.",
        "force_delete": True,
        "timeout_s": 120,
    }
    made = _loaded(_agent(**given), registry_name="imagesdev")
    assert made.registry_name == "imagesdev"
    assert made.agents["support"] == AgentSettings(
        f"support@{DIGEST}", "2", "4Gi", {"GREETING": "Hello"}, "Answers.", force_delete=True, timeout_s=120
    )


def test_several_agents_keep_their_own_settings() -> None:
    made = _loaded({"a": {"image": f"a@{DIGEST}", "cpu": "2"}, "b": {"image": f"b@{DIGEST}"}})
    assert {name: agent.cpu for name, agent in made.agents.items()} == {"a": "2", "b": "1"}


def test_every_problem_comes_at_once_sorted_by_path() -> None:
    """Case 59, for the stack's file."""
    found = _problems(
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
    (line,) = _problems(_agent(enviroment={"TOKEN": CANARY}))
    assert line.startswith("agents.support.enviroment is not a setting; settings: cpu, description, environment,")
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
    (line,) = _problems(_agent(**{key: raw}))
    assert line == f"agents.support.{key} must be {kind}"


@pytest.mark.parametrize("raw", [None, [], "support", 7])
def test_an_agent_that_is_no_map_is_refused(raw: object) -> None:
    assert _problems({"support": raw}) == ["agents.support must be a map of settings"]


@pytest.mark.parametrize("raw", [None, {}, [], 7, "not json"])
def test_agents_that_are_no_map_are_one_problem_and_no_traceback(raw: object) -> None:
    (line,) = _problems(raw)
    assert line.startswith("agents ")


def test_a_location_is_needed() -> None:
    assert _problems(GOOD, location="") == ["location is required, for example eastus2"]


@pytest.mark.parametrize("cpu", [1, 1.0, "1"])
def test_a_cpu_may_be_a_number_or_text(cpu: object) -> None:
    assert float(_loaded(_agent(cpu=cpu)).agents["support"].cpu) == 1


def test_a_setting_that_is_null_takes_its_default() -> None:
    assert _loaded(_agent(cpu=None, description=None)).agents["support"].cpu == "1"


# --- Variables ------------------------------------------------------------------------------------------------------


def test_a_build_hands_its_digest_over_in_a_variable() -> None:
    made = _loaded({"support": {"image": "support@${SUPPORT_DIGEST}"}}, environ={"SUPPORT_DIGEST": DIGEST})
    assert made.agents["support"].image == f"support@{DIGEST}"


def test_several_variables_may_stand_in_one_image() -> None:
    made = _loaded({"support": {"image": "${REPO}@sha256:${HEX}"}}, environ={"REPO": "team/support", "HEX": "a" * 64})
    assert made.agents["support"].image == f"team/support@{DIGEST}"


def test_a_variable_that_is_not_set_is_refused_by_its_name() -> None:
    (line,) = _problems({"support": {"image": "support@${SUPPORT_DIGEST}"}})
    assert line == "agents.support.image names the environment variable SUPPORT_DIGEST, which is not set"


def test_a_variable_of_the_container_is_not_expanded() -> None:
    """Case 56: a connection's placeholder belongs to the platform."""
    placeholder = "${{connections.search.credentials.key}}"
    made = _loaded(_agent(environment={"KEY": placeholder, "HOME_OF": "${HOME}"}), environ={"HOME": "/root"})
    assert made.agents["support"].environment == {"KEY": placeholder, "HOME_OF": "${HOME}"}


# --- Secrets --------------------------------------------------------------------------------------------------------


def test_variables_of_a_secret_configuration_are_secrets() -> None:
    """Case 54: Pulumi does not say which value of the file is the secret one."""
    made = _loaded(_agent(environment={"TOKEN": CANARY}), secret=True)
    token = made.agents["support"].environment["TOKEN"]
    assert isinstance(token, pulumi.Output)

    def program() -> Mapping[str, pulumi.Input[object]]:
        async def secretness() -> bool:
            return await token.is_secret()

        found: pulumi.Output[bool] = pulumi.Output.from_input(secretness())
        return {"secret": found}

    assert run(program).outputs == {"secret": True}


def test_a_secret_configuration_that_is_broken_is_refused_without_showing_it() -> None:
    """Case 54."""
    with pytest.raises(SettingsError) as caught:
        _loaded(f'{{"support": "{CANARY}', secret=True)
    assert CANARY not in str(caught.value)


def test_no_problem_shows_a_variable_of_the_container() -> None:
    """Case 54."""
    for environment in (CANARY, [CANARY], {"TOKEN": CANARY}):
        found = _problems(_agent(environment=environment, memory=2))
        assert CANARY not in "\n".join(found)
