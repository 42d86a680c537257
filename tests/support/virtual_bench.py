"""The real adapter on the real SDK, in this process, against a local Azure over TLS, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport

from foundry_agents.azure import FoundryAgentService
from foundry_agents.azure.clients import BriefRetries
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, fingerprint
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, AgentDefinition
from foundry_agents.lifecycle.outcomes import Made
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.rollout import RolloutPlan, roll_out
from foundry_agents.lifecycle.versions import VersionPlan, create_or_adopt
from foundry_agents.lifecycle.views import VersionView
from foundry_emulator.dataplane.agents import Version
from foundry_emulator.journal import Entry
from foundry_emulator.testing import LocalAzure, SeededProject
from tests.support.virtual_time import OurClock, VirtualTime

OWNER = "acme/agents/dev"
PATIENCE = PollSettings(timeout_s=600, interval_s=5)
_numbers = itertools.count(1)


class Killed(BaseException):
    """The process ends here. Nothing of ours may catch it: a kill -9 is not caught either."""


class Wire(RequestsTransport):  # type: ignore[misc]  # azure-core gives it no type
    """The SDK's own transport over TLS, watched and cut.

    Args:
        ca: The certificate authority to trust.
        clock: Where the SDK's pauses between its retries go.

    Attributes:
        before: Called with method and path of each request; when it raises, nothing is sent.
        after: The same once the answer is there, before anybody has seen it.
    """

    def __init__(self, ca: str, clock: OurClock) -> None:
        super().__init__(connection_verify=ca)
        self._clock = clock
        self.before: Callable[[str, str], None] = _nothing
        self.after: Callable[[str, str], None] = _nothing

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Send the request, and call `before` and `after` around it."""
        path = request.url.partition("?")[0]
        self.before(request.method, path)
        answer = super().send(request, **kwargs)
        self.after(request.method, path)
        return answer

    def sleep(self, duration: float) -> None:
        """What the SDK waits between its own retries."""
        self._clock.sleep(duration)


def _nothing(_method: str, _path: str) -> None:
    return


class _Token:
    """The token of the deployer, requested again each time, because it expires in virtual time."""

    def __init__(self, azure: LocalAzure) -> None:
        self._azure = azure

    def get_token(self, *scopes: str, **more: object) -> AccessToken:
        """Return a token that expires after a moment of real time."""
        del scopes, more
        return AccessToken(self._azure.token(), int(time.time()))


@dataclass
class Process:
    """What a plugin process holds: the adapter on a wire of its own, and its clock. Gone when it is killed."""

    service: FoundryAgentService
    wire: Wire
    clock: OurClock
    lines: list[str] = field(default_factory=list)

    def make(self, plan: VersionPlan) -> Made[VersionView]:
        """Create-or-adopt, as HostedAgentVersion calls it."""
        return create_or_adopt(self.service, plan, self.clock, self.lines.append)

    def up(self, plan: VersionPlan) -> Made:
        """Do what `pulumi up` of a stack without state does: create the version, then route all traffic to it."""
        made = self.make(plan)
        self.roll_out(plan.agent, made.view.version)
        return made

    def roll_out(self, agent: str, version: str) -> None:
        """All traffic on a version, as AgentRollout calls it."""
        plan = RolloutPlan(agent, version, frozenset({"responses"}), PATIENCE, owner=Owner(OWNER))
        roll_out(self.service, plan, self.clock, self.lines.append)


