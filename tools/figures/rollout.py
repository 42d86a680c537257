"""Rollouts: shares on the wire, no instant in the dark, no flips, ways back, what stays and what goes."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

from foundry_agents.lifecycle.failure.errors import ConflictError, InputError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.retention import prune, remove
from foundry_agents.lifecycle.rollout import RolloutPlan, roll_out
from foundry_agents.lifecycle.routing import checked
from foundry_agents.lifecycle.smoke import Smoke
from foundry_agents.lifecycle.views import Route, Routing
from foundry_agents.testing import FastClock
from foundry_emulator.testing import LocalAzure
from tests.core import rollouts
from tests.core.claims import PROVED
from tests.core.faulty_service import FaultyService, owned
from tests.core.settings import OWNER
from tests.core.test_rollout_faults import INTERLEAVINGS, SEEDS, flips, interleave
from tests.wire.watched_azure import Ended, adapter, ended
from tools.figures.figure import Figure

SESSIONS = 1_000
SEED = 20_26
STEPS = (10, 50)
SMOKE = Smoke("ping", "contains", "Echo: ping")

MINE = Owner(OWNER)


def measure() -> Iterator[Figure]:
    """Groups D and E of the reliability cases."""
    yield from _on_the_wire()
    yield from _every_instant()
    yield from _two_deployers()
    yield from _ways_back()
    yield from _weights()
    yield from _what_stays()


class _Crowd:
    """A clock that lets time pass by asking the agent in fresh sessions: what callers see while a step bakes."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._now = 0.0
        self.answers: list[Counter[str]] = []

    def now(self) -> float:
        """Seconds slept so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Asks 1,000 times, which is this clock's second."""
        self._now += seconds
        self.ask()

    def ask(self) -> None:
        """Asks 1,000 fresh sessions and counts who answers."""
        url = "agents/support/endpoint/protocols/openai/responses"
        counted: Counter[str] = Counter()
        for _ in range(SESSIONS):
            answer = self._client.post(url, json={"input": "ping"})
            counted[answer.json()["agent_reference"]["version"] if answer.is_success else str(answer.status_code)] += 1
        self.answers.append(counted)


def _on_the_wire() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="foundry-agents-") as folder,
        LocalAzure(Path(folder), provisioning_s=0, seed=SEED) as azure,
    ):
        project = azure.seed_project("rollouts")
        image = azure.push_image(project)
        with azure.client(project.name) as client, adapter(azure, project) as service:
            for number in ("1", "2", "3"):
                _post(azure, client, image, number)
            service.set_routes("support", [Route("1", 100)])
            crowd = _Crowd(client)
            plan = RolloutPlan(
                "support", "2", frozenset(), PollSettings(10, 1), STEPS, bake_s=1, smoke=SMOKE, owner=MINE
            )
            since = _last(azure)
            done = roll_out(service, plan, crowd, lambda _line: None)
            writes = [e.method for e in azure.journal(writes=True, since=since) if e.path.endswith("/agents/support")]
            crowd.ask()
            since = _last(azure)
            back = RolloutPlan(
                "support",
                "1",
                frozenset(),
                PollSettings(10, 1),
                STEPS,
                smoke=SMOKE,
                served=frozenset("12"),
                owner=MINE,
            )
            roll_out(service, back, crowd, lambda _line: None)
            way_back = azure.journal(writes=True, since=since)
            crowd.ask()
            active = {version.version for version in service.list_versions("support") if version.status == "active"}
    told = done.agent.percent_of("2")
    expected = [*({"1": 100 - step, "2": step} for step in STEPS), {"2": told}, {"1": 100}]
    off = [
        max(abs(100 * counted[version] / SESSIONS - share) for version, share in shares.items())
        for counted, shares in zip(crowd.answers, expected, strict=True)
    ]
    for step, points in zip((*STEPS, 100, "the way back"), off, strict=True):
        name = f"share at {step} %" if step != "the way back" else "share after the way back"
        yield Figure("37", f"{name} against {SESSIONS} fresh sessions, off by", points, "<=", 3, " points")
    strays = sum(count for counted in crowd.answers for version, count in counted.items() if version not in active)
    yield Figure("37", "answers from a version that is not active, of 4,000", strays, "=", 0)
    yield Figure("37", "answers from a version that no step names", sum(c["3"] for c in crowd.answers), "=", 0)
    yield Figure("37", "PATCHes of a canary 10, 50, 100", len(writes), "=", 3)
    yield Figure("9", "PATCHes of the way back", sum(entry.method == "PATCH" for entry in way_back), "=", 1)
    yield Figure("9", "POSTs of the way back", sum(entry.method == "POST" for entry in way_back), "=", 0)


