"""Images: what a change, a touch and a revert of the sample agent cost, with a real BuildKit on the real engine."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.engine.image_bench import SECRET, Images, image_bench
from tools.engine.machine import Machine
from tools.engine.recipes import ENGINE
from tools.engine.ways import ensure
from tools.figures.figure import Figure


def measure() -> Iterator[Figure]:
    """Walks through the story once."""
    engine = ensure(ENGINE, Machine.here(say=lambda _line: None))
    with (
        tempfile.TemporaryDirectory() as folder,
        image_bench(Path(folder) / "bench", engine, Path(folder) / "home") as images,
    ):
        yield from _story(images)


def _story(images: Images) -> Iterator[Figure]:
    project, main = images.here.project, images.source / "main.py"
    first = project.up().succeeded().output
    digest, password, former = images.digest(), images.docker_password(), main.read_text(encoding="utf-8")
    yield Figure("66", "pushes for two agents with one image", images.pushed(), "=", 1)

    os.utime(main, (0, 0))
    touched = project.up().succeeded().output
    yield Figure(
        "12", "changed resources after a touched file", _count(first, "created") - _count(touched, "unchanged"), "=", 0
    )

    main.write_text(former + "\n# changed\n", encoding="utf-8")
    changed = project.up().succeeded().output
    yield Figure("20", "build and push of a changed sample agent, cache warm", _built_s(changed), "<=", 5, " s")
    yield Figure("20", "pushes of a change", images.pushed() - 1, "=", 1)

    posts = images.here.posted()
    main.write_text(former, encoding="utf-8")
    reverted = project.up().succeeded().output
    yield Figure("9", "builds of its revert", reverted.count("Image support-build creat"), "=", 0)
    yield Figure("9", "pushes and POSTs of its revert", images.pushed() - 2 + images.here.posted() - posts, "=", 0)
    yield Figure(
        "9", "agents that serve the former digest", list(images.images_of_agents().values()).count(digest), "=", 2
    )

    written = project.state_text() + first + touched + changed + reverted
    yield Figure(
        "54", "passwords and build secrets in state and logs", written.count(password) + written.count(SECRET), "=", 0
    )


def _count(output: str, word: str) -> int:
    found = re.search(rf"(\d+) {word}", output)
    return int(found[1]) if found else 0


def _built_s(output: str) -> float:
    """Seconds that Pulumi shows for the update of the build; its clock has whole ones."""
    (seconds,) = set(re.findall(r"Image support-build updated \(([\d.]+)s\)", output))
    return float(seconds)
