from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from foundry_emulator.data_folder import DataFolder, Running
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api

FREE = ("--port", "0", "--registry-port", "0", "--page-port", "0")


def running_in(data_dir: Path) -> Running:
    running = DataFolder(data_dir).running()
    assert running is not None
    return running


class Cli:
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *words: str, ok: bool = True) -> str:
        command = [sys.executable, "-m", "foundry_emulator", words[0], "--data-dir", str(self.data_dir), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout if ok else done.stderr


@pytest.fixture
def cli(data_dir: Path) -> Iterator[Cli]:
    cli = Cli(data_dir)
    yield cli
    cli("stop")


def test_commands_start_show_print_push_and_stop(cli: Cli, tmp_path: Path) -> None:
    started = cli("start", *FREE, "--runtime", "echo")
    running = running_in(cli.data_dir)
    assert running.data_plane in started
    assert httpx.get(f"{running.page}/_control/health", trust_env=False).json()["pid"] == running.pid
    again = cli("start", *FREE)
    assert "already running" in again
    assert running.data_plane in again
    assert "0 agents" in cli("status")
    exported = dict(line.removeprefix("export ").split("=", 1) for line in cli("env").splitlines())
    assert {name: shlex.split(value)[0] for name, value in exported.items()} == dict(running.environment)
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "main.py").write_text("print(1)")
    push = ("push", str(tmp_path / "agent"), "--registry", "Acme", "--repository", "support")
    digest = cli(*push)
    assert digest.startswith("sha256:")
    assert len(digest.strip().splitlines()) == 1
    assert cli(*push) == digest
    cli("stop")
    assert not DataFolder(cli.data_dir).is_locked()
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.page, trust_env=False)


def test_status_shows_each_agents_traffic_and_why_a_version_failed(cli: Cli) -> None:
    with LocalAzure(cli.data_dir) as azure:
        api = Api(azure, azure.seed_project("shop"), "nowhere")
        with contextlib.closing(api.http):
            api.create("support")
        assert cli("status").splitlines()[-3:] == [
            "1 agent, 1 version, 0 sessions, 0 instances, 5 ARM resources",
            "shop/support: traffic to @latest 100 %",
            "     1  failed, ImageError: Failed to pull container image. The image reference is not valid.",
        ]


def test_when_nothing_runs_every_command_says_so(cli: Cli) -> None:
    assert "No local Azure is running" in cli("stop")
    assert "foundry-emulator start" in cli("env", ok=False)
    cli("status", ok=False)


def test_the_error_for_a_port_in_use_names_port_and_option(cli: Cli, azure: LocalAzure) -> None:
    port = azure.data_plane.rsplit(":", 1)[1]
    problem = cli("start", "--port", port, ok=False)
    assert f"port {port} is in use" in problem
    assert "--port" in problem


def test_an_invalid_port_is_refused_by_its_option(cli: Cli) -> None:
    problem = cli("start", "--registry-port", "70000", ok=False)
    assert "Invalid value for '--registry-port': 70000 is not in the range 0<=x<=65535." in problem
    assert not cli.data_dir.exists()


def test_without_a_docker_daemon_the_docker_runtime_does_not_start_and_says_what_to_do(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{cli.data_dir}/missing.sock")
    problem = cli("start", *FREE, "--runtime", "docker", ok=False)
    assert problem.startswith("Error: The local Azure was not started: no Docker daemon answers (")
    assert "start one, name it in DOCKER_HOST, or use --runtime process" in problem
    assert len(problem.splitlines()) == 1
    assert not DataFolder(cli.data_dir).is_locked()


def test_after_kill_9_it_starts_again_and_stop_ends_only_its_own_process(cli: Cli) -> None:
    cli("start", *FREE, "--runtime", "echo")
    pid = running_in(cli.data_dir).pid
    os.kill(pid, signal.SIGKILL)
    while DataFolder(cli.data_dir).is_locked():
        pass
    # emulator.json still has the id of the dead process, which may belong to another process by now
    assert (cli.data_dir / "emulator.json").exists()
    assert "No local Azure is running" in cli("stop")
    cli("start", *FREE, "--runtime", "echo")
    assert running_in(cli.data_dir).pid != pid


def test_reset_empties_the_folder_and_keeps_the_certificates(cli: Cli) -> None:
    cli("start", *FREE, "--runtime", "echo")
    ca = (cli.data_dir / "tls" / "ca.pem").read_bytes()
    cli("reset")
    assert {path.name for path in cli.data_dir.iterdir()} <= {"tls", "lock"}
    cli("start", *FREE, "--runtime", "echo")
    assert (cli.data_dir / "tls" / "ca.pem").read_bytes() == ca
