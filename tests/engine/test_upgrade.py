"""The stacks that users of every release have, under today's code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.support.harness import Project, hermetic
from tests.support.recorded_states import RECORDED

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("release", RECORDED, ids=lambda folder: folder.name)
def test_a_library_upgrade_alone_changes_nothing_in_the_stack(
    release: Path, tmp_path: Path, engine: Path, pulumi_home: Path
) -> None:
    """Case 74: 0 changes, 0 replaces; no request is sent: the service no longer runs. pu#12401"""
    project = Project.create(tmp_path / "project", hermetic(engine, pulumi_home, {}), {})
    project.given = yaml.safe_load((release / "given.yaml").read_text(encoding="utf-8"))
    project.write_config()
    shutil.copy(release / "program.py", project.folder / "__main__.py")
    project.run("stack", "import", "--file", str(release / "stack.json")).succeeded()

    preview = project.run("preview", "--expect-no-changes", "--diff").succeeded()

    assert "9 unchanged" in preview.output
    assert "replace" not in preview.output
