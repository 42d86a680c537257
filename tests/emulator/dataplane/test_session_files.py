"""Files in a session's home."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.emulator.api import Api, error_of

SESSIONS = "/agents/support/endpoint/sessions"


@pytest.fixture
def files(api: Api) -> str:
    api.create("support")
    indicator = {"type": "version_ref", "agent_version": "1"}
    made = api.http.post(SESSIONS, json={"version_indicator": indicator, "agent_session_id": "an id of its own"})
    return f"{SESSIONS}/{made.json()['agent_session_id']}/files"


def put(api: Api, files: str, path: str, content: bytes = b"x") -> httpx.Response:
    return api.http.put(f"{files}/content", params={"path": path}, content=content)


def get(api: Api, files: str, path: str) -> httpx.Response:
    return api.http.get(f"{files}/content", params={"path": path})


def names(api: Api, files: str, **query: str) -> list[tuple[str, int, bool]]:
    entries = api.http.get(files, params=query).json()["entries"]
    assert all(isinstance(entry["modified_time"], int) for entry in entries)
    return [(entry["name"], entry["size"], entry["is_directory"]) for entry in entries]


def test_a_file_is_returned_unchanged(api: Api, files: str) -> None:
    content = bytes(range(256)) * 1000
    written = put(api, files, "notes/today.bin", content)
    assert (written.status_code, written.json()) == (201, {"path": "notes/today.bin", "bytes_written": len(content)})
    assert put(api, files, "/home/session/notes/today.bin", content).json()["path"] == "notes/today.bin"
    for path in ("notes/today.bin", "/home/session/notes/today.bin"):
        read = get(api, files, path)
        assert (read.content, read.headers["content-type"]) == (content, "application/octet-stream")
    put(api, files, "notes/today.bin", b"new")
    assert get(api, files, "notes/today.bin").content == b"new"


def test_a_path_with_a_leading_slash_is_relative_to_the_home(api: Api, files: str) -> None:
    """Microsoft's sample writes paths this way."""
    for path in ("/remote/a.txt", "//etc/passwd", "/home/b.txt"):
        relative = path.lstrip("/")
        written = put(api, files, path)
        assert (written.status_code, written.json()["path"]) == (201, relative)
        assert get(api, files, path).content == get(api, files, relative).content == b"x"
    assert names(api, files, path="/remote") == names(api, files, path="remote") == [("a.txt", 1, False)]
    assert [name for name, _, _ in names(api, files, path="/")] == ["etc", "home", "remote"]
    assert api.http.delete(files, params={"path": "/remote/a.txt"}).status_code == 204
    assert names(api, files, path="/remote") == []


def test_lists_name_files_and_folders(api: Api, files: str) -> None:
    assert names(api, files) == []
    put(api, files, "b.txt", b"12")
    put(api, files, "a/c.txt")
    assert names(api, files) == [("a", 0, True), ("b.txt", 2, False)]
    assert names(api, files, path="a") == [("c.txt", 1, False)]
    assert error_of(api.http.get(files, params={"path": "none"})) == (404, "not_found")


def test_a_folder_is_deleted_when_it_is_empty_or_recursively(api: Api, files: str) -> None:
    put(api, files, "a/b/c.txt")
    assert error_of(api.http.delete(files, params={"path": "a"})) == (409, "conflict")
    assert api.http.delete(files, params={"path": "a/b/c.txt"}).status_code == 204
    assert api.http.delete(files, params={"path": "a/b"}).status_code == 204
    put(api, files, "a/b/c.txt")
    assert api.http.delete(files, params={"path": "a", "recursive": "true"}).status_code == 204
    assert error_of(api.http.delete(files, params={"path": "a"})) == (404, "not_found")
    assert error_of(get(api, files, "a")) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/../x", "/home/session/../x", "a\0b", "x" * 300, "x/" * 600, ""]
)
def test_a_path_out_of_the_home_or_without_a_name_is_a_400(api: Api, files: str, path: str) -> None:
    assert put(api, files, path).status_code == 400
    assert get(api, files, path).status_code == 400


def test_a_link_out_of_the_home_is_not_followed(api: Api, files: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    put(api, files, "a.txt")
    home = next(api.azure._folder.agents.rglob("a.txt")).parent
    (home / "out").symlink_to(tmp_path)
    assert get(api, files, "out/secret").status_code == 400
    assert put(api, files, "out/new").status_code == 400
    assert list(tmp_path.iterdir()) == [tmp_path / "secret"]


def test_a_folder_is_not_a_file_and_a_file_is_not_a_folder(api: Api, files: str) -> None:
    put(api, files, "a/b.txt")
    answers = [put(api, files, "a"), get(api, files, "a"), put(api, files, "a/b.txt/c"), put(api, files, ".")]
    answers.append(api.http.delete(files, params={"path": "."}))
    assert [answer.status_code for answer in answers] == [400] * 5


def test_files_survive_a_stop_and_are_deleted_with_the_session(api: Api, files: str) -> None:
    put(api, files, "a.txt")
    session = files.removesuffix("/files")
    assert api.http.post(f"{session}:stop").status_code == 204
    assert get(api, files, "a.txt").status_code == 200
    api.http.delete(session)
    assert error_of(get(api, files, "a.txt")) == (404, "not_found")
    assert list((api.azure._folder.agents / api.project.name).rglob("a.txt")) == []
