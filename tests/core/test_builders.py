"""Whether there is something to build with is found out before the build."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundry_agents.docker.daemon import docker_folder, require_builder
from foundry_agents.lifecycle.failure.image_errors import BuilderUnavailableError


def _builder(folder: Path, name: str) -> None:
    instances = folder / "buildx" / "instances"
    instances.mkdir(parents=True, exist_ok=True)
    (instances / name).write_text("{}", encoding="utf-8")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """A socket that takes connections, as Docker's does."""
    with socket.socket(socket.AF_UNIX) as listening:
        path = tmp_path / "d.sock"
        listening.bind(str(path))
        listening.listen()
        yield f"unix://{path}"


def test_a_builder_that_is_noted_is_enough(tmp_path: Path) -> None:
    _builder(tmp_path, "remote")
    require_builder("", {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "unix:///nowhere"})
    require_builder("remote", {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "unix:///nowhere"})


def test_a_daemon_that_answers_is_enough(tmp_path: Path, daemon: str) -> None:
    require_builder("", {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": daemon})


def test_the_daemon_of_the_context_in_use_is_asked(tmp_path: Path, daemon: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "desktop"}), encoding="utf-8")
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"desktop").hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": daemon}}}), encoding="utf-8")
    require_builder("", {"DOCKER_CONFIG": str(tmp_path)})


def test_docker_not_running_is_one_error_with_the_remedy_and_the_other_ways(tmp_path: Path) -> None:
    with pytest.raises(BuilderUnavailableError) as error:
        require_builder("", {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert str(error.value) == (
        "no image can be built on this machine\n"
        f"  Why: Docker does not answer at unix://{tmp_path}/none.sock (No such file or directory), and no buildx "
        f"builder is known in {tmp_path}\n"
        "  State: nothing was built, pushed or posted\n"
        "  Do: start Docker, or name a BuildKit with `docker buildx create --driver remote tcp://HOST:PORT`. "
        "AgentImage.remote_build(…) builds in Azure, without Docker; AgentImage.pinned(…) and AgentImage.from_tag(…) "
        "use an image that is in a registry already"
    )


def test_a_builder_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, daemon: str) -> None:
    _builder(tmp_path, "other")
    with pytest.raises(BuilderUnavailableError, match=r'no buildx builder "ours" in .+; available builders: other'):
        require_builder("ours", {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": daemon})


def test_the_folder_of_settings_is_the_users_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert docker_folder({}) == tmp_path / ".docker"
    assert docker_folder({"DOCKER_CONFIG": "/elsewhere"}) == Path("/elsewhere")
