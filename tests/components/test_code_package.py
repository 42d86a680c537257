"""A folder as a zip: the same bytes wherever and whenever it is made, and nothing in it that does not belong there."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pulumi import Output

from foundry_agents import CodePackage, Runtime
from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.sources import code_package
from foundry_agents.sources.code_package import as_planned, packed
from tests.support.settings import GOOD

GOLDEN = "798a51c60c4b55851f19e2874e08d2461b320ccc3791b0b6d99e6181c82be1f3"
"""Of the folder that ``agent`` makes."""


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """An agent's folder."""
    folder = tmp_path / "agent"
    (folder / "tools").mkdir(parents=True)
    (folder / "main.py").write_bytes(b"print('hello')\n")
    (folder / "tools" / "gr\u00fcezi.txt").write_bytes(b"x" * 3)
    (folder / "requirements.txt").write_bytes(b"")
    return folder


def names(folder: Path) -> list[str]:
    """What the zip holds."""
    with packed(folder) as (archive, _):
        return zipfile.ZipFile(archive).namelist()


def digest(folder: Path) -> str:
    """Of the zip."""
    with packed(folder) as (_, sha256):
        return sha256


def refusal(folder: Path) -> str:
    """Why it can't be packed."""
    with pytest.raises(InputError) as caught, packed(folder):
        pass
    return str(caught.value)


# --- The same bytes -------------------------------------------------------------------------------------------------


def test_the_zip_is_the_one_that_users_have_in_their_versions(agent: Path) -> None:
    """Case 16, for code: when this fails, every code agent of every user gets a new version."""
    assert digest(agent) == GOLDEN


def test_the_digest_is_the_zips_own(agent: Path) -> None:
    with packed(agent) as (archive, sha256):
        assert hashlib.sha256(archive.read()).hexdigest() == sha256


def test_touched_moved_re_ordered_and_with_other_rights_it_is_the_same_zip(agent: Path, tmp_path: Path) -> None:
    """Case 13, for code: another checkout on another machine is no change."""
    before = digest(agent)
    elsewhere = tmp_path / "another" / "checkout"
    elsewhere.mkdir(parents=True)
    for path in sorted((path for path in agent.rglob("*") if path.is_file()), reverse=True):
        copy = elsewhere / path.relative_to(agent)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o600)
        os.utime(copy, (0, 0))
    (elsewhere / "empty").mkdir()
    assert digest(elsewhere) == before


@pytest.mark.parametrize("change", ["byte", "name", "more", "less"])
def test_any_change_of_what_is_packed_is_another_zip(agent: Path, change: str) -> None:
    """Case 17, for code."""
    before = digest(agent)
    if change == "byte":
        (agent / "main.py").write_bytes(b"print('hellO')\n")
    elif change == "name":
        (agent / "main.py").rename(agent / "start.py")
    elif change == "more":
        (agent / "more.py").write_bytes(b"")
    else:
        (agent / "requirements.txt").unlink()
    assert digest(agent) != before


def test_what_comes_out_of_the_zip_is_what_went_in(agent: Path) -> None:
    with packed(agent) as (archive, _):
        found = zipfile.ZipFile(io.BytesIO(archive.read()))
    assert found.testzip() is None
    assert found.namelist() == ["main.py", "requirements.txt", "tools/gr\u00fcezi.txt"]
    assert {name: found.read(name) for name in found.namelist()} == {
        path.relative_to(agent).as_posix(): path.read_bytes() for path in agent.rglob("*") if path.is_file()
    }


# --- What stays out -------------------------------------------------------------------------------------------------


def test_what_machines_make_is_never_packed(agent: Path) -> None:
    before = digest(agent)
    (agent / "tools" / ".git").write_text("gitdir: elsewhere", encoding="utf-8")  # of a submodule or a worktree
    for name in (".git/config", ".venv/bin/python", "__pycache__/main.pyc", "tools/__pycache__/x.pyc"):
        (agent / name).parent.mkdir(parents=True, exist_ok=True)
        (agent / name).write_text("machine-made", encoding="utf-8")
    assert digest(agent) == before


