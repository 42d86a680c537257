"""Images through the real plugin process against a registry that wants a token: found, signed in to, checked."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from foundry_agents.azure.arm import PUBLIC
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError
from foundry_agents.lifecycle.inputs.content_tag import CONTENT_TAG_FIELDS
from foundry_agents.resources import content_tag
from foundry_agents.resources.content_tag import ContentTagProvider
from foundry_emulator.registry import PackedImage, pack, push
from tests.support.bench import Agent, Bench, plain
from tests.support.packed_image import for_architecture
from tests.support.plugin import Plugin, ProviderError, State, running

TAG = ContentTagProvider()
NEW, THERE = "a" * 64, "b" * 64
DIGEST = f"sha256:{'d' * 64}"


@dataclass
class Machine:
    """A machine with a builder and an empty Docker folder, beside a registry.

    Attributes:
        bench: The local Azure.
        plugin: A plugin process on that machine.
        docker: Docker's folder.
        repository: Of the local registry.
    """

    bench: Bench
    plugin: Plugin
    docker: Path
    repository: str

    @property
    def settings(self) -> Path:
        """Docker's file."""
        return self.docker / "config.json"

    def push(self, image: PackedImage, tag: str) -> str:
        """Pushes while the door is open; gives the reference by digest."""
        self.bench.azure.control.set(registry_tokens=False)
        host, _, path = self.repository.partition("/")
        with httpx.Client(verify=self.bench.azure.trust(), trust_env=False, timeout=30) as client:
            pinned = push(image, f"https://{host}", path, tag, client=client)
        self.bench.azure.control.set(registry_tokens=True)
        return f"{host}/{pinned}"

    def create(self, content: str, **more: object) -> State:
        """Checks and creates a tag."""
        checked = self.plugin.check(TAG, {"repository": self.repository, "content": content, "urn": "urn:tag", **more})
        assert checked.failures == []
        return self.plugin.create(TAG, checked.inputs)

    def lines(self) -> list[str]:
        """What was shown on the tag's row."""
        return [line.text for line in self.plugin.lines if line.urn == "urn:tag"]


