"""Rollouts over the real SDK with a fault in each, on a local Azure that is looked at after every call."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken

from foundry_agents.azure import FoundryAgentService
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.rollout import RolloutPlan, roll_out
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.smoke import Smoke
from foundry_agents.testing import FastClock
from foundry_emulator.testing import LocalAzure, SeededProject
from tests.support.rollouts import Killed
from tests.support.settings import OWNER

CALLS = 24
"""About as many as a clean rollout makes; a fault after the end has no effect, and is counted as such."""

FAULTS: tuple[Mapping[str, object] | str, ...] = (
    "kill before",
    "kill after",
    {"action": "commit_then_reset", "method": "PATCH"},
    {"action": "reset_before_commit", "method": "PATCH"},
    {"status": 500},
    {"status": 403},
    {"action": "commit_then_reset"},
    {"status": 424, "method": "POST"},
)
SMOKE = Smoke("ping", "contains", "Echo: ping", timeout_s=20)
_names = itertools.count(1)


@dataclass
class Watched:
    """The adapter, with a kill at one call, and a look at the local Azure after every one.

    Attributes:
        service: The real adapter.
        look: Tells the instants at which no active version was routed.
        kill_at: Number of the call at which the process ends; 0 is never.
        before: The kill comes before the call is sent.
    """

    service: FoundryAgentService
    look: Callable[[], str]
    kill_at: int = 0
    before: bool = False
    unserved: list[str] = field(default_factory=list)
    count: int = 0
    dead: bool = False

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.service, name)

        def watched(*args: object, **more: object) -> object:
            self._may_die(before=True)
            try:
                result = call(*args, **more)
                # A walk over pages is a call when it is walked.
                return list(result) if isinstance(result, Iterator) else result
            finally:
                if not self.dead and (seen := self.look()):
                    self.unserved.append(seen)
                self._may_die(before=False)

        return watched

    def _may_die(self, *, before: bool) -> None:
        if self.dead:
            raise Killed
        self.count += before
        if self.count == self.kill_at and before == self.before:
            self.dead = True
            raise Killed


@dataclass
class Ended:
    """What became of one seed.

    Attributes:
        unserved: Instants without an active routed version.
        finished: The run after the fault ended as asked.
        restored: The run with the fault ended as asked, was killed, or restored the previous routing.
        sessions: Left in the end, where no response was lost and the run was not killed. A session whose create
            response was lost cannot be deleted, as its name is unknown; it ends when its idle time is over.
        fault: What was to happen.
        struck: It did happen.
    """

    unserved: list[str]
    finished: bool
    restored: bool
    sessions: int
    fault: str
    struck: bool


class _Token:
    def __init__(self, azure: LocalAzure) -> None:
        self._azure = azure

    def get_token(self, *scopes: str, **more: object) -> AccessToken:
        del scopes, more
        return AccessToken(self._azure.token(), 4_000_000_000)


@contextmanager
def adapter(azure: LocalAzure, project: SeededProject) -> Iterator[FoundryAgentService]:
    """The real adapter with a token of the local Azure; the OpenAI client learns of its CA by the environment."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = bundle = azure.env["SSL_CERT_FILE"]
    try:
        with (
            AIProjectClient(project.endpoint, _Token(azure), connection_verify=bundle) as client,
            closing(FoundryAgentService(client, project.endpoint)) as service,
        ):
            yield service
    finally:
        os.environ.pop("SSL_CERT_FILE")
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


def ended(azure: LocalAzure, service: FoundryAgentService, client: httpx.Client, image: str, seed: int) -> Ended:
    """Roll out version 2 of a new agent with the seed's fault, and once more without."""
    name = f"seed-{seed}-{next(_names)}"
    for number in ("1", "2"):
        _post(azure, client, name, image, number)
    rules = [{"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 100}]
    endpoint = {"agent_endpoint": {"version_selector": {"version_selection_rules": rules}}}
    client.patch(f"agents/{name}", json=endpoint).raise_for_status()

    at, fault = random.Random(seed).randint(1, CALLS), FAULTS[seed % len(FAULTS)]
    watched = Watched(service, lambda: _unserved(azure, name))
    if isinstance(fault, str):
        watched.kill_at, watched.before = at, fault == "kill before"
    else:
        nth = 1 + at % 3 if fault.get("method") == "PATCH" else at
        azure.control.fault(path=f"agents/{name}(/|$)", nth=nth, **fault)
    plan = RolloutPlan(
        name, "2", frozenset(), PollSettings(10, 1), (10, 50), bake_s=20, smoke=SMOKE, owner=Owner(OWNER)
    )
    restored = True
    try:
        roll_out(cast("AgentService", watched), plan, FastClock(), lambda _line: None)
    except Killed:
        pass  # the next run goes on from what is there
    except Exception:  # noqa: BLE001 (what is in force now is what counts)
        restored = _traffic(azure, name) == {"1": 100}
    nameless = watched.dead or "commit_then_reset" in str(fault)
    left = 0 if nameless else _sessions(azure, name)
    struck = watched.dead or any(rule["fired"] for rule in azure.control.faults())
    azure.control.clear_faults()

    watched.dead, watched.kill_at = False, 0
    roll_out(cast("AgentService", watched), plan, FastClock(), lambda _line: None)
    return Ended(watched.unserved, _traffic(azure, name) == {"2": 100}, restored, left, str(fault), struck)


def _post(azure: LocalAzure, client: httpx.Client, name: str, image: str, number: str) -> None:
    definition = {
        "kind": "hosted",
        "cpu": "1",
        "memory": "2Gi",
        "container_configuration": {"image": image},
        "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        "environment_variables": {"NUMBER": number},
    }
    body = {"definition": definition, "metadata": OwnershipMetadata(f"v1:{number}", OWNER).as_metadata()}
    client.post(f"agents/{name}/versions", json=body).raise_for_status()
    azure.wait_until(lambda: _statuses(azure, name)[number] == "active")


def _seen(azure: LocalAzure, name: str) -> Mapping[str, Any]:
    return next(agent for agent in azure.control.state()["agent_list"] if agent["name"] == name)


def _statuses(azure: LocalAzure, name: str) -> dict[str, str]:
    return {version["version"]: version["status"] for version in _seen(azure, name)["versions"]}


def _traffic(azure: LocalAzure, name: str) -> dict[str, int]:
    return {rule["version"]: rule["percentage"] for rule in _seen(azure, name)["rules"] if rule["percentage"]}


def _sessions(azure: LocalAzure, name: str) -> int:
    return sum(version["sessions"] for version in _seen(azure, name)["versions"])


def _unserved(azure: LocalAzure, name: str) -> str:
    """Return the routing when no active version has a share; else an empty text."""
    statuses, shares = _statuses(azure, name), _traffic(azure, name)
    lit = any(number == "@latest" or statuses.get(number) == "active" for number in shares)
    return "" if lit else f"{shares} with {statuses}"
