"""A Pulumi project of its own for each test, on the real engine, against a local Azure of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import yaml

from foundry_emulator.testing import LocalAzure
from tests.support.checkout import CHECKOUT, VENV

STACK = "local"
REGISTRY = "imageslocal"


@dataclass(frozen=True)
class Run:
    """What one `pulumi` command did.

    Attributes:
        code: Exit code.
        output: All it printed.
    """

    code: int
    output: str

    def succeeded(self) -> Run:
        """Return the run; fail with its output when the command failed."""
        assert self.code == 0, self.output
        return self

    def failed(self) -> Run:
        """Return the run; fail with its output when the command did not fail."""
        assert self.code != 0, self.output
        return self


@dataclass
class Project:
    """A copy of this checkout's program with settings of its own, and the commands a person would run.

    Attributes:
        folder: The project's folder.
        variables: The environment of every command.
        config: Settings of the stack, under the project's name.
        given: What is there already, for programs that do not make it; under `given`.
        stack: The stack that commands are about.
        name: Name of the project; its settings are under it.
        config_folder: Where the stacks' files are.
    """

    folder: Path
    variables: dict[str, str]
    config: dict[str, Any] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    stack: str = STACK
    name: str = "foundry-agents"
    config_folder: str = "stacks"

    @classmethod
    def create(cls, folder: Path, variables: dict[str, str], config: Mapping[str, Any], stack: str = STACK) -> Project:
        """Create the project and its stack."""
        folder.mkdir(parents=True)
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(CHECKOUT / name, folder / name)
        shutil.copytree(
            CHECKOUT / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("Pulumi.*", "__pycache__")
        )
        # The launcher of dynamic providers insists on the folder that Pulumi.yaml names.
        (folder / ".venv").symlink_to(VENV)
        (folder / "state").mkdir()
        project = cls(
            folder, {**variables, "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}, dict(config), stack=stack
        )
        project.init_stack()
        return project

    def add_stack(self, stack: str, config: Mapping[str, Any]) -> Project:
        """Return another stack of the same project."""
        project = Project(self.folder, self.variables, dict(config), stack=stack)
        project.init_stack()
        return project

    def init_stack(self) -> None:
        """Create the stack with its settings."""
        self.write_config()
        self.run("stack", "init", self.stack).succeeded()

    def write_config(self) -> None:
        """Write the stack's settings, as a person would edit the file."""
        path = self.folder / self.config_folder / f"Pulumi.{self.stack}.yaml"
        old = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        config = {f"{self.name}:{key}": value for key, value in self.config.items()}
        config |= {f"given:{key}": value for key, value in self.given.items()}
        path.write_text(yaml.safe_dump({**old, "config": config}), encoding="utf-8")

    def set_environment(self, **environment: str) -> None:
        """Change the variables of the agent `support`."""
        self.config["agents"]["support"]["environment"] = environment
        self.write_config()

    def run(self, *arguments: str, timeout_s: float = 180) -> Run:
        """Run `pulumi` and wait until it ends."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def command(self, *arguments: str) -> Sequence[str]:
        """Return the command line of one `pulumi` run."""
        return [
            shutil.which("pulumi", path=self.variables["PATH"]) or "pulumi",
            *arguments,
            "--non-interactive",
            "--color=never",
        ]

    def up(self, *options: str) -> Run:
        """`pulumi up`."""
        return self.run("up", "--yes", "--skip-preview", "--stack", self.stack, *options)

    def preview(self, *options: str) -> Run:
        """`pulumi preview`."""
        return self.run("preview", "--stack", self.stack, *options)

    def refresh(self) -> Run:
        """`pulumi refresh`."""
        return self.run("refresh", "--yes", "--skip-preview", "--stack", self.stack)

    def destroy(self) -> Run:
        """`pulumi destroy`."""
        return self.run("destroy", "--yes", "--skip-preview", "--stack", self.stack)

    def outputs(self) -> dict[str, Any]:
        """Return what the stack exports."""
        done = self.run("stack", "output", "--json", "--stack", self.stack).succeeded()
        return dict(json.loads(done.output))

    def state_text(self) -> str:
        """Return the backend's own files, secrets encrypted as they are."""
        return "".join(path.read_text(encoding="utf-8") for path in (self.folder / "state").rglob("*.json"))


