"""AgentImage: what each way of naming an image declares, and what it refuses before it declares anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

import foundry_agents as fa
from tests.support.program import BUILD, DIGEST, REMOTE, TAG, TO_BUILD, Run, Secret, run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A context, in the folder of a program."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    return tmp_path / "agent"


def build(folder: Path, answers: Mapping[str, Mapping[str, object]], *, preview: bool = False, **more: Any) -> Run:
    """A program with one image."""

    def program() -> dict[str, pulumi.Input[object]]:
        image = fa.AgentImage.build("support", context=folder, registry="ghcr.io/acme", **more)
        return {"reference": image.reference}

    return run(program, preview=preview, answers=answers)


def test_a_new_content_is_built_for_linux_amd64_and_pushed_and_kept(folder: Path) -> None:
    done = build(folder, TO_BUILD, builder="remote", target="app", build_args={"A": "1"})
    made = done.one(BUILD)
    assert done.outputs == {"reference": f"ghcr.io/acme/support@{DIGEST}"}
    assert made.retain_on_delete
    assert made.inputs["platforms"] == ["linux/amd64"]
    assert made.inputs["push"] is True
    assert made.inputs["buildOnPreview"] is False
    assert made.inputs["tags"] == ["ghcr.io/acme/support:ctx-0"]
    assert made.inputs["cacheTo"] == [{"inline": {}}]
    assert (made.inputs["builder"], made.inputs["target"]) == ({"name": "remote"}, "app")
    assert "registries" not in made.inputs, "credentials are Docker's, never state"
    assert (made.parent, done.one(TAG).parent) == ("support", "support")


def test_a_content_that_is_in_the_registry_is_not_built(folder: Path) -> None:
    done = build(folder, {TAG: {"tags": [], "found": DIGEST, "previous": None}})
    assert done.outputs == {"reference": f"ghcr.io/acme/support@{DIGEST}"}
    assert [made.type for made in done.declared] == ["foundry-agents:index:ImageBuild", TAG]


def test_in_a_preview_of_a_new_content_the_build_is_shown(folder: Path) -> None:
    done = build(folder, {}, preview=True)
    content = done.one(TAG).inputs["content"]
    assert done.one(BUILD).inputs["tags"] == [f"ghcr.io/acme/support:ctx-{content[:32]}"]


def test_secrets_of_a_build_are_secret_and_a_renewed_one_builds_nothing(folder: Path) -> None:
    plain = build(folder, TO_BUILD, secrets={"index": "one"})
    renewed = build(folder, TO_BUILD, secrets={"index": "two"})
    assert plain.one(BUILD).inputs["secrets"] == Secret({"index": "one"})
    assert plain.one(BUILD).inputs["ignoreSecretsInDiffCalculation"] == ["index"]
    assert plain.one(TAG).inputs["content"] == renewed.one(TAG).inputs["content"]


def test_a_build_argument_with_the_name_of_a_credential_is_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a public key, so it is not refused; its value is not shown."""
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    build(folder, TO_BUILD, build_args={"NPM_TOKEN": "hunter2hunter2", "MODE": "demo"})
    (warning,) = warnings
    assert warning.startswith('AgentImage.build "support": build_args.NPM_TOKEN looks like a credential, by its name')
    assert warning.endswith(", and stays in the image's history: use secrets=")


@pytest.mark.parametrize("change", [{"build_args": {"A": "2"}}, {"target": "app"}, {"rebuild": "base of May"}])
def test_what_decides_the_image_makes_another_content(folder: Path, change: dict[str, Any]) -> None:
    before = build(folder, TO_BUILD).one(TAG).inputs["content"]
    assert build(folder, TO_BUILD, **change).one(TAG).inputs["content"] != before


def test_a_cache_of_every_stage_is_kept_under_a_tag_of_its_own(folder: Path) -> None:
    inputs = build(folder, TO_BUILD, cache="registry").one(BUILD).inputs
    (to,) = inputs["cacheTo"]
    assert (to["registry"]["ref"], to["registry"]["mode"]) == ("ghcr.io/acme/support:buildcache", "max")
    assert inputs["cacheFrom"] == [{"registry": {"ref": "ghcr.io/acme/support:buildcache"}}]


