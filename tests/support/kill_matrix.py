"""Case 1: killed at one of six points, then one clean run. Nothing may be there twice, and nothing be left over."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.outcomes import Made
from foundry_agents.lifecycle.versions import VersionPlan
from foundry_agents.lifecycle.views import VersionView
from foundry_emulator.dataplane.agents import Version
from tests.support.virtual_bench import Bench, Killed, Process


class Cut(StrEnum):
    """Where the process ends."""

    BEFORE_POST = "before the POST"
    AFTER_POST = "after the POST, before its reply"
    AFTER_REPLY = "after the reply, before the checkpoint"
    MID_WAIT = "in the middle of the wait"
    BEFORE_PATCH = "after active, before the PATCH"
    AFTER_PATCH = "after the PATCH, before its reply"


class History(StrEnum):
    """What was there before."""

    NOTHING = "nothing"
    PINNED = "a version that has all traffic by its number"
    LATEST = "a version that the endpoint follows as @latest"


@dataclass(frozen=True)
class Survived:
    """What was there after the clean run.

    Attributes:
        scenario: Cut, seed, and what was drawn.
        killed: How many runs were cut.
        posts: How often the version was posted.
        duplicates: Versions of the same definition beyond one.
        orphans: Versions that no run asked for, and versions that are not active.
        traffic_as_asked: The version that was asked for has all of it.
    """

    scenario: str
    killed: int
    posts: int
    duplicates: int
    orphans: int
    traffic_as_asked: bool

    @property
    def clean(self) -> bool:
        """Nothing twice, nothing left over, one POST, traffic as asked."""
        found = (self.killed > 0, self.posts, self.duplicates, self.orphans, self.traffic_as_asked)
        return found == (True, 1, 0, 0, True)


def matrix(bench: Bench, seeds: Iterable[int]) -> Iterator[Survived]:
    """Yield all six points, each with these seeds."""
    for seed in seeds:
        for cut in Cut:
            yield survive(bench, cut, seed)
    bench.reset()


def survive(bench: Bench, cut: Cut, seed: int) -> Survived:
    """Play one scenario: history, a run that is killed (perhaps two), a pause, a clean run."""
    chance = random.Random(f"{cut} {seed}")
    history = chance.choice(list(History))
    agent = bench.name()
    bench.azure.control.set(
        dedup=chance.choice(["off", "definition", "all"]), provisioning_s=chance.choice([6, 31, 290])
    )
    former = _before(bench, agent, history)
    plan = bench.plan(agent, environment={"GREETING": "Hello"})
    since = bench.now()

    cuts = [cut, *chance.choices(list(Cut), k=chance.choice([0, 0, 1]))]
    killed = 0
    for point in cuts:
        with bench.process() as process:
            try:
                arm(process, point, chance)
                process.up(plan)
            except Killed:
                killed += 1
        bench.clock().sleep(chance.choice([0, 1, 400]))
    made = bench.up(plan)

    return Survived(
        scenario=f"killed {', '.join(cuts)}; seed {seed}; history: {history}",
        killed=killed,
        posts=len(bench.posts(agent, since=since)),
        duplicates=count_of(bench, agent, plan) - 1,
        orphans=_orphans(bench, agent, former, made),
        traffic_as_asked=bench.traffic(agent) == {made.view.version: 100},
    )


def _before(bench: Bench, agent: str, history: History) -> Made[VersionView] | None:
    if history is History.NOTHING:
        return None
    plan = bench.plan(agent)
    with bench.process() as process:
        return process.up(plan) if history is History.PINNED else process.make(plan)


def arm(process: Process, cut: Cut, chance: random.Random) -> None:
    """Kill the process at that point; a PATCH before the POST pins the serving version and does not count."""
    posted = False
    sleeps = itertools.count(1)
    last_sleep = chance.randint(1, 4)

    def kill_at(reached: Mapping[Cut, bool]) -> None:
        if reached.get(cut):
            raise Killed

    def before(method: str, path: str) -> None:
        patch = posted and method == "PATCH"
        kill_at({Cut.BEFORE_POST: _is_post(method, path), Cut.AFTER_REPLY: posted, Cut.BEFORE_PATCH: patch})

    def after(method: str, path: str) -> None:
        nonlocal posted
        kill_at({Cut.AFTER_POST: _is_post(method, path), Cut.AFTER_PATCH: posted and method == "PATCH"})
        posted = posted or _is_post(method, path)

    def on_sleep() -> None:
        kill_at({Cut.MID_WAIT: next(sleeps) == last_sleep})

    process.wire.before, process.wire.after, process.clock.on_sleep = before, after, on_sleep


def _is_post(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("/versions")


def count_of(bench: Bench, agent: str, plan: VersionPlan) -> int:
    """Return how many versions of this definition the service has."""
    return sum(_fingerprint(version) == plan.ownership.fingerprint for version in bench.versions(agent).values())


def _fingerprint(version: Version) -> str:
    metadata = version.document["metadata"]
    assert isinstance(metadata, dict)
    key = next(name for name in OwnershipMetadata("", "").as_metadata() if name.endswith("fingerprint"))
    return str(metadata.get(key))


def _orphans(bench: Bench, agent: str, former: Made[VersionView] | None, made: Made[VersionView]) -> int:
    asked_for = {made.view.version} | ({former.view.version} if former else set())
    statuses = bench.statuses(agent)
    return sum(number not in asked_for or status != "active" for number, status in statuses.items())
