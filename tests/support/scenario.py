"""Case 78: runs, kills, faults, edits from outside and time, in any order; then two quiet runs settle it.

`python -m tests.support.scenario --steps 10000` lives through as many, which a nightly run has time for.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

import httpx
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.retention import remove
from foundry_agents.lifecycle.versions import VersionPlan, retire
from tests.support.claims import PROVED
from tests.support.kill_matrix import Cut, arm, count_of
from tests.support.virtual_bench import OWNER, PATIENCE, Bench, Killed, Process, virtual_bench

WORDS = st.sampled_from(["Hello", "Howdy", "Ahoy"])
FAULTS = st.sampled_from(
    [
        {"status": 500},
        {"status": 503},
        {"status": 429, "retry_after": "7"},
        {"status": 401},
        {"status": 403},
        {"action": "reset_before_commit"},
        {"action": "commit_then_reset"},
        {"action": "cut_json"},
    ]
)

MINE = Owner(OWNER)


class Scenario(RuleBasedStateMachine):
    """One agent's life. ``held`` is the version in Pulumi's state, ``word`` what the program says."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench = bench
        self.agent = bench.name()
        self.neighbour = bench.name()
        self.word = "Hello"
        self.held: str | None = None
        self.edited = False
        self.chance = random.Random(0)

    @initialize(provisioning_s=st.sampled_from([0, 6, 31, 290]), dedup=st.sampled_from(["off", "definition", "all"]))
    def begins(self, provisioning_s: float, dedup: str) -> None:
        self.bench.azure.control.clear_faults()
        self.bench.azure.control.set(provisioning_s=provisioning_s, dedup=dedup)
        with self.bench.process() as process:
            process.service.create_version(self.neighbour, self.plan("theirs").definition, {"team": "another"})

    def plan(self, word: str) -> VersionPlan:
        return self.bench.plan(self.agent, environment={"GREETING": word})

    @rule(word=WORDS)
    def up(self, word: str) -> None:
        self._run(word)

    @rule(word=WORDS, cut=st.sampled_from(Cut))
    def up_is_killed(self, word: str, cut: Cut) -> None:
        self._run(word, cut)

    def _run(self, word: str, cut: Cut | None = None) -> None:
        self.word = word
        with self.bench.process() as process:
            try:
                if cut:
                    arm(process, cut, self.chance)
                self._refresh(process)
                made = process.make(self.plan(word))
                if cut not in {None, Cut.BEFORE_PATCH, Cut.AFTER_PATCH}:
                    return
                # The engine has its checkpoint between the two resources.
                self.held, self.edited = made.view.version, False
                process.roll_out(self.agent, self.held)
            except (FoundryAgentsError, Killed):
                return

    def _refresh(self, process: Process) -> None:
        if self.held is None:
            return
        seen = process.service.get_version(self.agent, self.held)
        if seen is None or seen.status == "failed":
            self.held = None
        self.edited = False

    @rule(word=WORDS)
    def up_and_the_old_version_is_retired(self, word: str) -> None:
        """As a bare HostedAgentVersion is replaced, without ``retain_on_delete``."""
        old = self.held
        self._run(word)
        if old in {None, self.held}:
            return
        with self.bench.process() as process:
            try:
                retire(process.service, self.agent, str(old), owner=MINE, force=False)
            except FoundryAgentsError:
                return

    @rule()
    def destroy(self) -> None:
        with self.bench.process() as process:
            try:
                remove(
                    process.service,
                    self.agent,
                    owner=MINE,
                    claim=PROVED,
                    force=True,
                    clock=process.clock,
                    patience=PATIENCE,
                )
            except FoundryAgentsError:
                self.edited = True  # the next refresh finds out what is left
                return
        self.held = None

    @rule(word=WORDS, fault=FAULTS, where=st.sampled_from(["GET", "POST", "PATCH", ""]), times=st.integers(1, 3))
    def up_while_something_breaks(self, word: str, fault: dict[str, object], where: str, times: int) -> None:
        """The rest of the fault hits the next process."""
        self.bench.azure.control.fault(**fault, method=where or None, path=f"/agents/{self.agent}", times=times)
        self._run(word)

    @rule(seconds=st.sampled_from([1, 60, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.bench.clock().sleep(seconds)

    @precondition(lambda self: self.bench.versions(self.agent))
    @rule(which=st.integers(0, 9))
    def someone_else_deletes_a_version(self, which: int) -> None:
        numbers = list(self.bench.versions(self.agent))
        self._by_hand("DELETE", f"/versions/{numbers[which % len(numbers)]}?force=true")

    @precondition(lambda self: self.bench.versions(self.agent))
    @rule(which=st.integers(0, 9))
    def someone_else_moves_the_traffic(self, which: int) -> None:
        number = [*self.bench.versions(self.agent), "@latest"][which % (len(self.bench.versions(self.agent)) + 1)]
        rules = [{"type": "FixedRatio", "agent_version": number, "traffic_percentage": 100}]
        self._by_hand("PATCH", "", {"agent_endpoint": {"version_selector": {"version_selection_rules": rules}}})

    @precondition(lambda self: self.bench.versions(self.agent))
    @rule()
    def someone_else_switches_the_agent_off(self) -> None:
        self._by_hand("POST", ":disable")

    @precondition(lambda self: self.bench.versions(self.agent))
    @rule()
    def someone_else_deletes_the_agent(self) -> None:
        self._by_hand("DELETE", "?force=true")

    def _by_hand(self, method: str, path: str, body: object = None) -> None:
        self.edited = True
        with self.bench.azure.client(self.bench.project.name) as client:
            # A fault may hit it too; then the edit did not happen.
            try:
                client.request(method, f"agents/{self.agent}{path}", json=body)
            except httpx.HTTPError:
                return

    @invariant()
    def what_state_holds_is_in_the_service(self) -> None:
        if self.held is not None and not self.edited:
            assert self.bench.statuses(self.agent).get(self.held) == "active"

    def teardown(self) -> None:
        """The trouble stops; two runs must do, and a third has nothing to write."""
        self.bench.azure.control.clear_faults()
        plan = self.plan(self.word)
        try:
            self.bench.up(plan)
        except FoundryAgentsError:
            self.bench.up(plan)
        since = self.bench.now()
        made = self.bench.up(plan)
        assert self.bench.writes(self.agent, since=since) == []
        assert self.bench.statuses(self.agent)[made.view.version] == "active"
        assert self.bench.traffic(self.agent) == {made.view.version: 100}
        assert count_of(self.bench, self.agent, plan) == 1
        assert self.bench.enabled(self.agent)
        assert len(self.bench.requests(self.neighbour)) == 1, "0 writes to what is not ours"


def live_through(bench: Bench, *, scenarios: int, steps: int, chance: int | None = None) -> int:
    """Play this many scenarios of at most so many steps; raise AssertionError for the first that does not settle.

    Args:
        bench: The service.
        scenarios: How many.
        steps: Of each, at most.
        chance: A seed; None takes the same scenarios each time.

    Returns:
        How many settled.
    """
    settled = 0

    class ScenarioHere(Scenario):
        def __init__(self) -> None:
            super().__init__(bench)

        def teardown(self) -> None:
            nonlocal settled
            super().teardown()
            settled += 1

    how = settings(
        max_examples=scenarios,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=chance is None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(ScenarioHere if chance is None else seed(chance)(ScenarioHere), settings=how)
    bench.reset()
    return settled


STEPS_OF_A_SCENARIO = 10


def main() -> None:
    """Play this many steps; print code that repeats the first scenario that does not settle."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.scenario", description=__doc__)
    parser.add_argument("--steps", type=int, default=500, help="of all scenarios together; a scenario has 10 at most")
    parser.add_argument("--seed", type=int, default=None, help="any number, for other scenarios than the usual ones")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, virtual_bench(Path(folder)) as bench:
        scenarios = max(1, given.steps // STEPS_OF_A_SCENARIO)
        settled = live_through(bench, scenarios=scenarios, steps=STEPS_OF_A_SCENARIO, chance=given.seed)
    print(f"{settled} scenarios of {STEPS_OF_A_SCENARIO} steps at most have settled")


if __name__ == "__main__":
    main()