def test_no_cache_is_kept_when_none_is_wanted(folder: Path) -> None:
    inputs = build(folder, TO_BUILD, cache="none").one(BUILD).inputs
    assert not {"cacheTo", "cacheFrom"} & set(inputs)


def test_a_remote_build_hands_the_registry_to_its_own_tasks(folder: Path) -> None:
    def program() -> dict[str, pulumi.Input[object]]:
        project = fa.FoundryProject("agents", location="eastus2")
        registry = fa.AgentRegistry("images", pulled_by=project)
        image = fa.AgentImage.remote_build("support", context=folder, registry=registry, build_args={"A": "1"})
        assert image.registry is registry
        return {"reference": image.reference}

    done = run(program, answers=TO_BUILD)
    inputs = done.one(REMOTE).inputs
    assert done.outputs == {"reference": f"acme.azurecr.io/support@{DIGEST}"}
    assert (inputs["login_server"], inputs["repository"]) == ("acme.azurecr.io", "support")
    assert inputs["build_args"] == {"A": "1"}


def test_both_ways_of_building_name_a_content_alike(folder: Path) -> None:
    """So a team may build with Docker on one machine and in Azure on another, and adopt each other's images."""

    def program() -> None:
        project = fa.FoundryProject("agents", location="eastus2")
        registry = fa.AgentRegistry("images", pulled_by=project)
        fa.AgentImage.remote_build("remote", context=folder, registry=registry, target="app")
        fa.AgentImage.build("local", context=folder, registry=registry, target="app")

    done = run(program, answers=TO_BUILD)
    assert done.one(REMOTE).inputs["content"] == done.one(TAG).inputs["content"]


def test_a_missing_dockerfile_stops_the_program_with_the_other_ways(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r'AgentImage\.build "support": .+Dockerfile does not exist; .+pinned'):
        build(tmp_path, {})


def test_a_context_over_the_limit_stops_the_program(folder: Path) -> None:
    (folder / "data").write_bytes(b"x" * 2_000_000)
    with pytest.raises(pulumi.RunError, match=r"data \(2\.0 MB\).+raise context_limit_mb"):
        build(folder, {}, context_limit_mb=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"build_args": {"E": pulumi.Output.from_input("x")}},
            "build_args.E: is an Output, and the content of an image",
        ),
        ({"build_args": {"E": pulumi.Output.secret("x")}}, "a secret belongs in secrets="),
        ({"build_args": pulumi.Output.from_input({"E": "x"})}, "build_args: is an Output"),
        ({"build_args": ["E=x"]}, "build_args: must map names to values, got list"),
        ({"build_args": {"E": True}}, "build_args.E: must be text or a number, got bool: put the value in quotes"),
        ({"build_args": {"E": None}}, "build_args.E: must be text or a number, got NoneType: leave it out"),
        (
            {"build_args": {"I": "https://user:hunter2@pypi.example/simple"}},
            "stays in the image's history: use secrets=",
        ),
        ({"build_args": {"T": "ghp_1234567890abcdefghij"}}, "build_args.T: looks like a credential, by the form"),
        ({"cache": None}, "cache"),
        ({"secrets": {"a": 5}}, "secrets.a: must be text, got int"),
        ({"target": pulumi.Output.from_input("x")}, "target: is an Output"),
        ({"rebuild": pulumi.Output.from_input("x")}, "rebuild: is an Output"),
        ({"rebuild": 3}, "rebuild: must be a text, got int"),
        (
            {"context": pulumi.FileArchive("x")},
            "context: must be the path of a folder on this machine, got File",
        ),
        ({"context": pulumi.Output.from_input("x")}, "context: is an Output"),
        ({"dockerfile": 1}, "dockerfile: must be a path, got int"),
        ({"cache": "registery"}, 'cache "registery": one of inline, registry, none'),
        ({"builder": 1}, "builder: must be the name of a buildx builder, got int"),
        ({"context_limit_mb": "2"}, 'context_limit_mb "2": a number of megabytes above 0'),
        ({"context_limit_mb": 0}, 'context_limit_mb "0": a number of megabytes above 0'),
        ({"secrets": ["a"]}, "secrets: must map ids to values, got list"),
    ],
)
def test_an_argument_that_is_not_what_is_meant_is_refused_in_words(
    folder: Path, arguments: dict[str, Any], said: str
) -> None:
    """Findings A5, B6 and K4: an Output was hashed by its address in memory, so each `up` built another image."""
    with pytest.raises(pulumi.RunError) as caught:
        fa.AgentImage.build("support", **{"context": folder, "registry": "ghcr.io/acme", **arguments})
    assert said in str(caught.value)


