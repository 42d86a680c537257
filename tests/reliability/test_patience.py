"""Waiting, throttling and late roles through the real adapter: what takes an hour takes no time here."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VersionFailedError, VersionGoneError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import ProjectNotFoundError, ResponseLostError, ThrottledError
from foundry_agents.lifecycle.outcomes import Outcome
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.roles import ACR_PULL
from foundry_agents.lifecycle.versions import VersionPlan
from foundry_emulator.arm.roles import REPOSITORY_READER
from foundry_emulator.testing import SeededProject
from tests.support.virtual_bench import PATIENCE, Bench

LIMIT_S = PATIENCE.timeout_s + PATIENCE.interval_s
"""The deadline and one poll."""


def _fault(bench: Bench, agent: str, method: str, **rule: object) -> None:
    path = {"POST": "/versions$", "GET": "/versions/[0-9]+$"}[method]
    bench.azure.control.fault(method=method, path=f"/agents/{agent}{path}", **rule)


def _script(bench: Bench, agent: str, *steps: tuple[str, float]) -> None:
    error = {"code": "CodeError", "message": "exit code 1"}
    bench.azure.control.set(
        scripts=[
            {
                "agent": agent,
                "steps": [
                    {"status": status, "for_s": for_s, "error": error if status == "failed" else None}
                    for status, for_s in steps
                ],
            }
        ]
    )


def _timed(bench: Bench, plan: VersionPlan) -> tuple[Outcome | FoundryAgentsError, float]:
    start = bench.time.now()
    with bench.process() as process:
        try:
            return process.make(plan).outcome, bench.time.now() - start
        except FoundryAgentsError as error:
            return error, bench.time.now() - start


# --- Throttled and broken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", range(1, 9))
def test_some_5xx_in_a_row_while_waiting_need_no_second_post(bench: Bench, row: int) -> None:
    """Cases 28 and 30: 1 to 8 in a row."""
    agent = bench.name()
    _fault(bench, agent, "GET", status=random.Random(row).choice([500, 502, 503, 504]), times=row)
    outcome, took = _timed(bench, bench.plan(agent))
    assert outcome is Outcome.CREATED
    assert len(bench.posts(agent)) == 1
    assert took <= LIMIT_S


@pytest.mark.parametrize("row", range(1, 9))
def test_after_429s_each_post_waits_as_long_as_the_service_says(bench: Bench, row: int) -> None:
    """Case 28: Retry-After with seconds, kept to a second."""
    agent, pause = bench.name(), random.Random(row).randint(1, 30)
    _fault(bench, agent, "POST", status=429, retry_after=str(pause), times=row)
    outcome, _ = _timed(bench, bench.plan(agent))
    times = [post.time for post in bench.posts(agent)]
    assert outcome is Outcome.CREATED
    assert len(times) == row + 1
    assert all(pause <= after - before <= pause + 1 for before, after in itertools.pairwise(times))
    assert bench.statuses(agent) == {"1": "active"}


def test_a_retry_after_date_is_respected_to_the_second(bench: Bench) -> None:
    """Case 28."""
    agent = bench.name()
    when = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=40), usegmt=True)
    _fault(bench, agent, "POST", status=429, retry_after=when, times=1)
    outcome, _ = _timed(bench, bench.plan(agent))
    first, second = bench.posts(agent)
    assert outcome is Outcome.CREATED
    assert 38 <= second.time - first.time <= 41


@pytest.mark.parametrize("retry_after", [None, "30", "100000"])
def test_throttling_that_never_stops_is_an_error_inside_the_deadline(bench: Bench, retry_after: str | None) -> None:
    """Case 28: total at most the deadline and one poll; the last request id is in the error."""
    agent = bench.name()
    _fault(bench, agent, "POST", status=429, retry_after=retry_after)
    error, took = _timed(bench, bench.plan(agent))
    assert isinstance(error, ThrottledError)
    assert took <= LIMIT_S
    assert bench.posts(agent)[-1].request_id in str(error)
    assert bench.statuses(agent) == {}


@pytest.mark.parametrize(
    "rule",
    [
        {"status": 500},
        {"status": 429},
        {"status": 429, "retry_after": "30"},
        {"status": 503, "retry_after": "3000"},
        {"action": "reset_before_commit"},
    ],
    ids=["500", "429", "429 for 30 s", "503 for 50 min", "reset"],
)
def test_reads_that_never_return_end_the_wait_at_its_deadline(bench: Bench, rule: Mapping[str, object]) -> None:
    """Cases 4, 28 and 73: an error by the deadline and one poll, and the next run goes on."""
    agent = bench.name()
    _fault(bench, agent, "GET", **rule)
    error, took = _timed(bench, replace(bench.plan(agent), patience=PollSettings(timeout_s=60, interval_s=5)))
    assert isinstance(error, WaitTimeoutError)
    assert took <= 60 + 5
    bench.azure.control.clear_faults()
    assert bench.up(bench.plan(agent)).outcome is Outcome.ADOPTED
    assert len(bench.posts(agent)) == 1


@pytest.mark.parametrize("row", [2, 3, 8])
def test_posts_that_are_lost_more_than_once_are_an_error_and_the_next_run_succeeds(bench: Bench, row: int) -> None:
    """Case 4."""
    agent = bench.name()
    _fault(bench, agent, "POST", status=500, times=row)
    error, _ = _timed(bench, bench.plan(agent))
    assert isinstance(error, ResponseLostError)
    assert (len(bench.posts(agent)), bench.statuses(agent)) == (2, {})
    bench.azure.control.clear_faults()
    bench.up(bench.plan(agent))
    assert bench.statuses(agent) == {"1": "active"}


# --- Slow, late and shaky ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provisioning_s", [0, 31, 290, 400, 590])
def test_a_slow_version_is_waited_for(bench: Bench, provisioning_s: float) -> None:
    """Case 31, and case 70 for one agent: our share is at most one poll and 1 s. foundry-samples#577"""
    bench.azure.control.set(provisioning_s=provisioning_s)
    outcome, took = _timed(bench, bench.plan(bench.name()))
    assert outcome is Outcome.CREATED
    assert took - provisioning_s <= PATIENCE.interval_s + 1


