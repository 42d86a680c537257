"""A build in Azure, against registries and runs in memory: adopted, followed, scheduled, given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from foundry_agents.lifecycle.failure.image_errors import RemoteBuildError
from foundry_agents.lifecycle.failure.service_errors import ResponseLostError, ThrottledError, UnreachableError
from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_agents.lifecycle.outcomes import Made, Outcome
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.remote_build import build_or_adopt
from foundry_agents.lifecycle.service.builds import BuildOrder
from foundry_agents.lifecycle.views import ImageView, RunView
from foundry_agents.testing import FastClock
from tests.support.settings import parsed

CONTENT = "c" * 64
TAG = tag_names(CONTENT, None)[0]
REPOSITORY = "acme.azurecr.io/team/support"
DIGEST = f"sha256:{'1' * 64}"
LOST = ResponseLostError("connection reset", operation="GET runs")


@dataclass
class Tasks:
    """A registry and its runs; ``course`` is what each look at the run gives, the last one forever.

    Attributes:
        course: Statuses, or what is raised instead.
        tags: What the registry has.
        earlier: Log by id of runs that are under way already.
    """

    course: list[str | Exception]
    tags: dict[str, str] = field(default_factory=dict)
    earlier: dict[str, str] = field(default_factory=dict)
    scheduled: list[BuildOrder] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    clock: FastClock = field(default_factory=FastClock)
    pushes: bool = True
    text: str = "step 1\nstep 2\n"

    def digest_of(self, repository: str, reference: str) -> str | None:
        assert repository == REPOSITORY
        return self.tags.get(reference)

    def is_gone(self, repository: str, reference: str) -> bool:
        raise NotImplementedError

    def inspect(self, repository: str, digest: str) -> ImageView | None:
        raise NotImplementedError

    def require_push(self, repository: str, *, sign_in: bool, progress: object) -> None:
        raise NotImplementedError

    def under_way(self) -> Sequence[RunView]:
        return [RunView(run_id, "Running") for run_id in self.earlier]

    def schedule(self, order: BuildOrder, *, timeout_s: float) -> RunView:
        assert timeout_s == 100
        self.scheduled.append(order)
        return RunView("ca9", "Queued")

    def get(self, run_id: str) -> RunView:
        now = self.course.pop(0) if len(self.course) > 1 else self.course[0]
        if isinstance(now, Exception):
            raise now
        if now == "Succeeded" and self.pushes:
            self.tags[TAG] = DIGEST
        return RunView(run_id, parsed(now), "out of memory" if now == "Failed" else "")

    def log(self, run_id: str) -> str:
        return self.earlier.get(run_id, self.text)

    def build(self) -> Made[str]:
        order = BuildOrder("/registry", "acme.azurecr.io", "team/support", CONTENT, "0123456789ab", lambda: b"packed")
        return build_or_adopt(self, self, order, PollSettings(100, 5), self.clock, self.said.append)


def test_a_content_that_is_there_is_adopted_with_0_runs() -> None:
    tasks = Tasks([], tags={TAG: DIGEST})
    assert tasks.build() == Made(DIGEST, Outcome.ADOPTED)
    assert tasks.scheduled == []
    assert tasks.said == [f"adopted {TAG}: {DIGEST} was built from the same content, so nothing is built"]


def test_a_new_content_is_scheduled_once_and_followed_with_its_log() -> None:
    tasks = Tasks(["Queued", "Running", "Succeeded"])
    assert tasks.build() == Made(DIGEST, Outcome.CREATED)
    (order,) = tasks.scheduled
    assert order.tags == [f"team/support:{TAG}", "team/support:git-0123456789ab"]
    assert tasks.said == ["run ca9 is scheduled", "run ca9 · step 2", f"run ca9 built {DIGEST}"]


def test_a_run_of_a_killed_up_is_followed_and_none_is_scheduled() -> None:
    """Adoption after a crash, as for versions. Two agents of one folder have the same tag in two repositories."""
    logs = {
        "ca7": f"Building {REPOSITORY}:ctx-0\n",
        "ca6": f"Building {REPOSITORY}-b:{TAG}\n",
        "ca8": f"Building {REPOSITORY}:{TAG}\n",
    }
    tasks = Tasks(["Running", "Succeeded"], earlier=logs)
    assert tasks.build() == Made(DIGEST, Outcome.FOLLOWED)
    assert tasks.scheduled == []
    assert tasks.said[0] == f"run ca8 of an earlier try builds {TAG} already"


def test_lost_answers_and_throttling_are_survived() -> None:
    throttled = ThrottledError("slow down", operation="GET runs", status=429, retry_after_s=40)
    unreachable = UnreachableError("no route", operation="GET runs")
    tasks = Tasks([LOST, unreachable, throttled, "Running", "Succeeded"])
    assert tasks.build().view == DIGEST
    assert tasks.clock.now() == 5 + 5 + 40 + 5


@pytest.mark.parametrize("status", ["Failed", "Canceled", "Error", "Timeout"])
def test_a_run_that_fails_tells_its_id_and_the_end_of_its_log(status: str) -> None:
    tasks = Tasks([status], text="".join(f"line {n}\n" for n in range(40)))
    with pytest.raises(RemoteBuildError) as failed:
        tasks.build()
    assert failed.value.run_id == "ca9"
    assert failed.value.log == tuple(f"line {n}" for n in range(28, 40))
    text = str(failed.value)
    why = "out of memory" if status == "Failed" else status
    assert text.startswith(f"run ca9 did not build the image\n  Why: {why}\n")
    assert "State: no version was posted" in text
    assert text.endswith("    | line 38\n    | line 39")


def test_a_run_that_is_not_done_in_time_is_left_for_the_next_up() -> None:
    tasks = Tasks(["Running"])
    with pytest.raises(RemoteBuildError, match="it is still running after 100 s"):
        tasks.build()


def test_a_run_that_succeeds_and_pushes_nothing_is_an_error() -> None:
    with pytest.raises(RemoteBuildError, match=f"it succeeded, and acme.azurecr.io/team/support has no {TAG}"):
        Tasks(["Succeeded"], pushes=False).build()


def test_every_new_line_of_a_log_is_shown_once_and_by_its_first_120_characters() -> None:
    tasks = Tasks([*["Running"] * 4, "Succeeded"])
    lines = iter(["step 2\n", "step 1\n", "step 1\n\n", f"{'x' * 119}yz\n", ""])

    def log(run_id: str) -> str:
        assert run_id == "ca9"
        return next(lines)

    tasks.log = log  # type: ignore[method-assign]
    tasks.build()
    shown = [line.removeprefix("run ca9 · ") for line in tasks.said if "·" in line]
    assert shown == ["step 2", "step 1", f"{'x' * 119}y"]


@pytest.mark.parametrize(
    "line",
    [
        "denied: client with IP '192.0.2.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
        "failed to get ACR refresh token, exchange API response code: 403 Forbidden",
    ],
)
def test_a_registry_that_does_not_admit_its_own_tasks_is_named_with_both_ways_out(line: str) -> None:
    """F9: the log alone does not say what to do."""
    tasks = Tasks(["Failed"], text=f"step 1\n{line}\n")
    with pytest.raises(RemoteBuildError) as failed:
        tasks.build()
    text = str(failed.value)
    assert "Why: out of memory: the registry's network does not admit it\n" in text
    assert "AgentImage.build(…)" in text
    assert "`az resource update --ids /registry --api-version 2025-11-01 --set " in text
    assert "fix the error in the log" not in text