@pytest.fixture(scope="module")
def machine_of_this_module(on_azure: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One plugin process for the module."""
    docker = tmp_path_factory.mktemp("docker")
    (docker / "buildx" / "instances").mkdir(parents=True)
    (docker / "buildx" / "instances" / "tests").write_text("{}", encoding="utf-8")
    with running({**on_azure.azure.env, "DOCKER_CONFIG": str(docker)}) as plugin:
        yield Machine(on_azure, plugin, docker, f"{on_azure.project.login_server}/built")


@pytest.fixture
def machine(machine_of_this_module: Machine) -> Iterator[Machine]:
    """That machine, signed in to nothing; its registry wants a token."""
    here = machine_of_this_module
    here.settings.unlink(missing_ok=True)
    here.plugin.lines.clear()
    here.bench.azure.control.set(registry_tokens=True)
    yield here
    here.bench.azure.control.set(registry_tokens=False)


def image(folder: Path, architecture: str = "amd64", *, command: bool = True) -> PackedImage:
    """An image of a folder."""
    (folder / "main.py").write_text("", encoding="utf-8")
    return for_architecture(pack(folder), architecture, command=command)


def test_a_new_content_is_to_be_built_and_docker_gets_a_token_that_no_output_has(machine: Machine) -> None:
    machine.settings.write_text('{"currentContext": "default", "auths": {"other.example": {"auth": "eA=="}}}')

    made = machine.create(NEW, revision="0123456789ab")

    outs = plain(made.outs)
    assert outs["found"] == ""
    assert outs["tags"] == [f"{machine.repository}:ctx-{NEW[:32]}", f"{machine.repository}:git-0123456789ab"]
    settings = json.loads(machine.settings.read_text())
    assert settings["currentContext"] == "default"
    assert settings["auths"].pop("other.example") == {"auth": "eA=="}
    (login,) = settings["auths"].values()
    password = base64.b64decode(login["auth"]).decode().partition(":")[2]
    assert len(password) > 40
    assert password not in json.dumps(outs)
    assert password not in "".join(line.text for line in machine.plugin.lines)
    assert stat.S_IMODE(machine.settings.stat().st_mode) == 0o600
    assert machine.lines() == [
        f"signed in to {machine.repository.partition('/')[0]} for Docker, for three hours",
        f"ctx-{NEW[:32]} is not in {machine.repository}: it is built and pushed",
    ]


def test_a_login_that_works_is_left_as_it_is(machine: Machine) -> None:
    machine.create(NEW)
    before = machine.settings.read_text()
    machine.create("c" * 64)
    assert machine.settings.read_text() == before


def test_without_sign_in_a_registry_that_refuses_is_one_clear_error(machine: Machine) -> None:
    with pytest.raises(ProviderError) as refused:
        machine.create(NEW, sign_in=False)
    text = str(refused.value)
    host = machine.repository.partition("/")[0]
    assert text.startswith(f"RegistryAccessError: registry {host} refused, HTTP 401")
    assert "State: nothing was built, pushed or posted" in text
    assert "AcrPush (8311e382-0749-4cb8-b61a-304f252e45ec)" in text
    assert "AgentImage.pinned(…)" in text
    assert "Service said: [UNAUTHORIZED]" in text
    assert not machine.settings.exists()


def test_a_registry_that_is_not_there_is_one_clear_error(machine: Machine) -> None:
    with pytest.raises(ProviderError, match="registry localhost:1 could not be reached"):
        machine.create(NEW, repository="localhost:1/support")


def test_a_content_that_is_in_the_registry_is_adopted_and_needs_no_builder(machine: Machine, tmp_path: Path) -> None:
    pinned = machine.push(image(tmp_path), f"ctx-{THERE[:32]}")
    digest = pinned.partition("@")[2]
    made = machine.create(THERE, builder="not there")
    assert plain(made.outs)["found"] == digest
    assert machine.lines() == [
        f"adopted ctx-{THERE[:32]}: {digest} was built from the same content, so nothing is built"
    ]


def test_the_content_after_another_knows_its_tag_for_the_cache(machine: Machine) -> None:
    first = machine.create(NEW)
    news = machine.plugin.check(TAG, {"repository": machine.repository, "content": "d" * 64}).inputs
    assert machine.plugin.diff(TAG, first.outs, news).changes
    assert machine.plugin.diff(TAG, first.outs, news).replaces == []
    updated = machine.plugin.update(TAG, first.id, first.outs, news)
    assert plain(updated.outs)["previous"] == f"{machine.repository}:ctx-{NEW[:32]}"


def test_a_commit_that_changes_no_content_is_no_change(machine: Machine, tmp_path: Path) -> None:
    machine.push(image(tmp_path), f"ctx-{'6' * 32}")
    first = machine.create("6" * 64, revision="0123456789ab")
    news = machine.plugin.check(
        TAG, {"repository": machine.repository, "content": "6" * 64, "revision": "fedcba987654"}
    ).inputs
    assert not machine.plugin.diff(TAG, first.outs, news).changes


def test_a_refresh_forgets_a_content_only_when_the_registry_says_that_it_is_gone(
    machine: Machine, tmp_path: Path
) -> None:
    """Case 42, of an image. pulumi-docker-build#929"""
    machine.push(image(tmp_path), f"ctx-{THERE[:32]}")
    made = machine.create(THERE)
    assert machine.plugin.read(TAG, made.id, made.outs).id == made.id

    elsewhere = {**made.outs, "repository": "localhost:1/built"}
    assert machine.plugin.read(TAG, made.id, elsewhere).id == made.id
    assert "could not be read, so its state is kept" in machine.lines()[-1]

    gone = {**made.outs, "found": f"sha256:{'9' * 64}"}
    assert machine.plugin.read(TAG, made.id, gone).id == ""


def test_an_adopted_image_that_was_deleted_is_looked_up_again(machine: Machine, tmp_path: Path) -> None:
    """Finding D: a definite 404 alone is a change; the next image is built, or adopted where it is there again."""
    machine.push(image(tmp_path), f"ctx-{THERE[:32]}")
    made = machine.create(THERE)
    news = machine.plugin.check(TAG, {"repository": machine.repository, "content": THERE, "urn": "urn:tag"}).inputs
    assert not machine.plugin.diff(TAG, made.outs, news).changes

    lost = {**made.outs, "found": f"sha256:{'9' * 64}"}
    assert machine.plugin.diff(TAG, lost, news).changes
    assert machine.lines()[-1].startswith(f"sha256:{'9' * 64} is not in {machine.repository} any more")
    outs = plain(machine.plugin.update(TAG, made.id, lost, news).outs)
    assert outs["found"] == plain(made.outs)["found"]
    assert (outs.get("previous"), outs["builds"]) == (None, "0")

    elsewhere = {"repository": "localhost:1/built"}
    assert not machine.plugin.diff(TAG, {**lost, **elsewhere}, {**news, **elsewhere}).changes


def test_an_image_that_was_built_here_and_deleted_is_counted_so_that_it_is_built_again(machine: Machine) -> None:
    """Finding D: docker-build has it in state, and looks at its own inputs alone."""
    content = "7" * 64
    made = machine.create(content)
    news = machine.plugin.check(TAG, {"repository": machine.repository, "content": content, "urn": "urn:tag"}).inputs
    assert machine.plugin.diff(TAG, made.outs, news).changes, "nothing was pushed yet"
    outs = machine.plugin.update(TAG, made.id, made.outs, news).outs
    assert (plain(outs)["found"], plain(outs)["builds"]) == ("", "1")
    again = machine.plugin.update(TAG, made.id, outs, news).outs
    assert plain(again)["builds"] == "2"

    other = machine.plugin.check(TAG, {"repository": machine.repository, "content": "8" * 64, "urn": "urn:tag"}).inputs
    assert plain(machine.plugin.update(TAG, made.id, again, other).outs)["builds"] == "2", "another content is no loss"


def test_a_builder_that_is_not_there_is_said_before_anything_is_pushed(machine: Machine) -> None:
    with pytest.raises(
        ProviderError, match=r'BuilderUnavailableError: no image can be built on this machine\n  Why: .+ "ours"'
    ):
        machine.create("e" * 64, builder="ours")


def test_all_problems_of_a_tag_are_reported_together(plugin: Plugin) -> None:
    ((_, text),) = plugin.check(TAG, {"repository": "support", "content": "x"}).failures
    assert "2 problems in the image's settings" in text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"architecture": "arm64"}, "it is for linux/arm64, and hosted agents run linux/amd64 only"),
        ({"command": False}, "it has neither an ENTRYPOINT nor a CMD"),
    ],
)
def test_an_image_that_can_not_run_is_refused_before_anything_is_posted(
    one: Agent, machine: Machine, tmp_path: Path, changed: dict[str, object], why: str
) -> None:
    """Case 64."""
    unfit = machine.push(image(tmp_path, **changed), "unfit")  # type: ignore[arg-type]  # one of two switches
    with pytest.raises(ProviderError, match="is not suitable") as refused:
        one.create(machine.plugin, image=unfit, check_image=True)
    assert why in str(refused.value)
    assert "State: nothing was posted" in str(refused.value)
    assert (one.posts(), one.versions()) == (0, {})


