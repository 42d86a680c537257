"""Docker's settings as machines have them: a helper that is missing or fails, and files that are no settings."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from foundry_agents.docker.credentials import (
    Login,
    helper_trouble,
    require_credential_store,
    store_login,
    stored_login,
)
from foundry_agents.lifecycle.failure.image_errors import DockerSettingsError

HOST = "acme.azurecr.io"
LOGIN = Login("user", "canary")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Docker's file, not there yet."""
    return tmp_path / "config.json"


def _program(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a credential helper on PATH."""
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    "before",
    [
        {"credsStore": "not-there"},
        {"credHelpers": {HOST: "not-there"}},
        {"credsStore": "not-there", "credHelpers": {"other.io": "not-there-either"}},
    ],
)
def test_without_the_helper_that_the_settings_name_the_login_is_in_the_file(
    settings: Path, before: dict[str, Any]
) -> None:
    """K8: dev containers and WSL. It ended in a raw StoreError."""
    settings.write_text(json.dumps(before), encoding="utf-8")
    assert stored_login(settings.parent, HOST) is None
    assert "docker-credential-not-there, which is not installed" in (helper_trouble(settings.parent, HOST) or "")

    said = store_login(settings.parent, HOST, LOGIN)

    assert said == "the credential helper docker-credential-not-there of Docker's settings is not installed"
    after = json.loads(settings.read_text(encoding="utf-8"))
    assert after["credHelpers"][HOST] == "", "an empty helper is how Docker's settings name the file itself"
    assert after["auths"][HOST]["auth"] == base64.b64encode(b"user:canary").decode()
    assert after.get("credsStore") == before.get("credsStore"), "other registries keep their store"
    assert set(after["credHelpers"]) == {HOST, *before.get("credHelpers", {})}
    assert stored_login(settings.parent, HOST) == LOGIN, "it is found again"
    assert helper_trouble(settings.parent, HOST) is None


@pytest.mark.parametrize("text", ["exit 1", "echo 'canary of a helper' >&2; exit 3", "kill -9 $$"])
def test_a_helper_that_fails_is_like_one_that_is_missing(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """K8."""
    _program(tmp_path, "broken", text, monkeypatch)
    settings.write_text('{"credsStore": "broken"}', encoding="utf-8")
    assert stored_login(settings.parent, HOST) is None
    said = store_login(settings.parent, HOST, LOGIN)
    assert said == "the credential helper docker-credential-broken of Docker's settings failed"
    assert stored_login(settings.parent, HOST) == LOGIN


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}", '"x"', '{"Username": 7}'])
def test_a_helper_that_answers_with_anything_else_has_no_login(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """K8."""
    _program(tmp_path, "odd", f"echo '{said}'", monkeypatch)
    settings.write_text('{"credsStore": "odd"}', encoding="utf-8")
    assert stored_login(settings.parent, HOST) is None


def test_a_helper_that_works_gets_the_login_and_the_file_stays(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path, "works", f"cat > {tmp_path}/received", monkeypatch)
    settings.write_text('{"credsStore": "works"}', encoding="utf-8")
    assert store_login(settings.parent, HOST, LOGIN) is None
    assert settings.read_text(encoding="utf-8") == '{"credsStore": "works"}'
    assert json.loads((tmp_path / "received").read_text())["Secret"] == "canary"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "it is not JSON"),
        (b"auths: {}\n", "it is not JSON"),
        (b'\xef\xbb\xbf{"auths": {}}', "it is not JSON"),
        (b'{"auths": {"a": "\xe9"}}', "it is not UTF-8"),
        (b"[]", "it is not a JSON object"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"auths": []}', '"auths" is not an object'),
        (b'{"credHelpers": "desktop"}', '"credHelpers" is not an object'),
    ],
)
def test_a_file_that_is_no_settings_is_one_sentence_and_stays(settings: Path, content: bytes, why: str) -> None:
    """K8: it ended in a raw JSONDecodeError. Nothing of a file that can't be read is overwritten."""
    settings.write_bytes(content)
    assert stored_login(settings.parent, HOST) is None
    with pytest.raises(DockerSettingsError) as refused:
        store_login(settings.parent, HOST, LOGIN)
    text = str(refused.value)
    assert text.startswith(f"Docker's settings can't be used\n  Why: {settings}: {why}")
    assert "State: nothing was built, pushed or posted, and the file is as it was" in text
    assert "Do: correct the file, or move it away" in text
    assert "canary" not in text
    assert settings.read_bytes() == content


def test_a_folder_in_place_of_the_file_is_one_sentence(settings: Path) -> None:
    """K8: a container that mounts a file which is not there gets a folder."""
    settings.mkdir()
    assert stored_login(settings.parent, HOST) is None
    with pytest.raises(DockerSettingsError, match="it can't be read"):
        store_login(settings.parent, HOST, LOGIN)


def test_a_place_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    """K8."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DockerSettingsError, match=r"it can't be (read|written)"):
        store_login(tmp_path / "file" / "docker", HOST, LOGIN)


@pytest.mark.parametrize("content", ["", " \n", "{}", '{"auths": null, "credHelpers": null}'])
def test_a_file_without_entries_is_no_trouble(settings: Path, content: str) -> None:
    settings.write_text(content, encoding="utf-8")
    assert stored_login(settings.parent, HOST) is None
    assert store_login(settings.parent, HOST, LOGIN) is None
    assert stored_login(settings.parent, HOST) == LOGIN
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


def test_settings_that_are_a_link_stay_a_link(settings: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.json"
    target.write_text("{}", encoding="utf-8")
    settings.symlink_to(target)
    store_login(settings.parent, HOST, LOGIN)
    assert settings.is_symlink()
    assert HOST in json.loads(target.read_text(encoding="utf-8"))["auths"]


def test_without_a_file_in_docker_config_the_home_folder_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker does not either, so a push with that login would fail."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    store_login(home / ".docker", HOST, LOGIN)
    assert stored_login(tmp_path / "other", HOST) is None


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("missing", None, "the credential store docker-credential-missing is not installed"),
        (
            "broken",
            "echo canary >&2; exit 1",
            "the credential store docker-credential-broken failed to list its logins",
        ),
        ("odd", "echo canary", "the credential store docker-credential-odd failed to list its logins"),
    ],
)
def test_a_usual_store_that_does_not_work_is_said_before_a_build(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, text: str | None, why: str
) -> None:
    """K8: docker-build ended in `getting host: error listing credentials`."""
    if text:
        _program(tmp_path, name, text, monkeypatch)
    settings.write_text(json.dumps({"credsStore": name}), encoding="utf-8")
    with pytest.raises(DockerSettingsError) as refused:
        require_credential_store(settings.parent)
    assert refused.value.why == f"{settings}: {why}"
    assert 'take "credsStore" out of the file' in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["{}", '{"credHelpers": {"acme.azurecr.io": "not-there"}}', "{", '{"credsStore": "good"}']
)
def test_what_stops_no_build_is_no_trouble(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _program(tmp_path, "good", "echo '{}'", monkeypatch)
    settings.write_text(text, encoding="utf-8")
    require_credential_store(settings.parent)
    settings.unlink()
    require_credential_store(settings.parent)


def test_a_credential_helper_that_hangs_is_given_up_on(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview waited for it without end. Its time is passed in: a person may have to unlock a key ring."""
    settings.write_text(json.dumps({"credsStore": "slow"}), encoding="utf-8")
    _program(settings.parent, "slow", "exec sleep 60", monkeypatch)
    assert stored_login(settings.parent, HOST, timeout_s=0.1) is None


def test_what_a_credential_helper_has_is_the_login(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.write_text(json.dumps({"credHelpers": {HOST: "own"}}), encoding="utf-8")
    asked = 'read host; echo "{\\"Username\\": \\"$host\\", \\"Secret\\": \\"canary\\"}"'
    _program(settings.parent, "own", asked, monkeypatch)
    assert stored_login(settings.parent, HOST) == Login(HOST, "canary")
    _program(settings.parent, "own", 'echo \'{"Username": "<token>", "Secret": "t"}\'', monkeypatch)
    assert stored_login(settings.parent, HOST) == Login("00000000-0000-0000-0000-000000000000", "t")
    for nothing in ("echo '[]'", "echo not-json", "exit 1", 'echo \'{"Username": "a"}\''):
        _program(settings.parent, "own", nothing, monkeypatch)
        assert stored_login(settings.parent, HOST) is None
