"""Rollouts: measured shares, an active version at every instant, concurrent deployers, rollbacks and retention."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import httpx
import pytest

from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.lifecycle.failure.service_errors import ConflictError
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
from tests.support import rollouts
from tests.support.claims import PROVED
from tests.support.deployers import INTERLEAVINGS, flips, interleave
from tests.support.figures import Record
from tests.support.service import FaultyService, owned
from tests.support.settings import OWNER
from tests.support.watched_azure import Ended, adapter, ended

pytestmark = pytest.mark.acceptance

SESSIONS = 1_000
SEEDS = 50
SEED = 20_26
STEPS = (10, 50)
SMOKE = Smoke("ping", "contains", "Echo: ping")

MINE = Owner(OWNER)


class _Callers:
    """A clock whose every second asks the agent in 1,000 fresh sessions: what callers see during the bake time."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._now = 0.0
        self.answers: list[Counter[str]] = []

    def now(self) -> float:
        """Return the seconds slept so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Ask 1,000 times: this is one second of this clock."""
        self._now += seconds
        self.ask()

    def ask(self) -> None:
        """Ask 1,000 fresh sessions and count who answers."""
        url = "agents/support/endpoint/protocols/openai/responses"
        counted: Counter[str] = Counter()
        for _ in range(SESSIONS):
            answer = self._client.post(url, json={"input": "ping"})
            counted[answer.json()["agent_reference"]["version"] if answer.is_success else str(answer.status_code)] += 1
        self.answers.append(counted)


def test_callers_see_the_shares_of_each_step_and_of_a_rollback(figure: Record) -> None:
    """Cases 9 and 37: 1,000 fresh sessions at each step of a canary and after its rollback."""
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
            callers = _Callers(client)
            plan = RolloutPlan(
                "support", "2", frozenset(), PollSettings(10, 1), STEPS, bake_s=1, smoke=SMOKE, owner=MINE
            )
            since = _last(azure)
            done = roll_out(service, plan, callers, lambda _line: None)
            writes = [e.method for e in azure.journal(writes=True, since=since) if e.path.endswith("/agents/support")]
            callers.ask()
            since = _last(azure)
            rollback = RolloutPlan(
                "support",
                "1",
                frozenset(),
                PollSettings(10, 1),
                STEPS,
                smoke=SMOKE,
                served=frozenset("12"),
                owner=MINE,
            )
            roll_out(service, rollback, callers, lambda _line: None)
            undone = azure.journal(writes=True, since=since)
            callers.ask()
            active = {version.version for version in service.list_versions("support") if version.status == "active"}
    reported = done.agent.percent_of("2")
    expected = [*({"1": 100 - step, "2": step} for step in STEPS), {"2": reported}, {"1": 100}]
    off = [
        max(abs(100 * counted[version] / SESSIONS - share) for version, share in shares.items())
        for counted, shares in zip(callers.answers, expected, strict=True)
    ]
    for step, points in zip((*STEPS, 100, "rollback"), off, strict=True):
        name = f"share at {step} %" if step != "rollback" else "share after the rollback"
        figure("37", f"{name} against {SESSIONS} fresh sessions, off by", points, "<=", 3, unit=" points")
    strays = sum(count for counted in callers.answers for version, count in counted.items() if version not in active)
    figure("37", "answers from a version that is not active, of 4,000", strays, "=", 0)
    figure("37", "answers from a version that no step names", sum(c["3"] for c in callers.answers), "=", 0)
    figure("37", "PATCHes of a canary 10, 50, 100", len(writes), "=", 3)
    figure("9", "PATCHes of the rollback", sum(entry.method == "PATCH" for entry in undone), "=", 1)
    figure("9", "POSTs of the rollback", sum(entry.method == "POST" for entry in undone), "=", 0)


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