def _post(azure: LocalAzure, client: httpx.Client, image: str, number: str) -> None:
    definition = {
        "kind": "hosted",
        "cpu": "1",
        "memory": "2Gi",
        "container_configuration": {"image": image},
        "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        "environment_variables": {"NUMBER": number},
    }
    body = {"definition": definition, "metadata": OwnershipMetadata(f"v1:{number}", OWNER).as_metadata()}
    client.post("agents/support/versions", json=body).raise_for_status()
    url = f"agents/support/versions/{number}"
    azure.wait_until(lambda: bool(client.get(url).json()["status"] == "active"))


def _last(azure: LocalAzure) -> int:
    return azure.journal()[-1].n


def _every_instant() -> Iterator[Figure]:
    became: list[Ended] = []
    with (
        tempfile.TemporaryDirectory(prefix="foundry-agents-") as folder,
        LocalAzure(Path(folder), provisioning_s=0, seed=SEED) as azure,
    ):
        project = azure.seed_project("rollouts")
        image = azure.push_image(project)
        with adapter(azure, project) as service, azure.client(project.name) as client:
            became.extend(ended(azure, service, client, image, seed) for seed in range(SEEDS))
    of = f"{SEEDS} rollouts with a fault in each"
    yield Figure("43", f"instants without an active routed version, {of}", sum(len(b.dark) for b in became), "=", 0)
    yield Figure("43", "faults among them that had an effect", sum(b.struck for b in became), ">=", 0.8 * SEEDS)
    yield Figure("38", "failed ones that did not put back what was found", sum(not b.restored for b in became), "=", 0)
    yield Figure("38", "runs after a fault that did not end as asked", sum(not b.finished for b in became), "=", 0)
    yield Figure(
        "44", "sessions left, where no answer was lost and no run killed", sum(b.sessions for b in became), "=", 0
    )


def _two_deployers() -> Iterator[Figure]:
    turned = silent = 0
    for seed in range(INTERLEAVINGS):
        service, ended = interleave(seed)
        turned += flips(service.history)
        silent += sum(error is not None and "changed by another writer" not in str(error) for error in ended.values())
    yield Figure("10", f"flips back and forth, {INTERLEAVINGS} interleavings of two deployers", turned, "=", 0)
    yield Figure("10", "losers that do not say what happened", silent, "=", 0)


def _ways_back() -> Iterator[Figure]:
    wrong = Smoke("ping", "contains", "pong")
    service = rollouts.service_with(Route("1", 100))
    rollouts.run(service, rollouts.plan(smoke=wrong))
    yield Figure("44", "writes to the routing for a version that fails in the dark", len(service.deployments), "=", 0)
    left = sum(map(len, service.sessions.values()))
    yield Figure("44", "sessions left by smoke tests", left, "=", 0)


def _weights() -> Iterator[Figure]:
    refused = 0
    for routes in (
        [Route("1", 74)],
        [Route("1", 60), Route("2", 41)],
        [Route("1", -1), Route("2", 101)],
        [Route("1", 50), Route("1", 50)],
    ):
        try:
            checked(Routing(tuple(routes)))
        except InputError:
            refused += 1
    yield Figure("39", "of 4 senseless weights refused before a request", refused, "=", 4)
    yield Figure(
        "39", "shares of 0 accepted", len(checked(Routing((Route("1", 0), Route("2", 100)))).routes) - 1, "=", 1
    )


def _what_stays() -> Iterator[Figure]:
    service = _ten_versions()
    service.sessions["support"] = {"session": "5"}
    agent = service.get_agent("support")
    assert agent is not None
    prune(service, agent, owner=MINE, keep=3, staying=frozenset({"10"}))
    yield Figure(
        "53", "versions left of 10: keep 3, one routed, one with a session", len(service.statuses_left()), "=", 5
    )

    service = _ten_versions()
    service.failing = {"delete_agent": ConflictError("active sessions", operation="DELETE", status=409)}
    try:
        _remove(service, force=False)
    except ConflictError:
        yield Figure("50", "versions deleted under a live session", 10 - len(service.statuses_left()), "=", 0)
    _remove(service, force=True)
    yield Figure("50", "versions left after force", len(service.statuses_left()), "=", 0)
    before = len(service.writes)
    _remove(service, force=False)
    yield Figure("48", "writes of a second destroy", len(service.writes) - before, "=", 0)


def _ten_versions() -> FaultyService:
    service = FaultyService()
    for number in range(1, 11):
        service.has(str(number), ownership=owned(f"v1:{number}"))
    service.routes["support"] = (Route("2", 100),)
    return service


def _remove(service: FaultyService, *, force: bool) -> None:
    remove(service, "support", owner=MINE, claim=PROVED, force=force, clock=FastClock(), patience=PollSettings(10, 1))
