"""The tag of an image against the image itself, over generated folders, machines and builders."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import certifi
import pytest

from foundry_agents.sources.build_context import BuildContext
from foundry_agents.sources.frozen_context import FrozenContext, freeze
from foundry_emulator.arm.registry_tasks import unpack_context
from tests.support.buildkit import buildkit
from tests.support.content_matrix import UMASKS, Source, built
from tests.support.figures import Record

FOLDERS = 1000
CLOSELY = 400
"""Of the folders: also built by BuildKit from the folder itself, and after an edit."""
FILES = 20_000
A_BUILD = 25
"""Folders that one build copies: each is a context of its own."""


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_tag_names_exactly_what_is_in_the_image(figure: Record, tmp_path: Path) -> None:
    """Findings A1, A3, A6, B1 and F3: each folder on three machines, by two builders, before and after an edit.

    What the image must hold is what BuildKit itself makes of the first machine's folder, by its own reading of the
    ignore file, without litter.
    """
    wrong = other = stale = needless = unseen = 0
    with buildkit(tmp_path / "buildkit", registry="localhost:5000", ca=Path(certifi.where())) as builder:
        for first in range(0, FOLDERS, A_BUILD):
            here = tmp_path / "folders"
            sources = [Source.generated(random.Random(number)) for number in range(first, first + A_BUILD)]
            copies = [_on_machines(source, here / f"{number}", number) for number, source in enumerate(sources)]
            edits = [source.edited(random.Random(number)) for number, source in enumerate(sources)]
            after = [
                _on_machines(edit, here / f"{number}-edited", number, UMASKS[:1])[0]
                for number, edit in enumerate(edits)
            ]
            needless += sum(len({copy.files_hash for copy in each}) - 1 for each in copies)
            unseen += sum(each[0].files_hash == edit.files_hash for each, edit in zip(copies, after, strict=True))

            docker = built(
                builder.endpoint, [each[0].folder for each in copies], here / "docker", received_as=f"copy{first}x"
            )
            archives = [_unpacked(each[1], here / f"{number}" / "task") for number, each in enumerate(copies)]
            task = built(builder.endpoint, archives, here / "task", received_as=f"task{first}x")
            wrong += sum(
                one != two or not source.is_in(one) for source, one, two in zip(sources, docker, task, strict=True)
            )
            if first < CLOSELY:
                users = [here / f"{number}" / "0" for number in range(A_BUILD)]
                plain = built(builder.endpoint, users, here / "plain", received_as=f"plain{first}x")
                # By the name of the content before it, so that BuildKit receives the difference only.
                contexts = [each.folder for each in after]
                edited = built(builder.endpoint, contexts, here / "edited", received_as=f"copy{first}x")
                other += sum(
                    source.without_litter(theirs) != source.without_litter(ours)
                    for source, theirs, ours in zip(sources, plain, docker, strict=True)
                )
                stale += sum(not edit.is_in(later) for edit, later in zip(edits, edited, strict=True))
            shutil.rmtree(here)
    figure("A3", f"wrong images of {FOLDERS} folders: umasks 022 and 077, docker-build and ACR task", wrong, "=", 0)
    figure("A6", f"of {CLOSELY} folders, those of which BuildKit itself copies other files", other, "=", 0)
    figure("A1", f"images of {CLOSELY} edited folders with bytes from before the edit", stale, "=", 0)
    figure("B1", f"other tags for the same content, {FOLDERS} folders on 3 machines", needless, "=", 0)
    figure("A1", f"same tags for another content, {FOLDERS} edits", unseen, "=", 0)


@pytest.mark.acceptance
def test_many_files_are_hashed_in_two_seconds(figure: Record, tmp_path: Path) -> None:
    """Each preview hashes the context of each image; an unchanged one is not copied again."""
    folder = tmp_path / "agent"
    for number in range(FILES):
        file = folder / f"package{number % 200}" / f"module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"print({number})\n" * 50, encoding="utf-8")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    (folder / ".dockerignore").write_text("*.md\n**/*.log\ntests\n!tests/data\ndocs/\n", encoding="utf-8")
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        context = BuildContext.read(folder, None, limit_mb=100)
        assert len(context.digested()) == FILES + 1
        took.append(time.perf_counter() - begin)
    figure("B1", f"hashing {FILES} files", min(took), "<=", 2, unit=" s")


def _on_machines(source: Source, folder: Path, seed: int, umasks: Sequence[int] = UMASKS) -> list[FrozenContext]:
    """Return the frozen copies that three machines make of a folder."""
    copies = []
    for number, umask in enumerate(umasks):
        source.write(folder / f"{number}", umask, random.Random(f"{seed} {number}"))
        context = BuildContext.read(folder / f"{number}", None, limit_mb=10)
        copies.append(freeze(context, folder / f"copies{number}", now=0.0))
    return copies


def _unpacked(frozen: FrozenContext, folder: Path) -> Path:
    """Return a context as a builder in Azure has it."""
    folder.mkdir()
    archive = folder.with_suffix(".tar.gz")
    archive.write_bytes(frozen.packed())
    unpack_context(archive, folder)
    return folder