def kill(run: subprocess.Popen[bytes]) -> None:
    """Kill a `pulumi` command and every process below it, and wait until it has ended."""
    engine = psutil.Process(run.pid)
    for process in [engine, *engine.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # a plugin may end by itself once its parent is killed
            process.kill()
    run.wait()


class Deployment:
    """A local Azure with an image in its registry, and the project whose stack is deployed to it."""

    def __init__(self, azure: LocalAzure, project: Project) -> None:
        self.azure = azure
        self.project = project

    def posted(self) -> int:
        """Return how often a version was posted."""
        return sum(entry.method == "POST" and entry.path.endswith("/versions") for entry in self.writes())

    def writes(self) -> list[Any]:
        """Return all writes on Azure's two planes; calls to an agent are not writes of the deployment."""
        return [
            entry
            for entry in self.azure.journal(writes=True)
            if entry.plane in {"data", "arm"} and "/protocols/" not in entry.path
        ]

    def agent(self, name: str = "support") -> dict[str, Any]:
        """Return the agent as the local Azure has it; fail when there is none."""
        listed = {agent["name"]: agent for agent in self.agents()}
        return listed[name]

    def agents(self) -> list[dict[str, Any]]:
        """Return all agents."""
        listed = self.azure.control.state()["agent_list"]
        assert isinstance(listed, list)
        return listed

    def ask(self, question: str) -> dict[str, Any]:
        """Ask the agent `support` through its endpoint."""
        with self.azure.client("agents") as client:
            answer = client.post("agents/support/endpoint/protocols/openai/responses", json={"input": question})
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def standing(folder: Path, engine: Path, program: str, **azure_options: Any) -> Iterator[Deployment]:
    """A local Azure with a project and an image, and a stack of this program that is not deployed yet.

    The program finds `endpoint`, `principal` and `image` in the configuration `given`.
    """
    home = folder / "home"
    home.mkdir(parents=True)
    with LocalAzure(folder / "azure", **azure_options) as azure:
        there = azure.seed_project("agents")
        project = Project.create(folder / "project", hermetic(engine, home, azure.env), {})
        project.given = {
            "endpoint": there.endpoint,
            "principal": there.principal_id,
            "image": azure.push_image(there),
        }
        project.write_config()
        (project.folder / "__main__.py").write_text(program, encoding="utf-8")
        yield Deployment(azure, project)


def hermetic(engine: Path, home: Path, azure: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a project's commands, without the user's own Pulumi and Azure variables."""
    install_fake_plugins(home)
    path = [VENV / "bin", engine, os.environ["PATH"]]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AZURE_", "ARM_"))}
    return {
        **kept,
        **azure,
        "PATH": os.pathsep.join(map(str, path)),
        "PULUMI_HOME": str(home),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": str(VENV / "bin" / "python"),
    }


def install_fake_plugins(pulumi_home: Path) -> None:
    """Put the emulator's own azure-native and docker among the plugins of a Pulumi home, as `make up` does."""
    for name in ("azure-native", "docker"):
        folder = pulumi_home / "plugins" / f"resource-{name}-v{metadata.version(f'pulumi-{name}')}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / "emulator" / "plugins" / f"pulumi-resource-{name}", folder)


def without_wire(verbose: str) -> str:
    """Return a verbose log without the engine's trace of its RPCs, which prints each value at this level."""
    traces = ("Unmarshaling property for RPC", "Marshaling property for RPC")
    return "\n".join(line for line in verbose.splitlines() if not any(trace in line for trace in traces))