@dataclass(frozen=True)
class Bench:
    """A service in virtual time.

    Attributes:
        azure: The service; its journal is the judge.
        time: Its clock.
        loop: Where it runs.
        project: Where the agents are.
        image: What they run.
    """

    azure: LocalAzure
    time: VirtualTime
    loop: asyncio.AbstractEventLoop
    project: SeededProject
    image: str

    @contextmanager
    def process(self, project: SeededProject | None = None) -> Iterator[Process]:
        """A plugin process that knows nothing yet; its connections end with it."""
        clock = OurClock(self.time, self.loop)
        endpoint = (project or self.project).endpoint
        with Wire(self.azure.env["SSL_CERT_FILE"], clock) as wire:
            client = AIProjectClient(endpoint, _Token(self.azure), transport=wire, retry_policy=BriefRetries())
            yield Process(FoundryAgentService(client, endpoint), wire, clock)

    def up(self, plan: VersionPlan) -> Made:
        """Do what `pulumi up` does, in a process of its own."""
        with self.process() as process:
            return process.up(plan)

    def clock(self) -> OurClock:
        """Return the clock of the library."""
        return OurClock(self.time, self.loop)

    def name(self) -> str:
        """Return the name of an agent that no other test uses."""
        return f"agent-{next(_numbers)}"

    def now(self) -> int:
        """Return the number of the last entry in the journal."""
        return self.azure.run(lambda: next((e.n for e in self.azure.emulator.journal.last(1)), 0))

    def plan(self, agent: str, **inputs: object) -> VersionPlan:
        """Return the plan of a program's version."""
        values, problems = VERSION_FIELDS.normalise(
            {
                "project_endpoint": self.project.endpoint,
                "agent_name": agent,
                "image": self.image,
                "owner": OWNER,
                **inputs,
            }
        )
        assert problems == []
        return plan_of(values)

    def requests(self, agent: str, *, since: int = 0, method: str = "", end: str = "") -> list[Entry]:
        """Return the requests about an agent."""
        return [
            entry
            for entry in self.azure.journal(plane="data", since=since)
            if f"/agents/{agent}" in entry.path and entry.method.startswith(method) and entry.path.endswith(end)
        ]

    def posts(self, agent: str, *, since: int = 0) -> list[Entry]:
        """Return the POSTs of versions."""
        return self.requests(agent, since=since, method="POST", end="/versions")

    def writes(self, agent: str, *, since: int = 0) -> list[str]:
        """Return the writes, as method and what follows the agent's name."""
        return [
            f"{e.method} {e.path.partition(agent)[2]}".rstrip() for e in self.requests(agent, since=since) if e.write
        ]

    def versions(self, agent: str, project: str = "") -> dict[str, Version]:
        """Return the versions of the service, by number."""

        def look() -> dict[str, Version]:
            found = self.azure.emulator.agents.find(project or self.project.name, agent)
            return dict(found.versions) if found else {}

        return self.azure.run(look)

    def statuses(self, agent: str, project: str = "") -> dict[str, str]:
        """Return the status of each version, by number."""
        return {number: version.status for number, version in self.versions(agent, project).items()}

    def traffic(self, agent: str) -> dict[str, int]:
        """Return the percentage of each version, by number; ``@latest`` stays."""

        def look() -> dict[str, int]:
            found = self.azure.emulator.agents.find(self.project.name, agent)
            return {rule.version: rule.percentage for rule in found.endpoint.rules} if found else {}

        return self.azure.run(look)

    def enabled(self, agent: str) -> bool:
        """Return whether the agent takes calls."""
        return self.azure.run(lambda: self.azure.emulator.agents.get(self.project.name, agent).enabled)

    def reset(self) -> None:
        """Undo what a test has changed in the service."""
        self.azure.control.clear_faults()
        self.azure.control.set(
            provisioning_s=31, scripts=[], dedup="all", dedup_failed=False, role_delay_s=0, check_pull=True
        )


def plan_of(values: Mapping[str, object], patience: PollSettings = PATIENCE) -> VersionPlan:
    """Return the plan that HostedAgentVersion makes of canonical inputs."""
    return VersionPlan(
        agent=str(values["agent_name"]),
        definition=AgentDefinition.from_values(values),
        ownership=OwnershipMetadata(fingerprint(values), OWNER),
        patience=patience,
    )


@contextmanager
def virtual_bench(folder: Path) -> Iterator[Bench]:
    """Start the service, and stop it at the end."""
    clock = VirtualTime()
    with LocalAzure(folder, clock=clock) as azure:
        loop = azure.run(asyncio.get_running_loop)
        project = azure.seed_project("reliability")
        bench = Bench(azure, clock, loop, project, azure.push_image(project))
        bench.reset()
        yield bench
