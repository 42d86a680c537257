"""Agents with a past, through the real adapter: what is adopted, what is posted, what goes."""

from __future__ import annotations

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VersionFailedError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.outcomes import Outcome
from tests.support.history import (
    back,
    far_back,
    most_posts_of_one_attempt,
    posts_of_a_moved_tag,
    writes_of_a_second_run,
)
from tests.support.virtual_bench import OWNER, Bench, Killed


def test_the_oldest_of_1000_versions_is_adopted_and_the_error_for_one_more_says_how_to_prune(bench: Bench) -> None:
    """Case 8: 0 POSTs, at most 11 list calls and 2 s of CPU. Case 53, at the service's limit."""
    found = far_back(bench)
    print(found)
    assert (found.outcome, found.version, found.posts) == (Outcome.ADOPTED, "1", 0)
    assert found.lists <= 11
    assert found.cpu_s <= 2
    for part in ("an agent has at most 1000 versions", "set keep_versions on the rollout", "(request "):
        assert part in found.one_more


def test_a_change_that_is_reverted_is_one_patch(bench: Bench) -> None:
    """Case 9: 0 POSTs, 1 PATCH, and no duplicate. azd#5356"""
    found = back(bench)
    assert (found.posts, found.patches, found.duplicates) == (0, 1, 0)


def test_a_run_without_changes_writes_nothing(bench: Bench) -> None:
    """Case 12. azd#7461, agent-framework#1955"""
    assert writes_of_a_second_run(bench) == 0


def test_a_new_tag_on_the_same_digest_creates_no_version_and_a_tag_on_a_new_digest_one(bench: Bench) -> None:
    """Case 20. azd#9248"""
    assert posts_of_a_moved_tag(bench) == (0, 1)


def test_one_attempt_is_one_post_whatever_the_service_responds(bench: Bench) -> None:
    """Case 5."""
    assert most_posts_of_one_attempt(bench) == 1


@pytest.mark.parametrize("dedup_failed", [False, True])
@pytest.mark.parametrize("dedup", ["off", "definition", "all"])
def test_a_failed_version_that_a_killed_run_left_is_reposted_and_deleted(
    bench: Bench, dedup: str, *, dedup_failed: bool
) -> None:
    """Case 6: 1 new version, the failed one gone once the new one is active; de-duplication on and off. azd#7515"""
    bench.azure.control.set(dedup=dedup, dedup_failed=dedup_failed)
    agent = bench.name()
    plan = bench.plan(agent)
    failed = {"status": "failed", "error": {"code": "ImageError", "message": "Failed to pull container image."}}
    bench.azure.control.set(scripts=[{"agent": agent, "steps": [failed]}])

    def cut(method: str, _path: str) -> None:
        if method == "DELETE":
            raise Killed

    with bench.process() as process:
        process.wire.before = cut
        with pytest.raises(Killed):
            process.up(plan)
    assert bench.statuses(agent) == {"1": "failed"}

    if (dedup, dedup_failed) == ("definition", True):
        # Such a service returns the failed version whatever the POST says: it is deleted, and one more run is needed.
        with pytest.raises(VersionFailedError):
            bench.up(plan)
        assert bench.statuses(agent) == {}
        bench.up(plan)
        assert bench.statuses(agent) == {"2": "active"}
        return
    made = bench.up(plan)
    assert made.outcome is Outcome.REPOSTED
    assert OwnershipMetadata.of(made.view) == OwnershipMetadata(plan.ownership.fingerprint, OWNER, attempt=2)
    assert bench.statuses(agent) == {"2": "active"}
    assert bench.traffic(agent) == {"2": 100}
