"""One local Azure and one plugin process over gRPC, and agents of their own for each test.

Here time is real, because the plugin is another process; tests that need hours use ``virtual_bench``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from foundry_agents.resources.hosted_agent_version import HostedAgentVersionProvider
from foundry_emulator.journal import Entry
from foundry_emulator.testing import LocalAzure, SeededProject
from tests.wire.plugin import Bag, Plugin, Secret, State, running

OWNER = "acme/agents/dev"
VERSION = HostedAgentVersionProvider()
CANARY = 'canary-4711-"quoted"-ümlaut'
"""A secret that JSON and reprs spell in another way than it is."""

_numbers = itertools.count(1)


@dataclass
class Bench:
    """What every test here shares.

    Attributes:
        azure: The service; its journal is the judge.
        plugin: A plugin process that is signed in to it.
        project: Where the agents are.
        image: What they run.
    """

    azure: LocalAzure
    plugin: Plugin
    project: SeededProject
    image: str

    def agent(self) -> Agent:
        """An agent that nobody else uses."""
        return Agent(self, f"agent-{next(_numbers)}")

    def reset(self) -> None:
        """Takes back what a test has changed about the service."""
        self.azure.control.clear_faults()
        self.azure.control.set(provisioning_s=0, scripts=[], dedup="all")


@dataclass
class Agent:
    """One agent, and the calls that the engine would make for a version of it."""

    bench: Bench
    name: str
    since: int = field(init=False)

    def __post_init__(self) -> None:
        self.since = max((entry.n for entry in self.bench.azure.journal()), default=0)

    @property
    def urn(self) -> str:
        """The row on which its lines are shown."""
        return f"urn:pulumi:dev::agents::foundry:HostedAgentVersion::{self.name}"

    def inputs(self, **changed: object) -> dict[str, object]:
        """Checked inputs, as the engine passes them on."""
        raw = {
            "project_endpoint": self.bench.project.endpoint,
            "agent_name": self.name,
            "image": self.bench.image,
            "owner": OWNER,
            "urn": self.urn,
            "poll_interval_s": 0.1,
            "timeout_s": 20,
            **changed,
        }
        checked = self.bench.plugin.check(VERSION, raw)
        assert checked.failures == []
        return checked.inputs

    def create(self, plugin: Plugin | None = None, **changed: object) -> State:
        """Create, in this plugin process or the common one."""
        return self.create_checked(self.inputs(**changed), plugin)

    def create_checked(self, inputs: Mapping[str, object], plugin: Plugin | None = None) -> State:
        """Create alone, from inputs that were checked before."""
        return (plugin or self.bench.plugin).create(VERSION, inputs)

    def declare(self, plugin: Plugin) -> None:
        """What the engine asks first for a resource of the program, in the run of this plugin process."""
        assert plugin.check(VERSION, self.inputs()).failures == []

    def read(self, state: State, plugin: Plugin | None = None) -> State:
        """Read, as a refresh calls it."""
        return (plugin or self.bench.plugin).read(VERSION, state.id, state.outs)

    def delete(self, state: State, plugin: Plugin | None = None) -> None:
        """Delete of what is in state."""
        (plugin or self.bench.plugin).delete(VERSION, state.id, state.outs)

    def route(self, **shares: int) -> None:
        """Sets the routing as somebody would in the portal: ``route(v1=100)``."""
        rules = [
            {"type": "FixedRatio", "agent_version": number.removeprefix("v"), "traffic_percentage": percent}
            for number, percent in shares.items()
        ]
        self.somebody("PATCH", "", {"agent_endpoint": {"version_selector": {"version_selection_rules": rules}}})

    def somebody(self, method: str, path: str, body: object = None) -> None:
        """A request that is not made by this library."""
        with self.bench.azure.client(self.bench.project.name) as client:
            client.request(method, f"agents/{self.name}{path}", json=body).raise_for_status()

    def versions(self) -> dict[str, str]:
        """Status by number of what the service has."""
        for agent in self.bench.azure.control.state()["agent_list"]:
            if agent["name"] == self.name:
                return {version["version"]: version["status"] for version in agent["versions"]}
        return {}

    def requests(self, method: str = "", end: str = "") -> list[Entry]:
        """What was asked of the service about this agent since the test began."""
        return [
            entry
            for entry in self.bench.azure.journal(plane="data", since=self.since)
            if f"/agents/{self.name}" in entry.path and entry.method.startswith(method) and entry.path.endswith(end)
        ]

    def posts(self) -> int:
        """How many versions were posted."""
        return len(self.requests("POST", "/versions"))

    def lines(self) -> list[str]:
        """What was shown on its row, of the common plugin."""
        return [line.text for line in self.bench.plugin.lines if line.urn == self.urn]

    def warnings(self) -> list[str]:
        """What is still on its row when the run has ended."""
        return [line.text for line in self.bench.plugin.lines if line.urn == self.urn and line.stays]

    def wait_for_a_post(self) -> None:
        """Returns when the service has a version that is being created."""
        self.bench.azure.wait_until(lambda: "creating" in self.versions().values())


@contextmanager
def plugin_bench(folder: Path) -> Iterator[Bench]:
    """Starts both, and stops them."""
    with LocalAzure(folder, provisioning_s=0) as azure, running(azure.env) as plugin:
        project = azure.seed_project("reliability")
        yield Bench(azure, plugin, project, azure.push_image(project))


def plain(outs: Bag) -> dict[str, object]:
    """Outputs without the ownership of secrets."""
    return {key: _plain(value) for key, value in outs.items()}


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
