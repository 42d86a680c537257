"""Images: what a change, a touch and a revert of the sample agent cost, with a real BuildKit on the real engine."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.engine import engine_folder
from tests.support.figures import Record
from tests.support.image_bench import SECRET, image_bench

pytestmark = pytest.mark.acceptance


def test_an_image_is_built_and_pushed_once_and_found_again(figure: Record, tmp_path: Path) -> None:
    """Cases 9, 12, 20, 54 and 66."""
    with image_bench(tmp_path / "bench", engine_folder(), tmp_path / "home") as images:
        project, main = images.here.project, images.source / "main.py"
        first = project.up().succeeded().output
        digest, password, former = images.digest(), images.docker_password(), main.read_text(encoding="utf-8")
        figure("66", "pushes for two agents with one image", images.pushed(), "=", 1)

        os.utime(main, (0, 0))
        touched = project.up().succeeded().output
        figure(
            "12",
            "changed resources after a touched file",
            _count(first, "created") - _count(touched, "unchanged"),
            "=",
            0,
        )

        main.write_text(former + "\n# changed\n", encoding="utf-8")
        changed = project.up().succeeded().output
        figure("20", "build and push of a changed sample agent, cache warm", _built_s(changed), "<=", 5, unit=" s")
        figure("20", "pushes of a change", images.pushed() - 1, "=", 1)

        posts = images.here.posted()
        main.write_text(former, encoding="utf-8")
        reverted = project.up().succeeded().output
        figure("9", "builds of its revert", reverted.count("Image support-build creat"), "=", 0)
        figure("9", "pushes and POSTs of its revert", images.pushed() - 2 + images.here.posted() - posts, "=", 0)
        figure(
            "9", "agents that serve the former digest", list(images.images_of_agents().values()).count(digest), "=", 2
        )

        written = project.state_text() + first + touched + changed + reverted
        figure(
            "54",
            "passwords and build secrets in state and logs",
            written.count(password) + written.count(SECRET),
            "=",
            0,
        )


def _count(output: str, word: str) -> int:
    found = re.search(rf"(\d+) {word}", output)
    return int(found[1]) if found else 0


def _built_s(output: str) -> float:
    """Return the seconds that Pulumi shows for the update of the build; it counts whole seconds."""
    (seconds,) = set(re.findall(r"Image support-build updated \(([\d.]+)s\)", output))
    return float(seconds)
