"""dev → staging → prod: one digest through three stacks of one program, each with an Azure of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from foundry_emulator.testing import LocalAzure
from tests.engine.environments import Environments
from tests.engine.promotion_story import promoted_through, taken_down
from tools.figures.figure import Figure
from tools.local.surroundings import engine_folder

STAGES = ("dev", "staging", "prod")


def measure() -> Iterator[Figure]:
    """Walks through the story once, on the real engine."""
    with tempfile.TemporaryDirectory(prefix="foundry-agents-stages-") as folder:
        root = Path(folder)
        with LocalAzure(root / "azure") as azure:
            environments = Environments.on(azure, root, engine_folder(), root / "home")
            seen = promoted_through(environments, STAGES)
            gone = taken_down(environments, seen.projects)
    yield Figure("69", f"names that {len(STAGES)} stacks of one program share", len(seen.shared_names), "=", 0)
    yield Figure("58", "alarms of the policy pack for clean production", _alarms(seen.alarms), "=", 0)
    yield Figure("promote", "fields that the preview of a promotion names", _fields(seen.promotion), "=", 2)
    yield Figure("promote", "of them with promotion switched off", _fields(seen.held), "=", 0)
    yield Figure("promote", "digests in force after it", len(set(seen.digests)), "=", 1)
    yield Figure("12", "previews of unchanged stacks that show a change", gone.changed, "=", 0)
    yield Figure("contract", "fields that a consumer reads differently", _differing(seen.published), "=", 0)
    yield Figure("contract", "callers let in without the role", int(seen.callers[1]), "=", 0)
    yield Figure("contract", "callers kept out with it", int(not seen.callers[0]), "=", 0)
    yield Figure("prod", "refusals of a `pulumi destroy` of production", int("protected" in gone.protected), "=", 1)
    yield Figure("48", "agents, resources and roles left by three `pulumi destroy`", sum(gone.left), "=", 0)


def _alarms(output: str) -> int:
    return len(re.findall(r"- \[(?:mandatory|advisory)\]", output))


def _fields(preview: str) -> int:
    """Fields named of all resources, each once: ``image`` of the version and ``version`` of the rollout.

    A replacement has three rows: what is created, what is deleted, and both.
    """
    rows = set(re.findall(r"\S+:\w+ (\S+) [\w ]+ \[diff: ([^\]]+)\]", preview))
    return sum(len(re.findall(r"\w+", fields)) for _, fields in rows)


def _differing(published: tuple[object, object]) -> int:
    read, written = published
    assert isinstance(read, dict)
    assert isinstance(written, dict)
    return sum(read.get(name) != value for name, value in written.items())
