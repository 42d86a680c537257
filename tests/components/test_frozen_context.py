"""The frozen copy of a build context: what every builder gets, whatever happens to the folder meanwhile."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from foundry_agents.sources import reading
from foundry_agents.sources.build_context import BuildContext
from foundry_agents.sources.frozen_context import KEPT_S, FrozenContext, freeze, frozen_before
from foundry_agents.sources.reading import ContextError
from foundry_agents.sources.walk import link_target
from tests.support.git import commit_all, git

SECOND = 946_684_800


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "agent"
    (root / "src").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    (root / "src" / "main.py").write_text("print(1)\n", encoding="utf-8")
    (root / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (root / "run.sh").chmod(0o700)
    (root / "link").symlink_to("./src/main.py")
    return root


def frozen(folder: Path, *, now: float = 0, dockerfile: Path | None = None) -> FrozenContext:
    return freeze(BuildContext.read(folder, dockerfile, limit_mb=1), folder.parent / "place" / "contexts", now=now)


def _state(copy: FrozenContext) -> dict[str, tuple[int, int, str]]:
    return {
        file.name: ((status := (copy.folder / file.name).lstat()).st_mode, status.st_mtime_ns, file.sha256)
        for file in copy.files
    }


def test_a_copy_is_the_same_whatever_umask_and_times_the_folder_has(folder: Path) -> None:
    """Finding A3."""
    first = frozen(folder)
    before = _state(first)
    for path in (folder, folder / "src"):
        path.chmod(0o700)
    for path in (folder / "Dockerfile", folder / "src" / "main.py"):
        path.chmod(0o600)
        os.utime(path, (0, 0))
    shutil.rmtree(first.folder.parent)
    umask = os.umask(0o077)
    try:
        again = frozen(folder)
    finally:
        os.umask(umask)
    assert (again.folder, _state(again)) == (first.folder, before)
    modes = {file.name: stat.S_IMODE((again.folder / file.name).lstat().st_mode) for file in again.files}
    assert modes == {"Dockerfile": 0o644, "link": 0o777, "run.sh": 0o755, "src/main.py": 0o644}
    assert stat.S_IMODE((again.folder / "src").stat().st_mode) == 0o755
    assert link_target(again.folder / "link") == "./src/main.py"


def test_another_content_of_the_same_size_has_another_time(folder: Path) -> None:
    """BuildKit receives a file again only if its size, mode or time changed."""
    before = _state(frozen(folder))["src/main.py"]
    (folder / "src" / "main.py").write_text("print(2)\n", encoding="utf-8")
    after = _state(frozen(folder))["src/main.py"]
    assert before[1] != after[1]
    assert before[1] // 10**9 == after[1] // 10**9, "in one second, as after a checkout"


def test_a_file_that_is_saved_meanwhile_counts_as_it_was_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding A1: the hash is of the copy, not of what was read before."""
    digested = BuildContext.digested

    def saved_afterwards(context: BuildContext) -> object:
        found = digested(context)
        (folder / "src" / "main.py").write_text("print(2)\n", encoding="utf-8")
        return found

    monkeypatch.setattr(BuildContext, "digested", saved_afterwards)
    copy = frozen(folder)
    monkeypatch.undo()
    assert (copy.folder / "src" / "main.py").read_text(encoding="utf-8") == "print(2)\n"
    assert copy.files_hash == frozen(folder).files_hash


def test_a_file_that_is_replaced_by_a_longer_one_is_never_torn(folder: Path) -> None:
    """The copy ended where the former file had ended: a text that never existed."""
    context = BuildContext.read(folder, None, limit_mb=1)
    longer = folder.parent / "longer"
    longer.write_text("print(1)\nprint('more')\n", encoding="utf-8")
    longer.replace(folder / "src" / "main.py")
    copy = freeze(context, folder.parent / "place" / "contexts", now=0)
    assert (copy.folder / "src" / "main.py").read_text(encoding="utf-8") == "print(1)\nprint('more')\n"


def test_a_file_that_grows_while_it_is_read_is_an_error_and_not_half_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = folder / "log"
    log.write_text("1\n", encoding="utf-8")
    context = BuildContext.read(folder, None, limit_mb=1)
    copied = reading._copied

    def while_it_is_written(file: BinaryIO, expected: int, target: BinaryIO | None) -> tuple[str, int]:
        if str(file.name) == str(log) or expected == log.stat().st_size:
            with log.open("a", encoding="utf-8") as more:
                more.write("another line\n")
        return copied(file, expected, target)

    monkeypatch.setattr(reading, "_copied", while_it_is_written)
    with pytest.raises(ContextError, match="log changes while it is read: exclude it, or run the command again"):
        context.digested()


