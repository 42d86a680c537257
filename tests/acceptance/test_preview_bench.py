"""What our resources add to a preview, compared with as many empty dynamic resources: ratios in one run."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.support.engine import engine_folder
from tests.support.figures import Record
from tests.support.harness import hermetic

pytestmark = pytest.mark.bench

AGENTS = 50

OURS = f"""
import foundry_agents as fa

project = fa.FoundryProject.existing(endpoint="https://acme.services.ai.azure.com/api/projects/demo")
image = fa.AgentImage.pinned("acme.azurecr.io/support@sha256:" + "0" * 64)
for number in range({AGENTS}):
    fa.HostedAgent(f"agent-{{number}}", project=project, image=image, environment={{"NUMBER": str(number)}})
"""

EMPTY = f"""
import pulumi
from pulumi.dynamic import Resource, ResourceProvider


class Empty(ResourceProvider):
    serialize_as_secret_always = False


class Thing(Resource, module="bench", name="Thing"):
    pass


class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("bench:index:Group", name)
        options = pulumi.ResourceOptions(parent=self)
        first = Thing(Empty(), f"{{name}}-a", {{"number": name}}, options)
        Thing(Empty(), f"{{name}}-b", {{"number": name}}, pulumi.ResourceOptions(parent=self, depends_on=first))


for number in range({AGENTS}):
    Group(f"group-{{number}}")
"""


def test_a_preview_of_agents_takes_little_longer_than_one_of_empty_resources(figure: Record, tmp_path: Path) -> None:
    """Both are previewed three times, taking turns; the best of each counts."""
    programs = {name: _program(tmp_path / name, text) for name, text in (("ours", OURS), ("empty", EMPTY))}
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(3):
        for name, run in programs.items():
            best[name] = min(best[name], _seconds(*run))
    ratio = best["ours"] / best["empty"]
    figure(
        "preview",
        f"preview of {AGENTS} agents, compared with as many empty dynamic resources",
        ratio,
        "<=",
        1.3,
        unit=" x",
    )


def _program(folder: Path, text: str) -> tuple[Path, dict[str, str]]:
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(text, encoding="utf-8")
    (folder / "state").mkdir()
    backend = {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
    variables = hermetic(engine_folder(), folder / "home", {}) | backend
    subprocess.run(
        [str(engine_folder() / "pulumi"), "stack", "init", "bench"],
        cwd=folder,
        env=variables,
        check=True,
        capture_output=True,
    )
    return folder, variables


def _seconds(folder: Path, variables: dict[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(
        [str(engine_folder() / "pulumi"), "preview", "--non-interactive"],
        cwd=folder,
        env=variables,
        check=True,
        capture_output=True,
    )
    return time.monotonic() - began
