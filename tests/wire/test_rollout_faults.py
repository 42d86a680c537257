"""Case 43 over the real SDK: a fault in each rollout, kills included, the local Azure looked at after every call."""

from __future__ import annotations

import pytest

from foundry_emulator.testing import LocalAzure
from tests.support.watched_azure import FAULTS, adapter, ended

SEEDS = 2 * len(FAULTS)
"""`make figures` runs 50."""


def test_at_every_instant_an_active_version_is_routed_and_the_next_up_ends_as_asked(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Cases 1, 38 and 43: 0 instants without an active routed version."""
    with LocalAzure(tmp_path_factory.mktemp("azure"), provisioning_s=0) as azure:
        project = azure.seed_project("rollouts")
        image = azure.push_image(project)
        with adapter(azure, project) as service, azure.client(project.name) as client:
            struck: set[str] = set()
            for seed in range(SEEDS):
                became = ended(azure, service, client, image, seed)
                assert became.unserved == [], f"seed {seed}: {became}"
                assert became.finished, f"seed {seed}: {became}"
                assert became.restored, f"seed {seed}: {became}"
                assert became.sessions == 0, f"seed {seed}: {became}"
                struck |= {became.fault} if became.struck else set()
    assert len(struck) == len(FAULTS), "every kind of fault had its effect"