def test_a_file_that_is_written_and_gets_its_time_back_while_it_is_read_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rsync does with --inplace and --times."""
    main = folder / "src" / "main.py"
    copied = reading._copied
    written: list[Path] = []

    def while_it_is_written(file: BinaryIO, expected: int, target: BinaryIO | None) -> tuple[str, int]:
        done = copied(file, expected, target)
        if not written:
            written.append(main)
            times = (main.stat().st_atime_ns, main.stat().st_mtime_ns)
            main.write_text("print(2)\n", encoding="utf-8")
            os.utime(main, ns=times)
        return done

    monkeypatch.setattr(reading, "_copied", while_it_is_written)
    assert reading.read_whole(str(main)) == reading.hash_of_text("print(2)\n")


def test_a_file_that_became_a_link_or_a_pipe_after_the_walk_is_not_followed(folder: Path) -> None:
    for change in ("link", "pipe", "gone"):
        context = BuildContext.read(folder, None, limit_mb=1)
        main = folder / "src" / "main.py"
        main.unlink()
        if change == "link":
            main.symlink_to("/etc/passwd")
        elif change == "pipe":
            os.mkfifo(main)
        with pytest.raises(
            ContextError, match=r"main\.py (can't be read: .+|is not a file any more); run the command again"
        ):
            freeze(context, folder.parent / "place" / "contexts", now=0)
        main.unlink(missing_ok=True)
        main.write_text("print(1)\n", encoding="utf-8")


def test_a_dockerfile_that_vanishes_meanwhile_is_named(folder: Path) -> None:
    context = BuildContext.read(folder, None, limit_mb=1)
    (folder / "Dockerfile").unlink()
    with pytest.raises(ContextError, match="Dockerfile is not there any more; run the command again"):
        freeze(context, folder.parent / "place" / "contexts", now=0)


def _edited(copy: FrozenContext) -> None:
    (copy.folder / "src" / "main.py").write_text("print(3)\n", encoding="utf-8")


def _edited_with_its_time(copy: FrozenContext) -> None:
    main = copy.folder / "src" / "main.py"
    time = main.stat().st_mtime_ns
    main.write_text("print(4)\n", encoding="utf-8")
    os.utime(main, ns=(time, time))


def _copied_by_cp(copy: FrozenContext) -> None:
    for path in (copy.folder / "src" / "main.py", copy.folder / "src", copy.folder):
        os.utime(path)


def _with_a_folder(copy: FrozenContext) -> None:
    (copy.folder / "more").mkdir()
    os.utime(copy.folder, (SECOND, SECOND))


def _linked(copy: FrozenContext) -> None:
    elsewhere = copy.folder.rename(copy.folder.with_name("elsewhere"))
    copy.folder.symlink_to(elsewhere)


@pytest.mark.parametrize(
    "damage",
    [
        _edited,
        _edited_with_its_time,
        lambda copy: (copy.folder / "more").write_text("", encoding="utf-8"),
        lambda copy: (copy.folder / "run.sh").unlink(),
        _copied_by_cp,
        _with_a_folder,
        lambda copy: (copy.folder / "src").chmod(0o700),
        _linked,
        lambda copy: copy.dockerfile.write_text("FROM other\n", encoding="utf-8"),
    ],
)
def test_a_copy_that_was_changed_is_made_again(folder: Path, damage: Callable[[FrozenContext], object]) -> None:
    copy = frozen(folder)
    before = _state(copy)
    damage(copy)
    again = frozen(folder)
    assert _state(again) == before
    assert not (again.folder / "more").exists()
    assert not again.folder.is_symlink()
    assert {int((again.folder / name).stat().st_mtime) for name in (".", "src")} == {SECOND}
    assert stat.S_IMODE((again.folder / "src").stat().st_mode) == 0o755
    assert again.dockerfile.read_text(encoding="utf-8") == "FROM scratch\nCOPY . /\n"


def test_git_does_not_see_copies_and_unused_ones_go_after_a_day(folder: Path) -> None:
    first = frozen(folder, now=1000)
    assert (first.folder.parent.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"
    (folder / "src" / "main.py").write_text("print(2)\n", encoding="utf-8")
    second = frozen(folder, now=1000 + KEPT_S)
    assert first.folder.exists(), "another run may still read it"
    third = frozen(folder, now=1001 + KEPT_S)
    assert (second.folder, sorted(path.name for path in second.folder.parent.iterdir())) == (
        third.folder,
        sorted([second.folder.name, f"{second.folder.name}.Dockerfile", f"{second.folder.name}.used"]),
    )


def test_what_a_killed_run_leaves_goes_after_a_day(folder: Path) -> None:
    place = frozen(folder, now=1000).folder.parent
    draft = place / ".new-killed"
    (draft / "context").mkdir(parents=True)
    os.utime(draft, (1000, 1000))
    frozen(folder, now=1000 + KEPT_S)
    assert draft.exists(), "the other run may still write it"
    frozen(folder, now=1001 + KEPT_S)
    assert not draft.exists()


def test_a_draft_that_ends_while_old_ones_are_deleted_stops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = frozen(folder).folder.parent
    gone = [place / ".new-gone", place / "copy-gone.used"]
    listed = Path.glob
    monkeypatch.setattr(Path, "glob", lambda path, pattern: [*listed(path, pattern), *gone])
    frozen(folder, now=2 * KEPT_S)


def test_another_process_finds_the_copy_by_its_hash(folder: Path) -> None:
    copy = frozen(folder)
    shutil.rmtree(folder)
    found = frozen_before(copy.folder.parent, copy.files_hash)
    assert found is not None
    assert found.packed() == copy.packed()
    (copy.folder / "run.sh").write_text("edited", encoding="utf-8")
    assert frozen_before(copy.folder.parent, copy.files_hash) is None
    assert frozen_before(copy.folder.parent, "0" * 64) is None


def test_the_archive_has_the_dockerfile_that_was_named_and_hides_it(folder: Path) -> None:
    """Finding A2: with a Dockerfile elsewhere, the folder's own was built, under the hash of the other."""
    other = folder.parent / "other" / "Dockerfile"
    other.parent.mkdir()
    other.write_text("FROM other\n", encoding="utf-8")
    copy = frozen(folder, dockerfile=other)
    assert copy.files_hash != frozen(folder).files_hash
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(copy.packed()))) as archive:
        texts = {entry.name: archive.extractfile(entry) for entry in archive if entry.isfile()}
        read = {name: file.read().decode() for name, file in texts.items() if file}
    assert read[".foundry-agents.Dockerfile"] == "FROM other\n"
    assert read["Dockerfile"] == "FROM scratch\nCOPY . /\n", "content, as in any build"
    assert read[".dockerignore"].splitlines() == [".foundry-agents.Dockerfile", ".dockerignore"]


