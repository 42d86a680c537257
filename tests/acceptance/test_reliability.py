"""Kills, repetition, lost responses, secrets, many agents at once. The journal of the local Azure is the evidence."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from foundry_agents.lifecycle.fingerprint import fingerprint
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from tests.support.bench import plugin_bench
from tests.support.failed_pulls import CAUSES, failed_pull, named_in
from tests.support.figures import Record
from tests.support.golden import EXAMPLES
from tests.support.history import (
    back,
    far_back,
    most_posts_of_one_attempt,
    posts_of_a_moved_tag,
    writes_of_a_second_run,
)
from tests.support.kill_matrix import Survived, matrix
from tests.support.many_agents import OVERHEAD_S, RATIO, measured
from tests.support.moves import MOVES_OF_A_LIFE, Counts, moved
from tests.support.plugin import running
from tests.support.recorded_states import held
from tests.support.round_trip import round_trips
from tests.support.scenario import live_through
from tests.support.secret_hits import hits
from tests.support.virtual_bench import virtual_bench

pytestmark = pytest.mark.acceptance

SEEDS = 50
ROUND_TRIPS = 5000
SCENARIOS, STEPS = 50, 10
MOVES = 10_000
AGENTS, PROVISIONING_S, POLL_S = 24, 10, 1
PROCESSES = 2


@dataclass(frozen=True)
class Computing:
    """What is computed in virtual time, on two cores at once; each test waits for its part.

    Attributes:
        history: Of agents with many versions.
        kills: Runs that are killed.
        trips: Inputs that came back as they were.
        scenarios: That settled.
        moves: Of names, targets and processes.
    """

    history: Future[list[tuple[str, str, float, str, float, str]]]
    kills: list[Future[list[Survived]]]
    trips: list[Future[int]]
    scenarios: Future[int]
    moves: list[Future[Counts]]


@pytest.fixture(scope="module")
def computing() -> Iterator[Computing]:
    """Compute everything at once, after the tests that measure time."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield Computing(
            history=pool.submit(_history),
            kills=[pool.submit(_kills, range(first, SEEDS, PROCESSES)) for first in range(PROCESSES)],
            trips=[pool.submit(_trips, ROUND_TRIPS // PROCESSES, seed) for seed in range(PROCESSES)],
            scenarios=pool.submit(_scenarios),
            moves=[pool.submit(_moves, share) for share in range(PROCESSES)],
        )


def test_the_plugin_waits_for_many_agents_at_once_and_shows_no_secret(figure: Record, tmp_path: Path) -> None:
    """Cases 23, 54, 70 and 74, through the plugin process over gRPC, in real time."""
    with plugin_bench(tmp_path) as bench:
        speed = measured(bench, agents=AGENTS, provisioning_s=PROVISIONING_S, poll_interval_s=POLL_S)
        figure("70", f"time of {AGENTS} agents at once, in times of one", speed.ratio, "<=", RATIO)
        limit = POLL_S + OVERHEAD_S
        figure("70", f"our share of one create, polling each {POLL_S} s", speed.overhead_s, "<=", limit, unit=" s")
        places = hits(bench)
        for place in places:
            print(f"a secret is shown: {place}")
        figure("54", "places that show a secret which the service echoes", len(places), "=", 0)
        right = sum(named_in(failed_pull(bench.agent(), cause)) == [cause] for cause in CAUSES)
        figure("23", f"failed pulls whose error names the right cause and remedy, of {len(CAUSES)}", right, "=", 3)
        states = list(held())
        changed = sum(bench.plugin.diff(s.blob, s.outputs, s.inputs, s.id).changes for s in states)
        figure("74", f"changes that today's code sees in {len(states)} recorded resources", changed, "=", 0)
        with running(bench.azure.env) as plugin:
            agent = bench.agent()
            state = agent.create(plugin)
            agent.delete(state, plugin)
            figure("memory", "peak memory of a plugin that creates and deletes", plugin.peak_mb, "<=", 150, unit=" MB")


def test_the_recorded_fingerprints_are_unchanged(figure: Record) -> None:
    """Case 16."""
    same = sum(
        fingerprint(VERSION_FIELDS.normalise(example["inputs"])[0]) == example["fingerprint"]  # type: ignore[arg-type]
        for example in EXAMPLES.values()
    )
    figure("16", f"golden fingerprints unchanged, of {len(EXAMPLES)}", same, "=", len(EXAMPLES))


def test_an_agent_with_a_history_is_adopted_reverted_and_left_alone(figure: Record, computing: Computing) -> None:
    """Cases 5, 8, 9, 12 and 20."""
    for number, name, value, comparison, target, unit in computing.history.result():
        figure(number, name, value, comparison, target, unit=unit)


def test_killed_runs_leave_no_duplicate_and_no_orphan(figure: Record, computing: Computing) -> None:
    """Case 1: 50 seeds, each killed at six points, and one clean run after each."""
    survived = [one for share in computing.kills for one in share.result()]
    for one in survived:
        if not one.clean:
            print(one)
    figure("1", "runs killed at one of six points", sum(one.killed > 0 for one in survived), "=", 6 * SEEDS)
    figure("1", "duplicates after them and one clean run each", sum(one.duplicates for one in survived), "=", 0)
    figure("1", "orphans", sum(one.orphans for one in survived), "=", 0)
    figure("1", "scenarios whose traffic is not as asked", sum(not one.traffic_as_asked for one in survived), "=", 0)
    figure("1", "most POSTs of one scenario", max(one.posts for one in survived), "=", 1)


def test_moves_of_names_targets_and_processes_lose_nothing(figure: Record, computing: Computing) -> None:
    """Case 91: in any order, in a model of the engine."""
    shares = [share.result() for share in computing.moves]
    losses = [loss for share in shares for loss in share.losses]
    for loss in losses[:3]:
        print(loss)
    figure("91", "moves of names, targets and processes", sum(share.moves for share in shares), ">=", MOVES)
    figure("91", "of them refused, with nothing lost", sum(share.refused for share in shares), ">=", 1)
    figure("91", "losses and left-overs among them", len(losses), "=", 0)


def test_two_undisturbed_runs_settle_an_agent_after_any_events(figure: Record, computing: Computing) -> None:
    """Case 78."""
    name = f"scenarios of {STEPS} steps that two quiet runs settle"
    figure("78", name, computing.scenarios.result(), ">=", SCENARIOS)


def test_inputs_are_read_back_from_the_service_unchanged(figure: Record, computing: Computing) -> None:
    """Case 15."""
    done = sum(share.result() for share in computing.trips)
    figure("15", "inputs that came back from the service as they were", done, "=", ROUND_TRIPS)


def _moves(share: int) -> Counts:
    lives = MOVES // MOVES_OF_A_LIFE // PROCESSES
    return moved(lives=lives, moves=MOVES_OF_A_LIFE, first_seed=share * lives)


def _kills(seeds: Sequence[int]) -> list[Survived]:
    with tempfile.TemporaryDirectory() as folder, virtual_bench(Path(folder)) as bench:
        return list(matrix(bench, seeds))


def _trips(examples: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder, virtual_bench(Path(folder)) as bench:
        return round_trips(bench, examples, seed)


def _scenarios() -> int:
    with tempfile.TemporaryDirectory() as folder, virtual_bench(Path(folder)) as bench:
        return live_through(bench, scenarios=SCENARIOS, steps=STEPS)


def _history() -> list[tuple[str, str, float, str, float, str]]:
    with tempfile.TemporaryDirectory() as folder, virtual_bench(Path(folder)) as bench:
        found, again = far_back(bench), back(bench)
        same, moved = posts_of_a_moved_tag(bench)
        return [
            ("8", "list calls to adopt the oldest of 1,000 versions", found.lists, "<=", 11, ""),
            ("8", "CPU of it", found.cpu_s, "<=", 2, " s"),
            ("8", "POSTs of it", found.posts, "=", 0, ""),
            ("9", "POSTs of a change that is taken back", again.posts, "=", 0, ""),
            ("9", "PATCHes of it", again.patches, "=", 1, ""),
            ("9", "duplicates of it", again.duplicates, "=", 0, ""),
            ("20", "POSTs of a new tag on the same digest", same, "=", 0, ""),
            ("20", "POSTs of the old tag on a new digest", moved, "=", 1, ""),
            ("12", "writes of an `up` that changes nothing", writes_of_a_second_run(bench), "=", 0, ""),
            ("5", "most POSTs on the wire for one of ours", most_posts_of_one_attempt(bench), "=", 1, ""),
        ]
