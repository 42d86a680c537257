"""dev → staging → prod: one digest through three stacks of one program, each with an Azure of its own."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from foundry_emulator.testing import LocalAzure
from tests.support.engine import engine_folder
from tests.support.environments import Environments
from tests.support.figures import Record
from tests.support.promotion import promoted_through, taken_down

pytestmark = pytest.mark.acceptance

STAGES = ("dev", "staging", "prod")


def test_one_digest_is_promoted_from_dev_to_prod(figure: Record) -> None:
    """Cases 12, 48, 58 and 69, on the real engine."""
    with tempfile.TemporaryDirectory(prefix="foundry-agents-stages-") as folder:
        root = Path(folder)
        with LocalAzure(root / "azure") as azure:
            environments = Environments.on(azure, root, engine_folder(), root / "home")
            seen = promoted_through(environments, STAGES)
            gone = taken_down(environments, seen.projects)
    figure("69", f"names that {len(STAGES)} stacks of one program share", len(seen.shared_names), "=", 0)
    figure("58", "violations that the policy pack reports for clean production", _violations(seen.violations), "=", 0)
    figure("promote", "fields that the preview of a promotion names", _fields(seen.promotion), "=", 2)
    figure("promote", "of them with promotion switched off", _fields(seen.held), "=", 0)
    figure("promote", "digests in force after it", len(set(seen.digests)), "=", 1)
    figure("12", "previews of unchanged stacks that show a change", gone.changed, "=", 0)
    figure("contract", "fields that a consumer reads differently", _differing(seen.published), "=", 0)
    figure("contract", "callers admitted without the role", int(seen.callers[1]), "=", 0)
    figure("contract", "callers rejected with it", int(not seen.callers[0]), "=", 0)
    figure("prod", "refusals of a `pulumi destroy` of production", int("protected" in gone.protected), "=", 1)
    figure("48", "agents, resources and roles left by three `pulumi destroy`", sum(gone.left), "=", 0)


def _violations(output: str) -> int:
    return len(re.findall(r"- \[(?:mandatory|advisory)\]", output))


def _fields(preview: str) -> int:
    """Count the fields named of all resources, each once: ``image`` of the version and ``version`` of the rollout.

    A replacement has three rows: what is created, what is deleted, and both.
    """
    rows = set(re.findall(r"\S+:\w+ (\S+) [\w ]+ \[diff: ([^\]]+)\]", preview))
    return sum(len(re.findall(r"\w+", fields)) for _, fields in rows)


def _differing(published: tuple[object, object]) -> int:
    read, written = published
    assert isinstance(read, dict)
    assert isinstance(written, dict)
    return sum(read.get(name) != value for name, value in written.items())
