"""Agents with many versions: a match far back, a rollback, a run that changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from foundry_agents.lifecycle.failure.service_errors import ServiceError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.outcomes import Outcome
from tests.support.virtual_bench import OWNER, Bench


@dataclass(frozen=True)
class FarBack:
    """What it took to adopt the oldest of many versions, and what is said to one more."""

    outcome: Outcome
    version: str
    posts: int
    lists: int
    cpu_s: float
    one_more: str


def far_back(bench: Bench, versions: int = 1000) -> FarBack:
    """Ours is the oldest of so many versions of this stack, 100 to a page."""
    agent = bench.name()
    plan = bench.plan(agent, environment={"GREETING": "Hello"})
    bench.up(plan)
    (first,) = bench.versions(agent).values()
    definition = first.definition

    def fill() -> None:
        agents = bench.azure.emulator.agents
        for number in range(2, versions + 1):
            ownership: Mapping[str, str] = OwnershipMetadata(f"v1:{number}", OWNER).as_metadata()
            made, _ = agents.create_version(
                project=bench.project.name, name=agent, definition=definition, description="", metadata=ownership
            )
            agents.set_status(made.key, "active")

    bench.azure.run(fill)
    since = bench.now()
    with bench.process() as process:
        process.service.get_agent("warms-the-connection-up")
        before = time.thread_time()
        made = process.make(plan)
        spent = time.thread_time() - before
    posts = len(bench.posts(agent, since=since))
    lists = len(bench.requests(agent, since=since, method="GET", end="/versions"))
    return FarBack(made.outcome, made.view.version, posts, lists, spent, _said_to_one_more(bench, agent))


def _said_to_one_more(bench: Bench, agent: str) -> str:
    try:
        bench.up(bench.plan(agent, environment={"GREETING": "Howdy"}))
    except ServiceError as refused:
        return str(refused)
    return ""


@dataclass(frozen=True)
class Back:
    """What a change cost that was taken back: A, B, A."""

    posts: int
    patches: int
    duplicates: int


def back(bench: Bench) -> Back:
    """Change an agent from A to B and back to A."""
    agent = bench.name()
    a, b = (bench.plan(agent, environment={"GREETING": word}) for word in ("Hello", "Howdy"))
    bench.up(a)
    bench.up(b)
    since = bench.now()
    bench.up(a)
    writes = bench.writes(agent, since=since)
    return Back(
        posts=sum(write.startswith("POST") for write in writes),
        patches=sum(write.startswith("PATCH") for write in writes),
        duplicates=len(bench.versions(agent)) - 2,
    )


def posts_of_a_moved_tag(bench: Bench) -> tuple[int, int]:
    """Count the POSTs of a new tag on the same digest, and of the old tag on a new digest."""
    agent = bench.name()
    repository, digest = bench.image.split("@")
    other = bench.azure.push_image(bench.project, "moved", {"main.py": "print('moved')"}).partition("@")[2]
    bench.azure.control.set(check_pull=False)
    bench.up(bench.plan(agent, image=f"{repository}:1.0@{digest}"))
    posts = []
    for image in (f"{repository}:1.1@{digest}", f"{repository}:1.0@{other}"):
        since = bench.now()
        bench.up(bench.plan(agent, image=image))
        posts.append(len(bench.posts(agent, since=since)))
    bench.reset()
    return posts[0], posts[1]


def writes_of_a_second_run(bench: Bench) -> int:
    """Return the number of writes of an `up` that changes nothing and whose state was lost."""
    agent = bench.name()
    plan = bench.plan(agent, environment={"GREETING": "Hello"}, description="Answers.", metadata={"team": "support"})
    bench.up(plan)
    since = bench.now()
    bench.up(plan)
    return len(bench.writes(agent, since=since))


def most_posts_of_one_attempt(bench: Bench) -> int:
    """Return how often one POST was sent at most, under every error that makes the SDK retry."""
    agent, worst = bench.name(), 0
    plan = bench.plan(agent)
    statuses = (400, 408, 409, 429, 500, 502, 503, 504)
    faults: list[dict[str, object]] = [{"status": status} for status in statuses]
    faults += [{"status": status, "retry_after": "0"} for status in statuses]
    faults += [{"action": action} for action in ("reset_before_commit", "commit_then_reset", "cut_json")]
    for fault in faults:
        bench.azure.control.fault(method="POST", path=f"/agents/{agent}/versions$", **fault)
        since = bench.now()
        with bench.process() as process:
            try:
                process.service.create_version(agent, plan.definition, plan.ownership.as_metadata())
            except Exception as error:  # noqa: BLE001 (every one of them is meant to fail; how is not asked here)
                process.lines.append(str(error))
        worst = max(worst, len(bench.posts(agent, since=since)))
        bench.azure.control.clear_faults()
    return worst
