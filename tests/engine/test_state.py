"""State that a team shares in Azure's storage: two who deploy at once, and nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.engine.storage import Storage
from tests.support.harness import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.long]


def test_of_two_concurrent_deployments_one_fails_on_the_lock_and_nothing_is_lost(
    deploy: Callable[..., Deployment], blob_storage: Storage
) -> None:
    """Issue 7: `azblob://` on the real engine; the lock is Pulumi's own."""
    here = deploy(provisioning_s=4)
    here.project.variables |= blob_storage.variables
    here.project.init_stack()
    first = subprocess.Popen(
        here.project.command("up", "--yes", "--skip-preview", "--stack", "local"),
        cwd=here.project.folder,
        env=here.project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    here.azure.wait_until(lambda: here.posted() == 1, timeout_s=60)

    refused = here.project.up().failed()

    assert "the stack is currently locked by 1 lock(s)" in refused.output
    assert "Traceback" not in refused.output
    output, _ = first.communicate(timeout=60)
    assert first.returncode == 0, output

    assert "unchanged" in here.project.up().succeeded().output
    assert here.posted() == 1
    assert here.agent()["rules"] == [{"version": "1", "percentage": 100}]
    blobs = blob_storage.blobs()
    assert ".pulumi/stacks/foundry-agents/local.json" in blobs
    assert not [name for name in blobs if name.startswith(".pulumi/locks/")]
