"""An image is started on a real Docker daemon and asked, before anything is posted."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from foundry_agents.docker.readiness import start_and_ask
from foundry_agents.lifecycle.failure.image_errors import UnsuitableImageError
from foundry_agents.lifecycle.polling import SystemClock
from tests.support.machine import program


@pytest.fixture(scope="module")
def daemon() -> Iterator[docker.DockerClient]:
    """A daemon of this module's own, which DOCKER_HOST names."""
    dockerd = program("dockerd", "docker.io")
    program("iptables", "iptables")
    folder = Path(tempfile.mkdtemp(prefix="dockerd-"))  # a socket's path must be short
    socket = f"unix://{folder}/d.sock"
    words = [
        dockerd,
        "--data-root",
        f"{folder}/data",
        "--exec-root",
        f"{folder}/exec",
        "--pidfile",
        f"{folder}/pid",
    ]
    with (folder / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        process = subprocess.Popen([*words, "-H", socket], stdout=log, stderr=log)
        patch.setenv("DOCKER_HOST", socket)
        try:
            while "API listen on" not in (folder / "log").read_text():
                assert process.poll() is None, (folder / "log").read_text()[-1000:]
                time.sleep(0.05)
            with contextlib.closing(docker.from_env()) as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def load(daemon: docker.DockerClient, *command: str) -> str:
    """An image of busybox and a file `readiness`; gives its name."""
    busybox = Path(program("busybox", "busybox-static")).read_bytes()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (("bin/busybox", busybox), ("www/readiness", b"")):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    layer = buffer.getvalue()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/bin/busybox", *command]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    listed = json.dumps([{"Config": name, "RepoTags": ["local/agent:1"], "Layers": ["layer.tar"]}]).encode()
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for path, content in ((name, config), ("layer.tar", layer), ("manifest.json", listed)):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    daemon.images.load(whole.getvalue())
    return "local/agent:1"


def test_an_image_that_answers_readiness_passes_and_nothing_of_it_is_left(daemon: docker.DockerClient) -> None:
    said: list[str] = []
    image = load(daemon, "sh", "-c", "exec /bin/busybox httpd -f -p $PORT -h /www")
    start_and_ask(image, {"GREETING": "Hello"}, SystemClock(), said.append)
    assert said == ["image started here and answered /readiness"]
    assert daemon.containers.list(all=True) == []


def test_an_image_that_ends_at_once_is_refused_with_what_it_wrote(daemon: docker.DockerClient) -> None:
    image = load(daemon, "sh", "-c", "echo no module named $GREETING >&2; exit 3")
    with pytest.raises(UnsuitableImageError) as refused:
        start_and_ask(image, {"GREETING": "agent"}, SystemClock(), print)
    text = str(refused.value)
    assert "Why: it ended with code 3 before it was ready; last lines: no module named agent" in text
    assert text.endswith("Do: fix the reported error; or disable this check with start=False of the AgentImage")
    assert daemon.containers.list(all=True) == []


def test_without_a_daemon_the_image_is_not_started_and_a_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/d.sock")
    said: list[str] = []
    start_and_ask("local/agent:1", {}, SystemClock(), said.append)
    assert said == ["image not started here: no Docker daemon answers"]
