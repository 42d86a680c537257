"""The build context: which files count, and what makes another image."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from foundry_agents.sources.build_context import BuildContext
from foundry_agents.sources.frozen_context import freeze
from foundry_agents.sources.reading import ContextError
from tests.support.git import commit_all, git

FILES = {"Dockerfile": "FROM scratch\n", "main.py": "print(1)\n", "data/big.bin": "x" * 100, "data/keep.txt": "k"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "agent"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def read(folder: Path, **more: float) -> BuildContext:
    return BuildContext.read(folder, None, limit_mb=more.get("limit_mb", 1))


def content(folder: Path, settings: dict[str, object] | None = None) -> str:
    """What names the image."""
    return freeze(read(folder), folder.parent / "contexts", now=0).hash(settings or {})


def _touch(folder: Path) -> None:
    os.utime(folder / "main.py", (0, 0))


def _narrow_mode(folder: Path) -> None:
    (folder / "main.py").chmod(0o600)


def _empty_folder(folder: Path) -> None:
    (folder / "sub").mkdir()


@pytest.mark.parametrize("change", [_touch, _narrow_mode, _empty_folder])
def test_what_differs_between_checkouts_makes_no_other_content(folder: Path, change: Callable[[Path], None]) -> None:
    before = content(folder)
    change(folder)
    assert content(folder) == before


def _edit(folder: Path) -> None:
    (folder / "main.py").write_text("print(2)\n", encoding="utf-8")


def _rename(folder: Path) -> None:
    (folder / "main.py").rename(folder / "start.py")


def _make_executable(folder: Path) -> None:
    (folder / "main.py").chmod(0o755)


def _edit_dockerfile(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\nCMD x\n", encoding="utf-8")


def _link(folder: Path) -> None:
    (folder / "main.py").unlink()
    (folder / "main.py").symlink_to("data/keep.txt")


@pytest.mark.parametrize("change", [_edit, _rename, _make_executable, _edit_dockerfile, _link])
def test_what_a_builder_sees_makes_another_content(folder: Path, change: Callable[[Path], None]) -> None:
    before = content(folder)
    change(folder)
    assert content(folder) != before


def test_settings_of_the_build_count(folder: Path) -> None:
    settings: list[dict[str, object]] = [{}, {"target": "a"}, {"target": "b"}, {"args": {"a": "1"}}, {"args": {"a": 1}}]
    assert len({content(folder, each) for each in settings}) == len(settings)


EVERY_FILE = frozenset(FILES)


@pytest.mark.parametrize(
    ("ignore", "excluded"),
    [
        ("", set()),
        ("data\n", {"data/big.bin", "data/keep.txt"}),
        ("\ufeffdata\n", {"data/big.bin", "data/keep.txt"}),
        ("/data/\n# data\n", {"data/big.bin", "data/keep.txt"}),
        ("*\n!main.py\n", EVERY_FILE - {"main.py"}),
        ("data\n!data/keep.txt\n", {"data/big.bin"}),
        ("!data/keep.txt\ndata\n", {"data/big.bin", "data/keep.txt"}),
        ("data\n!**/keep.txt\n", {"data/big.bin"}),
        ("*\n!*/keep.txt\n", EVERY_FILE - {"data/keep.txt"}),
        ("**/*.bin\n", {"data/big.bin"}),
        ("**keep.txt\n", {"data/keep.txt"}),
        ("data/**.txt\n", set()),
        ("*.txt\n", set()),
        ("./main.py\n", {"main.py"}),
        ("../main.py\n", set()),
        ("MAIN.py\n", set()),
        ("[^a]ain.py\n", {"main.py"}),
        ("[!a]ain.py\n", set()),
        ("  # data\n", set()),
        ("data\\\n", set()),
        ("da[]t]a\n", {"data/big.bin", "data/keep.txt"}),
        ("data/*\n", {"data/big.bin", "data/keep.txt"}),
        ("**/*.bin\n!data\n", {"data/big.bin"}),
        ("*\n!data\n", EVERY_FILE - {"data/big.bin", "data/keep.txt"}),
        ("data\n!data\n", set()),
        ("/*\n!data\n", EVERY_FILE - {"data/big.bin", "data/keep.txt"}),
    ],
)
def test_the_ignore_file_is_read_as_buildkit_reads_it(folder: Path, ignore: str, excluded: set[str]) -> None:
    """Each answer is the one of BuildKit's own matcher (fsutil 0257b3308df4 with moby/patternmatcher 0.6.1)."""
    (folder / ".dockerignore").write_text(ignore, encoding="utf-8")
    assert set(read(folder).files) - {".dockerignore"} == EVERY_FILE - excluded


def test_one_file_comes_back_from_a_folder_that_is_excluded_at_any_depth(folder: Path) -> None:
    for name in ("a/cache/keep.js", "a/cache/x/other.js"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")
    (folder / ".dockerignore").write_text("**/cache\n!a/cache/keep.js\n", encoding="utf-8")
    assert [name for name in read(folder).files if name.startswith("a/")] == ["a/cache/keep.js"]


def test_the_dockerfiles_own_ignore_file_takes_precedence_over_the_folders(folder: Path) -> None:
    (folder / ".dockerignore").write_text("*\n", encoding="utf-8")
    (folder / "Dockerfile.dockerignore").write_text("data\n", encoding="utf-8")
    assert "main.py" in read(folder).files


def test_a_dockerfile_counts_even_when_it_is_left_out(folder: Path) -> None:
    (folder / ".dockerignore").write_text("Dockerfile\n", encoding="utf-8")
    before = content(folder)
    _edit_dockerfile(folder)
    assert content(folder) != before


def test_a_missing_folder_and_a_missing_dockerfile_are_named(folder: Path) -> None:
    with pytest.raises(ContextError, match="context nowhere is not a folder"):
        BuildContext.read(Path("nowhere"), None, limit_mb=1)
    (folder / "Dockerfile").unlink()
    with pytest.raises(ContextError, match=r"Dockerfile does not exist; write one, .+ AgentImage.pinned"):
        read(folder)


def test_a_context_over_the_limit_names_its_largest_files(folder: Path) -> None:
    (folder / "data" / "big.bin").write_bytes(b"x" * 2_000_000)
    with pytest.raises(ContextError, match=r"is 2\.0 MB, more than 1 MB: data/big\.bin \(2\.0 MB\), .+\.dockerignore"):
        read(folder)
    read(folder, limit_mb=3)


def test_the_revision_is_the_commit_of_the_folder_while_it_is_clean(folder: Path) -> None:
    assert read(folder).revision() is None, "not in git"
    commit_all(folder.parent)
    commit = git(folder.parent, "rev-parse", "--short=12", "HEAD")
    (folder.parent / "elsewhere").write_text("", encoding="utf-8")
    git(folder.parent, "add", "-A")
    git(folder.parent, "commit", "-qm", "two")
    assert read(folder).revision() == commit, "a commit that does not touch the folder does not count"
    _edit(folder)
    assert read(folder).revision() is None, "it has changes of its own"