def test_a_digest_that_is_not_there_is_refused_before_anything_is_posted(one: Agent, machine: Machine) -> None:
    """Case 64."""
    with pytest.raises(ProviderError, match="there is no such digest in"):
        one.create(machine.plugin, image=f"{machine.repository}@sha256:{'8' * 64}", check_image=True)
    assert one.posts() == 0


def test_an_image_that_fits_is_looked_at_once_and_not_again_when_it_is_adopted(one: Agent, machine: Machine) -> None:
    one.create(machine.plugin, check_image=True)
    one.create(machine.plugin, check_image=True)
    lines = [line.text for line in machine.plugin.lines if line.urn == one.urn]
    assert lines.count("image checked: linux/amd64, starts python") == 1
    assert one.posts() == 1


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("acme.azurecr.io", True),
        ("ACME.AzureCR.io", True),
        ("azurecr.io.evil.example", False),
        ("evilazurecr.io", False),
        ("ghcr.io", False),
        ("localhost:39446#.azurecr.io", False),
        ("localhost:39446?.azurecr.io", False),
        ("localhost:39446\\.azurecr.io", False),
        ("user@evil.example/.azurecr.io", False),
    ],
)
def test_only_registries_of_this_cloud_are_ever_shown_a_token_of_azures(host: str, *, ours: bool) -> None:
    assert PUBLIC.has_registry(host) is ours


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, None])
def test_a_registry_that_fails_is_not_one_without_the_image(status: int | None) -> None:
    """One 429 was taken for "not there": the build replaced the image that the tag had, and a revert served another."""

    class Failing:
        def digest_of(self, repository: str, reference: str) -> str | None:
            raise RegistryAccessError(repository, operation=f"HEAD {reference}", detail="no", status=status, do="wait")

    def found() -> tuple[str | None, bool]:
        return content_tag._found(cast("Any", Failing()), "acme.io/support", "ctx-0")

    if status in {401, 403}:
        assert found() == (None, True), "some registries refuse what does not exist yet; the push is checked next"
    else:
        with pytest.raises(RegistryAccessError):
            found()


@pytest.mark.parametrize("later", [DIGEST, None])
def test_a_read_that_was_refused_is_repeated_once_the_push_is_granted(
    monkeypatch: pytest.MonkeyPatch, later: str | None
) -> None:
    """A key ring that was locked for a moment: the image that the tag had was built and replaced."""
    calls: list[str] = []

    class RefusesOnce:
        def digest_of(self, repository: str, reference: str) -> str | None:
            calls.append("digest_of")
            if len(calls) == 1:
                raise RegistryAccessError(repository, operation=reference, detail="locked", status=401, do="sign in")
            return later

        def require_push(self, *_given: object, **_more: object) -> None:
            calls.append("require_push")

    for name in ("require_builder", "require_credential_store"):
        monkeypatch.setattr(content_tag, name, lambda _given: None)
    monkeypatch.setattr(content_tag, "image_registry", RefusesOnce)
    inputs = CONTENT_TAG_FIELDS.read({"repository": "acme.io/support", "content": NEW})
    made = content_tag._looked_up(inputs, CONTENT_TAG_FIELDS.read_outputs({}))
    assert made.found == (later or "")
    assert calls == ["digest_of", "require_push", "digest_of"]
