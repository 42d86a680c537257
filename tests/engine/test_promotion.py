"""From stage to stage on the real engine: one digest, each stage its own Azure, and a contract that others read.

`make figures` walks through three stages, and destroys them; here it is two.
"""

from __future__ import annotations

import pytest

from tests.support.environments import Environments
from tests.support.promotion import promoted_through

pytestmark = [pytest.mark.engine, pytest.mark.long]


def test_only_the_digest_is_promoted_and_another_project_may_call_what_the_contract_names(
    environments: Environments,
) -> None:
    """Issue 7; case 58, no alarm for a clean stack; case 69, no shared name. azd#8360"""
    seen = promoted_through(environments, ("dev", "prod"))

    assert seen.shared_names == set()
    assert "support-version replace [diff: ~image]" in seen.promotion
    assert "support-rollout update [diff: ~version]" in seen.promotion
    assert "Resources:\n    ~ 1 to update\n    +-1 to replace\n    2 changes. 9 unchanged" in seen.promotion
    assert "11 unchanged" in seen.held
    assert seen.digests[0] == seen.digests[1]
    assert "foundry-agents@v0.1.0" in seen.violations
    assert "policy violation" not in seen.violations.lower()
    assert seen.published[0] == seen.published[1]
    assert seen.callers == (True, False)
