"""A build in Azure: adopt the image of the same content, follow the run that makes it, or schedule one."""

from __future__ import annotations

import re

from foundry_agents.lifecycle.failure.deployment_errors import WaitTimeoutError
from foundry_agents.lifecycle.failure.image_errors import TASKS_AND_NETWORK, RemoteBuildError
from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_agents.lifecycle.outcomes import Made, Outcome
from foundry_agents.lifecycle.polling import TRANSIENT, Clock, PollSettings, Until, poll
from foundry_agents.lifecycle.service.builds import BuildOrder, TaskRuns
from foundry_agents.lifecycle.service.registries import ImageRegistry
from foundry_agents.lifecycle.views import Progress, RunView

SUCCEEDED = "Succeeded"
UNDER_WAY = frozenset({"Queued", "Started", "Running"})
"""Every other status of a run is final [sdk]."""

_NETWORK = re.compile(
    r"client with IP \S+ is not allowed access|aka\.ms/acr/firewall|exchange API response code: 403", re.IGNORECASE
)
"""In the log of a run that its own registry does not admit [docs, observed]."""

SHOWN_LINES = 12
"""Of the log of a run that failed."""


def build_or_adopt(  # noqa: PLR0917 (a port, an order and the usual three)
    registry: ImageRegistry, runs: TaskRuns, order: BuildOrder, patience: PollSettings, clock: Clock, progress: Progress
) -> Made[str]:
    """Make sure that the image of a content is in the registry; return its digest.

    An existing image is adopted: 0 runs. A run of an earlier `pulumi up` that was killed is found by the tag in its log
    and followed; a run of another repository is not, although its content may have the same tag. A run whose log does
    not have the tag yet is not found, and then two runs build the same image.

    Raises:
        RemoteBuildError: The run failed, or is not done in time; the next run of Pulumi follows or repeats it.
        ServiceError: Azure refused.
    """
    tag = tag_names(order.content, None)[0]
    found = registry.digest_of(order.repository, tag)
    if found:
        progress(f"adopted {tag}: {found} was built from the same content, so nothing is built")
        return Made(found, Outcome.ADOPTED)
    run = next((run for run in runs.under_way() if f"{order.repository}:{tag}" in runs.log(run.run_id)), None)
    outcome = Outcome.FOLLOWED if run else Outcome.CREATED
    if run:
        progress(f"run {run.run_id} of an earlier try builds {tag} already")
    else:
        run = runs.schedule(order, timeout_s=patience.timeout_s)
        progress(f"run {run.run_id} is scheduled")
    final = _followed(runs, run, order, patience, clock, progress)
    if final.status != SUCCEEDED:
        raise _failed(runs, final, final.message or final.status, order)
    digest = registry.digest_of(order.repository, tag)
    if digest is None:
        raise _failed(runs, final, f"it succeeded, and {order.repository} has no {tag}", order)
    progress(f"run {final.run_id} built {digest}")
    return Made(digest, outcome)


def _followed(  # noqa: PLR0917 (the run's port and order, and the usual three)
    runs: TaskRuns, run: RunView, order: BuildOrder, patience: PollSettings, clock: Clock, progress: Progress
) -> RunView:
    """Wait for the end of a run, and report each new last line of its log.

    Raises:
        RemoteBuildError: It did not end in time.
    """
    shown = ""

    def read() -> RunView:
        nonlocal shown
        line = _last_line(runs.log(run.run_id))
        if line and line != shown:
            progress(f"run {run.run_id} · {line}")
            shown = line
        return runs.get(run.run_id)

    ended = Until[RunView](
        f"run {run.run_id}",
        "done",
        done=lambda seen: seen.status not in UNDER_WAY,
        describe=lambda seen: seen.status.lower(),
    )
    try:
        return poll(read, ended, clock, patience)
    except WaitTimeoutError as timeout:
        seen = timeout.last if isinstance(timeout.last, RunView) else run
        raise _failed(runs, seen, f"it is still {seen.status.lower()} after {timeout.waited_s:.0f} s", order) from None


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:120] if lines else ""


def _failed(runs: TaskRuns, run: RunView, why: str, order: BuildOrder) -> RemoteBuildError:
    try:
        log = runs.log(run.run_id)
    except TRANSIENT:
        log = "(the log could not be read)"
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    denied = _NETWORK.search(f"{why}\n{log}") is not None
    do = TASKS_AND_NETWORK.format(registry_id=order.registry_id) if denied else None
    if denied:
        why = f"{why}: the registry's network does not admit it"
    return RemoteBuildError(
        run.run_id, why=why, log=lines[-SHOWN_LINES:], registry=order.registry_id.rpartition("/")[2], do=do
    )
