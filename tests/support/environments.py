"""Several stacks of the repository's own program on one local Azure, and another team's project that reads them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from foundry_emulator.registry import pack, push
from foundry_emulator.testing import LocalAzure
from stacks.guard import REHEARSE
from tests.support.checkout import CHECKOUT, VENV
from tests.support.harness import Project, Run, hermetic

POLICIES = ("--policy-pack", str(CHECKOUT / "policies" / "run-pack"))
"""The policy pack, as the engine built from Go modules takes it."""


@dataclass
class Environments:
    """The stacks of one project, each with a Foundry project and a registry of its own.

    Attributes:
        azure: The local Azure that they all go to.
        folder: Where the projects are.
        variables: The environment of every command.
        stacks: By name.
    """

    azure: LocalAzure
    folder: Path
    variables: dict[str, str]
    stacks: dict[str, Project] = field(default_factory=dict)

    @classmethod
    def on(cls, azure: LocalAzure, folder: Path, engine: Path, home: Path) -> Environments:
        """Return environments without stacks; state is in a folder of this machine, so a rehearsal is allowed."""
        return cls(azure, folder, {**hermetic(engine, home, azure.env), REHEARSE: "1"})

    def add(self, stack: str, agent: Mapping[str, Any], **settings: Any) -> Project:
        """Make a stack with one agent, `support`."""
        config = {
            "location": "eastus2",
            "registryName": registry_of(stack),
            "agents": {"support": {"timeout_s": 60, "pull_role_budget_s": 0, **agent}},
            **settings,
        }
        if self.stacks:
            made = next(iter(self.stacks.values())).add_stack(stack, config)
        else:
            made = Project.create(self.folder / "agents", self.variables, config, stack)
        self.stacks[stack] = made
        return made

    def consumer(self, reads: str, caller: str) -> Project:
        """Return the project in examples/consumer, with a stack `app` that reads one of these stacks."""
        first = next(iter(self.stacks.values()))
        folder = self.folder / "consumer"
        shutil.copytree(CHECKOUT / "examples" / "consumer", folder)
        (folder / ".venv").symlink_to(VENV)
        config = {"agents": f"organization/foundry-agents/{reads}", "callerPrincipal": caller}
        project = Project(folder, first.variables, config, stack="app", name="support-frontend", config_folder=".")
        project.init_stack()
        return project

    def push(self, text: str) -> str:
        """Put an image into every environment's registry, as an import by digest does, and return its digest."""
        (digest,) = {self._push(stack, text) for stack in ("dev", "staging", "prod")}
        return digest

    def _push(self, stack: str, text: str) -> str:
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "main.py").write_text(f"raise SystemExit({text!r})\n", encoding="utf-8")
        registry = self.azure.emulator.urls.registry
        with httpx.Client(verify=self.azure.trust(), trust_env=False, timeout=30) as client:
            name = f"{registry_of(stack)}/support"
            return push(pack(source), f"https://{registry}", name, "latest", client=client).partition("@")[2]

    def watched(self, stack: Project, *options: str) -> tuple[Run, list[str]]:
        """Run `pulumi up`, which must succeed, and return the paths of all its writes, on both planes."""
        since = len(self._writes())
        run = stack.up(*options).succeeded()
        return run, self._writes()[since:]

    def may_call(self, principal: str, stack: str) -> bool:
        """Return whether a principal may call the stack's agent; any response but yes or no is an error."""
        name = f"agents-{stack}"
        with self.azure.client(name, principal_id=principal) as client:
            answer = client.post("agents/support/endpoint/protocols/openai/responses", json={"input": "?"})
        if answer.status_code == httpx.codes.FORBIDDEN:
            return False
        answer.raise_for_status()
        with self.azure.client(name) as client:  # an open session would keep the agent from being destroyed
            session = answer.headers["x-agent-session-id"]
            client.delete(f"agents/support/endpoint/sessions/{session}").raise_for_status()
        return True

    def _writes(self) -> list[str]:
        return [entry.path for entry in self.azure.journal(writes=True) if entry.plane in {"data", "arm"}]


def registry_of(stack: str) -> str:
    """Return the name of a stack's registry."""
    return f"images{stack}"


def contract(project: Project) -> dict[str, Any]:
    """Return what a stack publishes."""
    return dict(project.outputs()["contract"])


def digest(project: Project) -> str:
    """Return the digest that a stack's agent runs, by its contract."""
    return str(contract(project)["agents"]["support"]["image"]).partition("@")[2]
