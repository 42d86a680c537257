"""A BuildKit of a test's own, which buildx finds as a `remote` builder, and the plugin that builds with it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.support.engine import plugin_folder
from tests.support.machine import missing

NAME = "tests"
_START_S = 60.0


@dataclass(frozen=True)
class BuildKit:
    """A running one.

    Attributes:
        endpoint: Its address.
        folder: Docker's settings, in which it is a builder named `tests`.
    """

    endpoint: str
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which Docker's tools use it, and not the user's own Docker settings."""
        return {"DOCKER_CONFIG": str(self.folder)}


def install_plugin(pulumi_home: Path) -> None:
    """Put docker-build among the plugins of a Pulumi home."""
    program = plugin_folder("docker-build") / "pulumi-resource-docker-build"
    folder = pulumi_home / "plugins" / f"resource-docker-build-v{metadata.version('pulumi-docker-build')}"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / program.name
    if not link.exists():
        link.symlink_to(program)


@contextlib.contextmanager
def buildkit(folder: Path, *, registry: str, ca: Path) -> Iterator[BuildKit]:
    """Run BuildKit until the block ends.

    Args:
        folder: For its data, and for Docker's settings.
        registry: Host and port of the registry that it pushes to.
        ca: Certificate of that registry's authority.
    """
    program = plugin_folder("buildkitd") / "buildkitd"
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("runc") is None:
        missing("BuildKit needs Linux, root and runc; `make setup` installs runc")
    folder.mkdir(parents=True)
    port = _free_port()
    endpoint = f"tcp://127.0.0.1:{port}"
    settings = folder / "buildkitd.toml"
    settings.write_text(
        f'root = "{folder}/root"\n[grpc]\n  address = ["{endpoint}"]\n[worker.containerd]\n  enabled = false\n'
        f'[registry."{registry}"]\n  http = false\n  ca = ["{ca}"]\n',
        encoding="utf-8",
    )
    docker = folder / "docker"
    instances = docker / "buildx" / "instances"
    instances.mkdir(parents=True)
    node: dict[str, object] = {"Name": f"{NAME}0", "Endpoint": endpoint}
    record = {"Name": NAME, "Driver": "remote", "Nodes": [node], "Dynamic": False}
    (instances / NAME).write_text(json.dumps(record), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), "--config", str(settings)], stdout=log, stderr=log, start_new_session=True
        )
    try:
        _until_open(port, process, folder / "log")
        yield BuildKit(endpoint, docker)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"buildkitd did not start: {log.read_text(encoding='utf-8')[-2000:]}")