def test_a_file_system_without_executable_bits_names_a_content_as_git_does(folder: Path) -> None:
    """Finding A3: Windows, and folders mounted into a container, never shared a tag with Linux."""
    before = frozen(folder).files_hash
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "config", "core.fileMode", "false")
    for path in (folder / "Dockerfile", folder / "src" / "main.py"):
        path.chmod(0o777)
    (folder / "run.sh").chmod(0o666)
    assert frozen(folder).files_hash == before
    (folder / "new.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "new.sh").chmod(0o755)
    assert "new.sh" in BuildContext.read(folder, None, limit_mb=1).programs, "git does not have it yet"


def test_a_setting_of_git_without_a_repository_takes_no_bit_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    (folder.parent / ".gitconfig").write_text("[core]\nfileMode = false\n", encoding="utf-8")
    assert BuildContext.read(folder, None, limit_mb=1).programs >= {"run.sh"}


def test_variables_of_a_hook_are_about_another_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_all(folder)
    here = BuildContext.read(folder, None, limit_mb=1).revision()
    assert here is not None
    monkeypatch.setenv("GIT_DIR", str(folder.parent / "elsewhere"))
    assert BuildContext.read(folder, None, limit_mb=1).revision() == here
    monkeypatch.delenv("GIT_DIR")
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fileMode", "GIT_CONFIG_VALUE_0": "false"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (folder / "run.sh").chmod(0o644)
    assert "run.sh" in BuildContext.read(folder, None, limit_mb=1).programs, "settings hold for all"


def test_empty_folders_are_not_content(folder: Path) -> None:
    """Finding A3: `COPY data/` worked here and failed in a clone."""
    before = frozen(folder).files_hash
    (folder / "data").mkdir()
    copy = frozen(folder)
    assert copy.files_hash == before
    assert not (copy.folder / "data").exists()


def test_a_program_folder_that_is_not_writable_is_reported(folder: Path) -> None:
    (folder.parent / "place").write_text("a file", encoding="utf-8")
    with pytest.raises(ContextError, match=r"can't be written to .+: .+; make the program's folder writable"):
        frozen(folder)


def test_looking_at_a_repository_does_not_write_its_index(folder: Path) -> None:
    """Finding F3: git's own refresh of the index changed what was hashed."""
    commit_all(folder)
    os.utime(folder / "run.sh", (0, 0))
    index = (folder / ".git" / "index").read_bytes()
    assert BuildContext.read(folder, None, limit_mb=1).revision() is not None
    assert (folder / ".git" / "index").read_bytes() == index
