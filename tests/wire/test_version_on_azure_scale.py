"""Many agents through one plugin process, and what one costs."""

from __future__ import annotations

from tests.support.bench import Agent
from tests.support.many_agents import measured
from tests.support.plugin import running


def test_24_agents_are_created_together_and_not_four_at_a_time(one: Agent) -> None:
    """Case 70: every create waits for its version; four at a time take six times as long. The figure is exact."""
    speed = measured(one.bench, agents=24, provisioning_s=2, poll_interval_s=1)
    print(
        f"one {speed.one_s:.2f} s, 24 {speed.all_s:.2f} s, ratio {speed.ratio:.2f}, overhead {speed.overhead_s:.2f} s"
    )
    assert speed.ratio < 3
    assert speed.posts == 25


def test_a_plugin_that_has_created_and_deleted_has_had_less_than_150_mb(one: Agent) -> None:
    with running(one.bench.azure.env) as plugin:
        state = one.create(environment={"GREETING": "Hello"})
        one.create(plugin)
        one.route(v2=100)
        one.delete(state, plugin)
        print(f"{plugin.peak_mb:.0f} MB")
        assert plugin.peak_mb < 150
    assert one.versions() == {"2": "active"}
