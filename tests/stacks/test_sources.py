"""The source of an agent in a stack's file: a digest, a build, a tag, a folder of code, or the stack before."""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker
import pytest

import foundry_agents as fa
from stacks import program
from stacks.agent_settings import AgentSettings
from stacks.image_settings import SOURCES, BuildSettings, CodeSettings
from tests.stacks.stack_file import deployed, is_secret, loaded, problems
from tests.support.program import ENDPOINT, LOGIN_SERVER, REGISTRY, VERSION, Run

DIGEST = "sha256:" + "a" * 64
CANARY = "canary-4711"
TAG = "pulumi-python:dynamic/foundry:ContentTag"
BUILD = "docker-build:index:Image"
REMOTE = "pulumi-python:dynamic/foundry:RemoteImageBuild"
GIVEN: Mapping[str, object] = {
    "image": f"support@{DIGEST}",
    "build": {"context": "agent"},
    "tag": "support:stable",
    "code": {"folder": "agent", "entry_point": ["python", "main.py"]},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a project folder that contains an agent, and return the agent's folder."""
    agent = tmp_path / "agent"
    agent.mkdir()
    (agent / "Dockerfile").write_text("FROM scratch\nCMD ['x']\n", encoding="utf-8")
    (agent / "main.py").write_text("print('hello')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return agent


def _pinned(seen: Run) -> object:
    return seen.one(VERSION).inputs["image"]


# --- One source -------------------------------------------------------------------------------------------------------


def test_each_source_is_sufficient() -> None:
    assert set(GIVEN) == set(SOURCES)
    for source, setting in GIVEN.items():
        agent = loaded({"support": {source: setting}}).agents["support"]
        assert [name for name in SOURCES if getattr(agent, name) is not None] == [source]
        assert not agent.is_promoted


@pytest.mark.parametrize("two", [*itertools.combinations(SOURCES, 2)], ids="-".join)
@pytest.mark.parametrize("promotion", [{}, {"promoteFrom": "staging"}], ids=["alone", "promoted"])
def test_two_sources_are_one_problem_with_both_paths(two: tuple[str, str], promotion: dict[str, str]) -> None:
    (line,) = problems({"support": {source: GIVEN[source] for source in two}}, **promotion)
    first, second = (f"agents.support.{source}" for source in two)
    assert line == f"{first} and {second} exclude each other: set only one of them"


def test_four_sources_are_one_problem() -> None:
    (line,) = problems({"support": GIVEN})
    assert line.startswith("agents.support.image and agents.support.build and agents.support.tag and agents.support.co")


def test_no_source_is_a_problem_unless_the_stack_promotes() -> None:
    (line,) = problems({"support": {"build": None}})
    assert line.startswith("agents.support.image is required: repository@sha256:…; or set build, tag or code instead")
    assert loaded({"support": {}}, promoteFrom="staging").agents["support"].is_promoted


def test_an_invalid_source_hides_no_other_problem() -> None:
    agents = {
        "a": {"build": {"contxt": "agent"}, "tag": "a:1", "cpu": ["1"]},
        "b": {"code": {"folder": "agent", "entry_point": "python main.py"}},
        "c": {"tag": 7},
        "d": {"code": "agent"},
        "e": {"build": {"context": "agent", "args": {"PYTHON": 3.14}, "remote": "yes"}},
    }
    assert [line.split(";")[0] for line in problems(agents)] == [
        "agents.a.build and agents.a.tag exclude each other: set only one of them",
        "agents.a.build.context is required",
        "agents.a.build.contxt is not a setting",
        "agents.a.cpu must be text or a number",
        "agents.b.code.entry_point must be a list",
        "agents.c.tag must be text: put the value in quotes",
        "agents.d.code must be a map of settings",
        "agents.e.build.args.PYTHON must be text: put the value in quotes",
        "agents.e.build.remote must be true or false",
    ]


# --- A build ----------------------------------------------------------------------------------------------------------


def test_a_build_is_declared_and_the_agent_runs_its_digest(folder: Path) -> None:
    agents = {"support": {"build": {"context": folder.name, "args": {"BASE": "x"}, "target": "app", "start": True}}}
    made = deployed(agents, answers={TAG: {"found": "", "tags": ["t"], "previous": ""}, BUILD: {"digest": DIGEST}})
    build = made.one(BUILD)
    assert (build.name, build.inputs["buildArgs"], build.inputs["target"]) == ("support-build", {"BASE": "x"}, "app")
    copy = Path(build.inputs["context"]["location"])
    assert (copy / "Dockerfile").read_bytes() == (folder / "Dockerfile").read_bytes()
    assert _pinned(made) == f"{LOGIN_SERVER}/support@{DIGEST}"
    assert made.one(VERSION).inputs["start_image"] is True


def test_an_image_with_this_content_in_the_registry_is_adopted(folder: Path) -> None:
    agents = {"support": {"build": {"context": folder.name, "repository": "team/support"}}}
    made = deployed(agents, answers={TAG: {"found": DIGEST, "tags": ["t"], "previous": ""}})
    assert BUILD not in {one.type for one in made.declared}
    assert _pinned(made) == f"{LOGIN_SERVER}/team/support@{DIGEST}"


def test_the_stacks_registry_runs_a_remote_build(folder: Path) -> None:
    (folder / "other").write_text("FROM scratch\n", encoding="utf-8")
    wanted = {
        "context": folder.name,
        "remote": True,
        "dockerfile": "agent/other",
        "args": {"BASE": "x"},
        "rebuild": "1",
    }
    made = deployed({"support": {"build": wanted}}, answers={REMOTE: {"digest": DIGEST}})
    build = made.one(REMOTE)
    assert (build.name, build.inputs["login_server"]) == ("support-build", LOGIN_SERVER)
    assert (build.inputs["dockerfile"], build.inputs["build_args"]) == ("agent/other", {"BASE": "x"})
    assert _pinned(made) == f"{LOGIN_SERVER}/support@{DIGEST}"


def test_resources_that_a_change_replaces_are_not_protected_in_production(folder: Path) -> None:
    """Pulumi neither replaces nor deletes a protected resource, so the next release would fail."""
    agents = {"support": {"build": {"context": folder.name}, "tools": [{"type": "web_search"}]}}
    made = deployed(
        agents,
        answers={TAG: {"found": "", "tags": ["t"], "previous": ""}, BUILD: {"digest": DIGEST}},
        production="true",
    )
    assert {one.name for one in made.declared if one.custom and not one.protect} == {
        "support-build",
        "support-identity",
        "support-tag",
        "support-toolbox",
        "support-toolbox-role",
        "support-version",
    }


def test_missing_files_of_all_agents_are_reported_at_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    agents = {
        "a": {"build": {"context": "nowhere"}},
        "b": {"build": {"context": folder.name, "dockerfile": "agent/Dockerfile.absent", "remote": True}},
        "c": {"code": {"folder": "nowhere", "entry_point": ["x"]}},
        "d": {"tag": "d"},
        "e": {"image": f"e@{DIGEST}", "tools": [{"type": "file_search", "files": ["absent.md"]}]},
        "f": {"image": f"f@{DIGEST}"},
    }
    with pytest.raises(SystemExit) as caught:
        deployed(agents)
    assert caught.value.code == program.ERROR_REPORTED
    text = caplog.messages[-1]
    assert text.startswith("5 problems in stacks/Pulumi.dev.yaml\n")
    for message in ('agents.a: AgentImage.build "a"', 'agents.b: AgentImage.remote_build "b"', 'agents.c: "c-version"'):
        assert message in text
    assert "agents.d: AgentImage.from_tag: " in text
    assert '"absent.md" can\'t be read' in text
    assert "agents.f" not in text


def test_a_build_has_every_setting_of_the_component() -> None:
    """A new argument of the component fails this test until someone adds or excludes it."""
    settings = {row.name for row in fields(BuildSettings)} - {"remote"} - {"args"} | {"build_args"}
    ours = {"name", "registry", "opts"}
    left_out = {"cache", "builder", "sign_in", "context_limit_mb", "check"}
    assert set(inspect.signature(fa.AgentImage.build).parameters) - ours - left_out == settings
    taken_remotely = {"timeout_s", "poll_interval_s", "context_limit_mb", "check"}
    remote = set(inspect.signature(fa.AgentImage.remote_build).parameters) - ours - taken_remotely
    assert remote == settings - {"secrets", "start"}


def test_settings_that_a_remote_build_does_not_support_are_refused() -> None:
    build = {"context": "agent", "remote": True, "secrets": {"index": "INDEX_TOKEN"}, "start": True}
    path = "agents.support.build"
    assert problems({"support": {"build": build}}, environ={"INDEX_TOKEN": CANARY}) == [
        f"{path}.remote and {path}.{setting} exclude each other: a remote build does not support it"
        for setting in ("secrets", "start")
    ]


# --- Secrets of a build -----------------------------------------------------------------------------------------------


def test_a_secret_of_a_build_comes_from_the_environment_and_stays_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 54."""
    monkeypatch.setenv("INDEX_TOKEN", CANARY)
    agents = {"support": {"build": {"context": folder.name, "secrets": {"index": "INDEX_TOKEN"}}}}
    made = deployed(agents, answers={TAG: {"found": "", "tags": ["t"], "previous": ""}, BUILD: {"digest": DIGEST}})
    secret = made.one(BUILD).inputs["secrets"]
    assert "Secret(" in repr(secret)
    assert CANARY in repr(secret)
    assert not any(CANARY in repr(one.inputs) for one in made.declared if one.type != BUILD)


def test_the_settings_do_not_show_a_secret_of_a_build() -> None:
    """Case 54."""
    build = {"context": "agent", "secrets": {"index": "INDEX_TOKEN"}}
    made = loaded({"support": {"build": build}}, environ={"INDEX_TOKEN": CANARY}).agents["support"].build
    assert made is not None
    assert CANARY not in repr(made)
    token = made.secrets["index"]
    assert isinstance(token, pulumi.Output)

    assert is_secret(token)


@pytest.mark.parametrize("wrong", [CANARY, 7, ["INDEX_TOKEN"], {"env": "INDEX_TOKEN"}, None])
def test_an_unset_secret_of_a_build_is_refused_without_showing_the_setting(wrong: object) -> None:
    """Case 54: the setting may be the secret itself."""
    (line,) = problems({"support": {"build": {"context": "agent", "secrets": {"index": wrong}}}})
    assert line == "agents.support.build.secrets.index must be the name of an environment variable that is set"


# --- A tag ------------------------------------------------------------------------------------------------------------


def test_a_tag_is_resolved_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[str] = []

    def answer(name: str) -> Any:
        requested.append(name)
        return type("Found", (), {"sha256_digest": DIGEST})

    monkeypatch.setattr(pulumi_docker, "get_registry_image", answer)
    made = deployed({"support": {"tag": "support:stable"}})
    assert requested == [f"{LOGIN_SERVER}/support:stable"]
    assert _pinned(made) == f"{LOGIN_SERVER}/support@{DIGEST}"


def test_a_tag_can_name_a_variable() -> None:
    made = loaded({"support": {"tag": "support:git-${COMMIT}"}}, environ={"COMMIT": "abc"})
    assert made.agents["support"] == AgentSettings(tag="support:git-abc")
    (line,) = problems({"support": {"tag": "support:${COMMIT}"}})
    assert line == "agents.support.tag names the environment variable COMMIT, which is not set"


def test_production_refuses_a_tag() -> None:
    (line,) = problems({"support": {"tag": "support:stable"}}, production=True)
    assert line.startswith("agents.support.tag may point to another, untested image tomorrow")
    for source in ("image", "build", "code"):
        assert loaded({"support": {source: GIVEN[source]}}, production=True).production


# --- A folder of code -------------------------------------------------------------------------------------------------


def test_code_runs_without_an_image(folder: Path) -> None:
    (folder / "requirements.txt").write_text("", encoding="utf-8")
    code = {"folder": folder.name, "entry_point": ["python", "main.py"], "dependency_resolution": "remote_build"}
    version = deployed({"support": {"code": code | {"runtime": "python_3_14"}}}).one(VERSION).inputs
    assert "image" not in version
    expected = {"entry_point": ["python", "main.py"], "runtime": "python_3_14"}
    assert expected.items() <= version["code"].items()
    assert version["code"]["dependency_resolution"] == "remote_build"


def test_code_has_every_setting_of_the_component() -> None:
    assert [row.name for row in fields(CodeSettings)] == [row.name for row in fields(fa.CodePackage)]
    assert CodeSettings("agent", ("x",)).package() == fa.CodePackage("agent", ("x",))


def test_code_in_an_existing_project_needs_no_registry(folder: Path) -> None:
    project = json.dumps({"endpoint": ENDPOINT})
    code = {"folder": folder.name, "entry_point": ["python", "main.py"]}
    made = deployed({"support": {"code": code}}, project=project)
    assert REGISTRY not in {one.type for one in made.declared}
    assert "image" not in made.one(VERSION).inputs
    agents = {"support": {"code": code}, "sales": {"image": f"sales@{DIGEST}"}}
    (line,) = problems(agents, project={"endpoint": ENDPOINT})
    assert line.startswith("registry is required with an existing project")


def test_a_registry_stays_when_the_last_agent_changes_to_code(folder: Path) -> None:
    """Former versions, which a revert adopts, pull their images from it."""
    code = {"folder": folder.name, "entry_point": ["python", "main.py"]}
    assert deployed({"support": {"code": code}}).one(REGISTRY).name == "images-registry"
