"""An agent on a local Azure, and its rollout driven through the real plugin process."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.inputs.rollout_settings import Rollout
from foundry_agents.resources.agent_rollout import AgentRolloutProvider
from foundry_emulator.testing import LocalAzure, SeededProject
from tests.wire.plugin import Plugin, State

OWNER = "acme/agents/dev"
PROVIDER = AgentRolloutProvider()
names = (f"agent-{number}" for number in itertools.count(1))


@dataclass
class Bench:
    """One local Azure and two plugin processes for all tests here; every test has an agent of its own.

    Attributes:
        azure: The local Azure.
        plugin: The process of a program that declares the agents.
        destroying: The process of a `pulumi destroy`, which checks nothing.
        project: Where the agents are.
        image: What they run.
    """

    azure: LocalAzure
    plugin: Plugin
    destroying: Plugin
    project: SeededProject
    image: str


@dataclass
class Agent:
    """An agent of a test."""

    bench: Bench
    name: str

    def post(self, *, owner: str | None = OWNER, **environment: str) -> str:
        """Makes an active version and gives its number."""
        definition = self.definition(**environment)
        ownership = OwnershipMetadata(f"v1:{environment}"[:60], owner).as_metadata() if owner else {}
        made = self.call("POST", f"agents/{self.name}/versions", {"definition": definition, "metadata": ownership})
        number = str(made["version"])
        self.bench.azure.wait_until(lambda: self.statuses()[number] == "active")
        return number

    def definition(self, **environment: str) -> dict[str, object]:
        """What a version is."""
        return {
            "kind": "hosted",
            "cpu": "1",
            "memory": "2Gi",
            "container_configuration": {"image": self.bench.image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
            "environment_variables": environment,
        }

    def call(self, method: str, path: str, body: object = None, **query: str) -> dict[str, Any]:
        """A request as somebody else would make it."""
        with self.bench.azure.client(self.bench.project.name) as client:
            answer = client.request(method, path, json=body, params=query)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def route(self, **shares: int) -> None:
        """Sets the routing as somebody would in the portal."""
        rules = [
            {"type": "FixedRatio", "agent_version": number.removeprefix("v"), "traffic_percentage": percent}
            for number, percent in shares.items()
        ]
        endpoint = {"version_selector": {"version_selection_rules": rules}}
        self.call("PATCH", f"agents/{self.name}", {"agent_endpoint": endpoint})

    def seen(self) -> dict[str, Any]:
        """The agent as the local Azure has it; empty when it is gone."""
        listed = self.bench.azure.control.state()["agent_list"]
        return next((dict(agent) for agent in listed if agent["name"] == self.name), {})

    def statuses(self) -> dict[str, str]:
        """Status by version."""
        return {version["version"]: version["status"] for version in self.seen().get("versions", ())}

    def traffic(self) -> dict[str, int]:
        """The routing."""
        return {rule["version"]: rule["percentage"] for rule in self.seen()["rules"]}

    def session_on(self, number: str) -> str:
        """Opens a session."""
        indicator = {"type": "version_ref", "agent_version": number}
        made = self.call("POST", f"agents/{self.name}/endpoint/sessions", {"version_indicator": indicator})
        return str(made["agent_session_id"])

    def sessions(self) -> int:
        """How many sessions there are."""
        return sum(version["sessions"] for version in self.seen()["versions"])

    def inputs(self, version: str, rollout: Rollout | None = None, **more: object) -> dict[str, object]:
        """Checked inputs."""
        raw = {
            "project_endpoint": self.bench.project.endpoint,
            "agent_name": self.name,
            "owner": OWNER,
            "version": version,
            "urn": f"urn:{self.name}",
            "poll_interval_s": 0.1,
            "timeout_s": 10,
            **(rollout.inputs() if rollout else {}),
            **more,
        }
        checked = self.bench.plugin.check(PROVIDER, raw)
        assert checked.failures == []
        return checked.inputs

    def create(self, version: str, rollout: Rollout | None = None, **more: object) -> State:
        """Create, as the engine calls it."""
        return self.bench.plugin.create(PROVIDER, self.inputs(version, rollout, **more))

    def update(self, before: Mapping[str, object], version: str, rollout: Rollout | None = None) -> State:
        """Update, as the engine calls it."""
        return self.bench.plugin.update(PROVIDER, self.name, before, self.inputs(version, rollout))

    def read(self, before: Mapping[str, object]) -> State:
        """Read, as a refresh calls it."""
        return self.bench.plugin.read(PROVIDER, self.name, before)

    def delete(self, before: Mapping[str, object]) -> None:
        """Delete, as `pulumi destroy` calls it."""
        self.bench.destroying.delete(PROVIDER, self.name, before)

    def writes(self, since: int = 0) -> list[str]:
        """Writes of whoever, as method and what follows the agent's name."""
        return [
            f"{entry.method} {entry.path.partition(self.name)[2]}"
            for entry in self.bench.azure.journal(writes=True, since=since)
            if f"/agents/{self.name}" in entry.path
        ]

    def now(self) -> int:
        """The place in the journal."""
        return max((entry.n for entry in self.bench.azure.journal()), default=0)

    def lines(self) -> list[str]:
        """What was shown on its row."""
        return [line.text for line in self.bench.plugin.lines if line.urn == f"urn:{self.name}"]