def test_the_ignore_file_is_read_as_git_reads_its_own_and_stays_out_itself(agent: Path) -> None:
    for name in ("notes.md", "keep.md", "data/big.bin", "tools/data/small.bin", "build/x/y"):
        (agent / name).parent.mkdir(parents=True, exist_ok=True)
        (agent / name).write_text("x", encoding="utf-8")
    rules = "# comments\n*.md\n!keep.md\n/data/\nbuild\n"
    (agent / ".agentignore").write_text(rules, encoding="utf-8")
    assert names(agent) == ["keep.md", "main.py", "requirements.txt", "tools/data/small.bin", "tools/gr\u00fcezi.txt"]


def test_a_changed_file_that_is_ignored_is_no_change(agent: Path) -> None:
    (agent / ".agentignore").write_text("*.log\n", encoding="utf-8")
    before = digest(agent)
    (agent / "run.log").write_text("later", encoding="utf-8")
    assert digest(agent) == before


# --- What can't be packed -------------------------------------------------------------------------------------------


def test_links_out_of_the_folder_are_refused_all_at_once(agent: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret", encoding="utf-8")
    (agent / "out.txt").symlink_to(tmp_path / "secret")
    (agent / "up").symlink_to(tmp_path)
    (agent / "broken").symlink_to(agent / "nowhere")
    (agent / "tools" / "up").symlink_to("../../secret")
    lines = refusal(agent).splitlines()
    assert lines[0] == "4 problems in the agent's code"
    assert "code: broken is a link to nothing, or to itself" in lines[1]
    assert "code: out.txt is a link out of the folder" in lines[2]
    assert "code: tools/up is a link out of the folder" in lines[3]
    assert "code: up is a link to a folder" in lines[4]


def test_a_link_to_a_file_inside_is_packed_as_that_file(agent: Path) -> None:
    (agent / "start.py").symlink_to("main.py")
    with packed(agent) as (archive, _):
        assert zipfile.ZipFile(archive).read("start.py") == b"print('hello')\n"


def test_a_link_that_is_ignored_is_in_nobodys_way(agent: Path, tmp_path: Path) -> None:
    (agent / "up").symlink_to(tmp_path)
    (agent / ".agentignore").write_text("up/\nup\n", encoding="utf-8")
    assert "main.py" in names(agent)


def test_what_is_no_file_is_refused(agent: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(agent / "s"))
        assert "code: s is a socket; exclude it in .agentignore" in refusal(agent)


def test_a_missing_empty_or_unreadable_folder_is_refused(agent: Path, tmp_path: Path) -> None:
    assert "is not a folder" in refusal(tmp_path / "nowhere")
    assert "is not a folder" in refusal(agent / "main.py")
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    assert "has no file to pack" in refusal(tmp_path / "empty")
    (agent / ".agentignore").write_bytes(b"\xff\xfe")
    assert ".agentignore, line 1: it is not in UTF-8" in refusal(agent)


def test_a_folder_beyond_the_limit_is_refused_before_it_is_packed(agent: Path) -> None:
    """250 MB [sdk]; a file with a hole takes no room on the disk here."""
    with (agent / "model.bin").open("wb") as large:
        large.truncate(code_package.LARGEST_ZIP)
    text = refusal(agent)
    assert "250.0 MB packed, and 250 MB is the limit" in text
    assert "largest: model.bin (250.0 MB), " in text
    assert ".agentignore" in text


def test_the_room_that_names_take_in_the_zip_counts(agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with packed(agent) as (archive, _):
        size = len(archive.read())
    monkeypatch.setattr(code_package, "LARGEST_ZIP", size)
    assert digest(agent)
    monkeypatch.setattr(code_package, "LARGEST_ZIP", size - 1)
    assert "is the limit" in refusal(agent)


# --- Planned and posted ---------------------------------------------------------------------------------------------


def test_what_is_posted_is_what_was_planned(agent: Path) -> None:
    planned = digest(agent)
    with as_planned(agent, planned) as archive:
        assert hashlib.sha256(archive.read()).hexdigest() == planned


def test_a_folder_that_changed_between_plan_and_post_is_refused(agent: Path) -> None:
    planned = digest(agent)
    (agent / "main.py").write_bytes(b"print('later')\n")
    with pytest.raises(InputError) as caught, as_planned(agent, planned):
        pass
    for part in ("has changed since this deployment was planned", planned[:12], "nothing was posted", "pulumi up"):
        assert part in str(caught.value)


def test_a_package_is_an_input_without_a_problem(agent: Path) -> None:
    package = CodePackage(agent, entry_point=["python", "main.py"])
    assert package.as_input() == {
        "sha256": GOLDEN,
        "runtime": "python_3_13",
        "entry_point": ["python", "main.py"],
        "dependency_resolution": "bundled",
    }
    props = {**GOOD, "image": None, "code": package.as_input()}
    assert VERSION_FIELDS.normalise(props)[1] == []


def test_a_newer_runtime_is_plain_text_in_the_input(agent: Path) -> None:
    package = CodePackage(agent, entry_point=["python", "main.py"], runtime=Runtime.of("python_3_15"))
    assert type(package.as_input()["runtime"]) is str


# --- Arguments as users write them ----------------------------------------------------------------------------------


def refused_input(package: CodePackage) -> str:
    with pytest.raises(InputError) as caught:
        package.as_input()
    return str(caught.value)


def test_an_entry_point_in_one_text_is_refused_in_words(agent: Path) -> None:
    """Finding A4: it was posted letter by letter."""
    said = refused_input(CodePackage(agent, entry_point="python main.py"))
    assert 'code.entry_point: must be a list of texts, not one text: write ["python", "main.py"]' in said


def test_outputs_and_other_types_are_refused_all_at_once(agent: Path) -> None:
    """Finding D: CodePackage(Output) was a raw traceback."""
    wrong: Any = {"folder": Output.from_input(str(agent)), "entry_point": ["python", 3], "runtime": 313}
    said = refused_input(CodePackage(**wrong))
    assert "3 problems in the agent's code" in said
    assert "code.folder: must be a path, got Output" in said
    assert "code.entry_point[1]: must be a text, got int" in said
    assert "code.runtime: must be a text, got int" in said


@pytest.mark.parametrize(
    ("entry_point", "settings", "said"),
    [
        (["python", "mian.py"], {}, "mian.py is not in the package"),
        (["python", "-u", "-X", "dev", "mian.py"], {}, "mian.py is not in the package"),
        (["python3", "./tools/../mian.py"], {}, "mian.py is not in the package"),
        (["python main.py"], {}, 'python main.py is not a command: write ["python", "main.py"]'),
        (["main.py", "--port", "1"], {}, 'main.py is not a command: write ["python", "main.py", "--port", "1"]'),
        (["dotnet", "Agent.dll"], {}, "dotnet is not in the runtime python_3_13"),
        (["python", "main.py"], {"runtime": Runtime.DOTNET_10}, "python is not in the runtime dotnet_10"),
        (["dotnet", "Agent.dll"], {"runtime": Runtime.DOTNET_10}, "Agent.dll is not in the package"),
        (
            ["dotnet", "Agent.dll"],
            {"runtime": Runtime.DOTNET_10, "dependency_resolution": "remote_build"},
            "the package has none: add *.csproj or *.fsproj",
        ),
    ],
)
def test_an_entry_point_that_can_not_start_is_refused_in_the_preview(
    agent: Path, entry_point: list[str], settings: dict[str, Any], said: str
) -> None:
    """Findings A4 and F4."""
    assert said in refused_input(CodePackage(agent, entry_point=entry_point, **settings))


@pytest.mark.parametrize(
    "entry_point",
    [
        ["python", "main.py"],
        ["python3.13", "-u", "./main.py", "--port", "x.py"],
        ["python", "-m", "uvicorn", "main:app"],
        ["python", "-c", "import main"],
        ["uvicorn", "main:app"],
        ["python", "/opt/start.py"],
        ["./start.sh"],
    ],
)
def test_an_entry_point_that_may_start_is_taken(agent: Path, entry_point: list[str]) -> None:
    assert CodePackage(agent, entry_point=entry_point).as_input()["entry_point"] == entry_point


def test_a_remote_build_needs_a_manifest(agent: Path) -> None:
    package = CodePackage(agent, ["python", "main.py"], dependency_resolution="remote_build")
    assert package.as_input()["dependency_resolution"] == "remote_build"
    (agent / "requirements.txt").unlink()
    assert "the package has none: add requirements.txt or pyproject.toml" in refused_input(package)


def test_the_runtime_of_a_newer_language_is_not_judged(agent: Path) -> None:
    package = CodePackage(agent, ["node", "main.js"], Runtime.of("node_24"), "remote_build")
    assert package.as_input()["runtime"] == "node_24"