def test_all_wrong_arguments_are_reported_together(folder: Path) -> None:
    wrong: Any = {"cache": "no", "target": 1, "build_args": {"A": None, "B": []}}
    with pytest.raises(pulumi.RunError, match=r'4 problems in AgentImage\.build "support"\n'):
        fa.AgentImage.build("support", context=folder, registry="ghcr.io/acme", **wrong)


def test_a_builder_that_this_machine_does_not_know_shows_in_the_preview(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding D: it showed in the update only. An image that the registry has needs no builder, so it is a warning."""
    monkeypatch.setenv("DOCKER_CONFIG", str(folder.parent))
    build(folder, {}, preview=True, builder="nope")
    assert f'there is no buildx builder "nope" in {folder.parent}; available builders: none' in caplog.text
    caplog.clear()
    build(folder, {}, preview=True)
    assert "no buildx builder" not in caplog.text


def test_a_number_is_the_text_that_docker_gets(folder: Path) -> None:
    """Finding A5: docker-build refused it in its own words."""
    made = build(folder, TO_BUILD, build_args={"PORT": 8088})
    assert made.one(BUILD).inputs["buildArgs"] == {"PORT": "8088"}
    assert (
        made.one(TAG).inputs["content"]
        == build(folder, TO_BUILD, build_args={"PORT": "8088"}).one(TAG).inputs["content"]
    )


def test_the_builder_gets_the_copy_that_was_hashed(folder: Path) -> None:
    """Findings A1 and A3."""
    inputs = build(folder, TO_BUILD).one(BUILD).inputs
    copy = Path(inputs["context"]["location"])
    assert copy.parent == Path(".foundry-agents", "contexts"), "relative: state has the same on every machine"
    assert Path(inputs["dockerfile"]["location"]) == copy.with_name(f"{copy.name}.Dockerfile")
    (folder / "Dockerfile").write_text("FROM other\n", encoding="utf-8")
    assert (copy / "Dockerfile").read_text(encoding="utf-8") == "FROM scratch\n"


def test_an_image_by_tag_has_its_form() -> None:
    with pytest.raises(pulumi.RunError, match=r"AgentImage\.from_tag: .+has no tag"):
        fa.AgentImage.from_tag("acme.io/support")


@pytest.mark.parametrize("registry", ["ghcr.io", "ghcr.io/acme", "[::1]:5000"])
def test_a_registry_of_any_kind_may_be_a_text_for_an_image_that_is_there(registry: str) -> None:
    """Finding D: `build` takes the text, and so do the other two."""

    def program() -> dict[str, pulumi.Input[object]]:
        pinned = fa.AgentImage.pinned(f"support@{DIGEST}", registry=registry)
        tagged = fa.AgentImage.from_tag("support:1", registry=pulumi.Output.from_input(registry))
        again = fa.AgentImage.pinned(f"{registry}/support@{DIGEST}", registry=registry)
        return {"pinned": pinned.reference, "tagged": tagged.reference, "again": again.reference}

    expected = f"{registry}/support@{DIGEST}"
    live = {"docker:index/getRegistryImage:getRegistryImage": {"sha256Digest": DIGEST}}
    assert run(program, live=live).outputs == dict.fromkeys(("pinned", "tagged", "again"), expected)


@pytest.mark.parametrize(
    ("declare", "problem"),
    [
        (lambda: fa.AgentImage.from_tag("s:1", registry="https://acme.io"), "from_tag: .*leave out https://"),
        (lambda: fa.AgentImage.pinned("s", registry=""), r"pinned: a registry's host is missing"),
        (lambda: fa.AgentImage.from_tag("s:1", registry=7), "from_tag: registry must be"),  # type: ignore[arg-type]
        (lambda: fa.AgentImage.build("s", context=".", registry=object()), "build: registry must be"),  # type: ignore[arg-type]
        (
            lambda: fa.AgentImage.remote_build("s", context=".", registry="acme.io"),  # type: ignore[arg-type]
            "remote_build: registry must be an AgentRegistry",
        ),
        (lambda: fa.AgentImage.from_tag(pulumi.Output.from_input("acme.io/s")), "from_tag: .*has no tag"),
        (lambda: fa.AgentImage.from_tag(pulumi.Output.from_input("acme.io/S:1")), "from_tag: .*in lower case"),
        (
            lambda: fa.AgentImage.from_tag(pulumi.Output.from_input(7)),  # type: ignore[arg-type]
            "from_tag: the reference must be text",
        ),
        (
            lambda: fa.AgentImage.from_tag(pulumi.Output.from_input(7), registry="acme.io"),  # type: ignore[arg-type]
            "from_tag: the registry and the reference must be text",
        ),
    ],
)
def test_what_is_no_registry_or_no_reference_is_refused_in_words(
    declare: Callable[[], fa.AgentImage], problem: str
) -> None:
    """Finding D: these ended in tracebacks, or in a text of the Docker provider."""
    with pytest.raises(pulumi.RunError, match=rf"AgentImage\.{problem}"):
        run(lambda: {"reference": declare().reference})


def test_the_check_of_the_image_can_be_switched_off() -> None:
    def declared(**more: Any) -> object:
        def program() -> None:
            project = fa.FoundryProject.existing(endpoint="https://a.services.ai.azure.com/api/projects/p")
            fa.HostedAgent("support", project=project, image=fa.AgentImage.pinned(f"acme.io/support@{DIGEST}", **more))

        return run(program).one("pulumi-python:dynamic/foundry:HostedAgentVersion").inputs["check_image"]

    assert declared() is True
    assert declared(check=False) is False


@pytest.mark.parametrize(
    ("settings", "is_refused"),
    [
        ({"public_access": False}, True),
        ({"public_access": False, "tasks_bypass_network": True}, False),
        ({"public_access": True}, False),
    ],
)
def test_a_registry_without_public_access_builds_nothing_unless_its_tasks_are_admitted(
    folder: Path, settings: dict[str, Any], *, is_refused: bool
) -> None:
    """F9: refused in the preview, with both ways out."""

    def program() -> None:
        project = fa.FoundryProject("agents", location="eastus2")
        registry = fa.AgentRegistry("images", pulled_by=project, sku="Premium", **settings)
        fa.AgentImage.remote_build("support", context=folder, registry=registry)

    if not is_refused:
        assert run(program, answers=TO_BUILD).one(REMOTE).inputs["repository"] == "support"
        return
    with pytest.raises(pulumi.RunError, match=r'remote_build: "support": its registry "images" has public') as refused:
        run(program, preview=True)
    assert "AgentImage.build(…)" in str(refused.value)
    assert "networkRuleBypassAllowedForTasks=true`, and tasks_bypass_network=True" in str(refused.value)


def test_a_registry_that_this_stack_does_not_manage_is_not_judged(folder: Path) -> None:
    """F9: only Azure knows its network."""

    def program() -> None:
        registry = fa.AgentRegistry.existing("shared", login_server="acme.azurecr.io", resource_id="/registry")
        fa.AgentImage.remote_build("support", context=folder, registry=registry)

    assert run(program, answers=TO_BUILD).one(REMOTE).inputs["registry_id"] == "/registry"


def test_an_image_that_was_lost_is_built_again_and_one_of_an_earlier_release_is_not_replaced(folder: Path) -> None:
    """Finding D: docker-build has no input for it, so a count triggers the replacement."""

    def trigger(builds: str | None) -> object:
        found = {**TO_BUILD[TAG], **({} if builds is None else {"builds": builds})}
        return build(folder, {**TO_BUILD, TAG: found}).one(BUILD).replacement_trigger

    assert [trigger(None), trigger("0"), trigger("1")] == ["0", "0", "1"]
    assert build(folder, {}, preview=True).one(BUILD).replacement_trigger is None
