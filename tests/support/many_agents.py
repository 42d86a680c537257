"""Many agents in one `pulumi up`: one plugin process, as many calls at a time as the engine makes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.support.bench import Agent, Bench

RATIO = 1.5
OVERHEAD_S = 1.0
"""Beyond one polling interval."""


@dataclass(frozen=True)
class Speed:
    """How long it took.

    Attributes:
        one_s: One create, by itself.
        all_s: All creates at once, until the last one was done.
        provisioning_s: What the service took for each.
        posts: How many versions were posted, by the journal.
    """

    one_s: float
    all_s: float
    provisioning_s: float
    posts: int

    @property
    def ratio(self) -> float:
        """How much longer all took than one."""
        return self.all_s / self.one_s

    @property
    def overhead_s(self) -> float:
        """Our own share of one create."""
        return self.one_s - self.provisioning_s


def measured(bench: Bench, *, agents: int, provisioning_s: float, poll_interval_s: float) -> Speed:
    """Create one agent, then ``agents`` at once. The plugin process has loaded the SDK before."""
    bench.agent().create()
    bench.azure.control.set(provisioning_s=provisioning_s)
    alone, many = bench.agent(), [bench.agent() for _ in range(agents)]
    one_s = _timed([alone], poll_interval_s)
    all_s = _timed(many, poll_interval_s)
    bench.azure.control.set(provisioning_s=0)
    return Speed(one_s, all_s, provisioning_s, sum(agent.posts() for agent in [alone, *many]))


def _timed(agents: Sequence[Agent], poll_interval_s: float) -> float:
    inputs = [agent.inputs(poll_interval_s=poll_interval_s, timeout_s=120) for agent in agents]
    with ThreadPoolExecutor(max_workers=len(agents)) as pool:
        start = time.monotonic()
        for done in [pool.submit(agent.create_checked, checked) for agent, checked in zip(agents, inputs, strict=True)]:
            done.result()
        return time.monotonic() - start