def test_at_every_instant_of_a_rollout_an_active_version_is_routed(figure: Record) -> None:
    """Cases 38, 43 and 44: 50 rollouts over the real SDK with a fault in each."""
    results: list[Ended] = []
    with (
        tempfile.TemporaryDirectory(prefix="foundry-agents-") as folder,
        LocalAzure(Path(folder), provisioning_s=0, seed=SEED) as azure,
    ):
        project = azure.seed_project("rollouts")
        image = azure.push_image(project)
        with adapter(azure, project) as service, azure.client(project.name) as client:
            results.extend(ended(azure, service, client, image, seed) for seed in range(SEEDS))
    of = f"{SEEDS} rollouts with a fault in each"
    figure(
        "43",
        f"instants without an active routed version, {of}",
        sum(len(result.unserved) for result in results),
        "=",
        0,
    )
    figure("43", "faults among them that had an effect", sum(result.struck for result in results), ">=", 0.8 * SEEDS)
    figure(
        "38",
        "failed ones that did not restore the previous routing",
        sum(not result.restored for result in results),
        "=",
        0,
    )
    figure("38", "runs after a fault that did not end as asked", sum(not result.finished for result in results), "=", 0)
    figure(
        "44",
        "sessions left, where no answer was lost and no run killed",
        sum(result.sessions for result in results),
        "=",
        0,
    )


def test_two_deployers_at_once_never_move_traffic_back_and_forth(figure: Record) -> None:
    """Case 10."""
    flipped = silent = 0
    for seed in range(INTERLEAVINGS):
        service, outcomes = interleave(seed)
        flipped += flips(service.history)
        silent += sum(
            error is not None and "changed by another writer" not in str(error) for error in outcomes.values()
        )
    figure("10", f"flips back and forth, {INTERLEAVINGS} interleavings of two deployers", flipped, "=", 0)
    figure("10", "losers that do not say what happened", silent, "=", 0)


def test_a_version_that_fails_its_smoke_test_gets_no_traffic(figure: Record) -> None:
    """Case 44: the routing is not written, and no session is left."""
    wrong = Smoke("ping", "contains", "pong")
    service = rollouts.service_with(Route("1", 100))
    rollouts.run(service, rollouts.plan(smoke=wrong))
    figure("44", "writes to the routing for a version that fails before traffic", len(service.deployments), "=", 0)
    left = sum(map(len, service.sessions.values()))
    figure("44", "sessions left by smoke tests", left, "=", 0)


def test_senseless_weights_are_refused_before_a_request(figure: Record) -> None:
    """Case 39."""
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
    figure("39", "of 4 senseless weights refused before a request", refused, "=", 4)
    figure("39", "shares of 0 accepted", len(checked(Routing((Route("1", 0), Route("2", 100)))).routes) - 1, "=", 1)


def test_what_is_in_use_survives_retention_and_what_is_not_is_deleted(figure: Record) -> None:
    """Cases 48, 50 and 53."""
    service = _ten_versions()
    service.sessions["support"] = {"session": "5"}
    agent = service.get_agent("support")
    assert agent is not None
    prune(
        service, agent, versions=list(service.list_versions("support")), owner=MINE, keep=3, staying=frozenset({"10"})
    )
    figure("53", "versions left of 10: keep 3, one routed, one with a session", len(service.statuses_left()), "=", 5)

    service = _ten_versions()
    service.failing = {"delete_agent": ConflictError("active sessions", operation="DELETE", status=409)}
    try:
        _remove(service, force=False)
    except ConflictError:
        figure("50", "versions deleted under a live session", 10 - len(service.statuses_left()), "=", 0)
    _remove(service, force=True)
    figure("50", "versions left after force", len(service.statuses_left()), "=", 0)
    before = len(service.writes)
    _remove(service, force=False)
    figure("48", "writes of a second destroy", len(service.writes) - before, "=", 0)


def _ten_versions() -> FaultyService:
    service = FaultyService()
    for number in range(1, 11):
        service.has(str(number), ownership=owned(f"v1:{number}"))
    service.routes["support"] = (Route("2", 100),)
    return service


def _remove(service: FaultyService, *, force: bool) -> None:
    remove(service, "support", owner=MINE, claim=PROVED, force=force, clock=FastClock(), patience=PollSettings(10, 1))
