"""The fake Docker provider: it only knows the digest behind a tag of the local registry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import ConfigureRequest, InvokeRequest

from foundry_emulator.fake_plugins.arm_client import PluginError
from foundry_emulator.fake_plugins.docker import FakeDocker
from foundry_emulator.testing import LocalAzure

GET_IMAGE = "docker:index/getRegistryImage:getRegistryImage"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAzure, str]]:
    """A local Azure with one image; the reference by digest."""
    with LocalAzure(tmp_path_factory.mktemp("azure")) as azure:
        yield azure, azure.push_image(azure.seed_project("agents"))


def ask(azure: LocalAzure, name: str, token: str = GET_IMAGE) -> dict[str, object]:
    """Return the response of the fake provider."""
    request = InvokeRequest(token, {"name": PropertyValue(name)})
    answer = asyncio.run(FakeDocker(azure.env).invoke(request))
    return {key: value.value for key, value in (answer.return_value or {}).items()}


def test_a_tag_is_answered_with_its_digest(local: tuple[LocalAzure, str]) -> None:
    azure, pinned = local
    repository, _, digest = pinned.partition("@")
    name = f"{repository}:latest"
    assert ask(azure, name) == {"id": digest, "name": name, "sha256Digest": digest}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("{repository}:missing", "404 Not Found"),
        ("docker.io/library/alpine:3", "reads only the local registry"),
        ("localhost:1/agents/support:1", "did not answer"),
    ],
)
def test_a_request_it_cannot_answer_is_an_error(local: tuple[LocalAzure, str], name: str, error: str) -> None:
    azure, pinned = local
    with pytest.raises(PluginError, match=error):
        ask(azure, name.format(repository=pinned.partition("@")[0]))


def test_every_other_call_is_refused_by_name(local: tuple[LocalAzure, str]) -> None:
    with pytest.raises(PluginError, match="docker:index/getNetwork:getNetwork"):
        ask(local[0], "bridge", "docker:index/getNetwork:getNetwork")


def test_it_refuses_to_start_outside_a_local_run(tmp_path: Path) -> None:
    request = ConfigureRequest({}, {}, accept_secrets=True, accept_resources=True)
    with pytest.raises(PluginError, match="for local runs only"):
        asyncio.run(FakeDocker({"HOME": str(tmp_path)}).configure(request))