@pytest.mark.parametrize("reads", [1, 2, 3, 4, 5])
def test_a_version_that_is_not_visible_yet_is_waited_for(bench: Bench, reads: int) -> None:
    """Case 26. pulumi-azure-native#1126"""
    agent = bench.name()
    _fault(bench, agent, "GET", status=404, body=_missing(agent), times=reads)
    outcome, _ = _timed(bench, bench.plan(agent))
    assert outcome is Outcome.CREATED
    assert len(bench.posts(agent)) == 1


def test_a_version_that_never_becomes_visible_is_an_error(bench: Bench) -> None:
    """Case 26."""
    agent = bench.name()
    _fault(bench, agent, "GET", status=404, body=_missing(agent))
    error, _ = _timed(bench, bench.plan(agent))
    assert isinstance(error, VersionGoneError)


def _missing(agent: str) -> dict[str, object]:
    return {"error": {"code": "not_found", "message": f"Agent {agent} with version 1 not found"}}


@pytest.mark.parametrize("seed", range(20))
def test_a_status_that_flickers_counts_only_when_two_reads_agree(bench: Bench, seed: int) -> None:
    """Case 24: 0 early verdicts."""
    chance, agent = random.Random(seed), bench.name()
    # The read that confirms comes 0.5 s after the other: each state is shorter, and away for longer than that.
    flicker = [(status, chance.uniform(0.26, 0.45)) for status in ("creating", "active", "failed") * 4]
    last = chance.choice(["active", "failed"])
    _script(bench, agent, *flicker[: -1 if last == "failed" else -2], (last, 0))
    outcome, _ = _timed(bench, bench.plan(agent))
    if last == "active":
        assert outcome is Outcome.CREATED
        assert bench.statuses(agent) == {"1": "active"}
    else:
        assert isinstance(outcome, VersionFailedError)
        assert bench.statuses(agent) == {}


def test_a_new_project_is_retried_for_100_seconds_five_seconds_apart(bench: Bench) -> None:
    """Case 29: the data plane does not know its host name yet."""
    agent = bench.name()
    body = {"error": {"code": "404", "message": "Subdomain does not map to a resource."}}
    rule = {"method": "GET", "path": f"/agents/{agent}$", "status": 404, "body": body}
    bench.azure.control.fault(**rule, times=10)
    outcome, took = _timed(bench, bench.plan(agent))
    assert outcome is Outcome.CREATED
    assert 50 + 31 <= took <= 50 + 31 + PATIENCE.interval_s + 1
    bench.azure.control.clear_faults()

    other = bench.name()
    bench.azure.control.fault(**{**rule, "path": f"/agents/{other}$"})
    error, took = _timed(bench, bench.plan(other))
    assert isinstance(error, ProjectNotFoundError)
    assert took == pytest.approx(100)
    assert len(bench.requests(other)) == 21


# --- A pull role that is late -----------------------------------------------------------------------------------------


def _late(bench: Bench, number: int, role_after_s: float | None) -> tuple[SeededProject, VersionPlan]:
    project = bench.azure.seed_project(f"late-{number}", pull_role=False)
    image = bench.azure.push_image(project)
    if role_after_s is not None:
        bench.azure.control.set(role_delay_s=role_after_s)
        bench.azure.grant(project.principal_id, REPOSITORY_READER, project.registry_id)
    plan = bench.plan(bench.name(), image=image)
    return project, replace(plan, pull_grace_s=600, pull_identity=project.principal_id)


@pytest.mark.parametrize("role_after_s", [0, 30, 120, 300])
def test_a_pull_role_that_is_late_is_waited_for_within_its_budget(bench: Bench, role_after_s: int) -> None:
    """Case 22: active within 600 s in one run; at most 5 POSTs, 1 version left. azd#7515, azd#7529"""
    project, plan = _late(bench, role_after_s, role_after_s)
    start = bench.time.now()
    with bench.process(project) as process:
        made = process.make(plan)
    assert made.view.status == "active"
    assert bench.time.now() - start <= 600
    assert len(bench.posts(plan.agent)) <= 5
    assert bench.statuses(plan.agent, project.name) == {made.view.version: "active"}


def test_a_pull_role_that_never_comes_is_an_error_with_principal_role_and_registry(bench: Bench) -> None:
    """Case 22, the end of it: after 600 s; nothing is left."""
    project, plan = _late(bench, 9999, None)
    start = bench.time.now()
    with (
        bench.process(project) as process,
        pytest.raises(VersionFailedError) as caught,
    ):
        process.make(plan)
    assert bench.time.now() - start <= 600
    for part in (project.principal_id, ACR_PULL, str(plan.definition.image).partition("/")[0]):
        assert part in str(caught.value)
    assert 2 <= len(bench.posts(plan.agent)) <= 5
    assert bench.statuses(plan.agent, project.name) == {}
