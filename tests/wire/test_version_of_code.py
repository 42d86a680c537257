"""A version of code instead of an image, and fingerprints under a key: real plugin process, real SDK, real uploads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from foundry_agents.agent.import_existing import import_file
from foundry_agents.lifecycle.fingerprint import plain_fingerprint
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.sources.code_package import CodePackage, packed
from tests.support.bench import OWNER, VERSION, Agent, plain
from tests.support.plugin import Plugin, ProviderError, Secret, blob
from tests.support.watched_azure import adapter

KEY = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agent's source."""
    source = tmp_path / "agent"
    source.mkdir()
    (source / "main.py").write_text("print('hello')\n", encoding="utf-8")
    return source


def of(folder: Path) -> dict[str, Any]:
    """The inputs of a version of this folder."""
    package = CodePackage(folder, entry_point=["python", "main.py"])
    return {"image": None, "code": package.as_input(), "code_folder": str(folder)}


def test_a_version_of_code_is_one_upload_of_the_planned_bytes(one: Agent, folder: Path) -> None:
    state = one.create(**of(folder))
    assert plain(state.outs)["status"] == "active"
    assert one.posts() == 1
    with one.bench.azure.client(one.bench.project.name) as client, packed(folder) as (archive, sha256):
        kept = client.get(f"agents/{one.name}/code:download")
        assert kept.content == archive.read()
        assert kept.headers["x-ms-code-zip-sha256"] == sha256


def test_a_read_of_code_that_has_not_changed_is_no_change(one: Agent, folder: Path) -> None:
    """Case 12."""
    state = one.create(**of(folder))
    seen = one.read(state)
    assert plain(seen.outs) == plain(state.outs)
    assert one.bench.plugin.diff(VERSION, seen.outs, one.inputs(**of(folder)), state.id).changes is False


def test_another_checkout_is_no_change_and_a_changed_byte_names_the_code(
    one: Agent, folder: Path, tmp_path: Path
) -> None:
    """Cases 13 and 17: the path and the times of a folder mean nothing."""
    state = one.create(**of(folder))
    elsewhere = tmp_path / "another" / "checkout"
    shutil.copytree(folder, elsewhere, copy_function=shutil.copyfile)
    assert one.bench.plugin.diff(VERSION, state.outs, one.inputs(**of(elsewhere)), state.id).changes is False
    (elsewhere / "main.py").write_text("print('hellO')\n", encoding="utf-8")
    changed = one.bench.plugin.diff(VERSION, state.outs, one.inputs(**of(elsewhere)), state.id)
    assert (changed.changes, changed.replaces) == (True, ["code"])


def test_a_revert_adopts_the_former_code_without_a_folder_to_pack(one: Agent, folder: Path) -> None:
    """Case 9: 0 POSTs; adoption needs no zip."""
    before = of(folder)
    one.create(**before)
    (folder / "main.py").write_text("print('later')\n", encoding="utf-8")
    one.create(**of(folder))
    assert one.posts() == 2
    shutil.rmtree(folder)
    assert plain(one.create(**before).outs)["version"] == "1"
    assert one.posts() == 2


def test_a_folder_that_changes_between_plan_and_post_is_refused_before_any_write(one: Agent, folder: Path) -> None:
    """Not even the endpoint is pinned."""
    one.create()
    writes = sum(entry.write for entry in one.requests())
    planned = one.inputs(**of(folder))
    (folder / "main.py").write_text("print('later')\n", encoding="utf-8")
    with pytest.raises(ProviderError) as caught:
        one.create_checked(planned)
    assert "has changed since this deployment was planned" in str(caught.value)
    assert sum(entry.write for entry in one.requests()) == writes


def test_code_without_its_folder_can_be_adopted_and_not_posted(one: Agent, folder: Path) -> None:
    """As it is after an import."""
    wanted = {**of(folder), "code_folder": None}
    with pytest.raises(ProviderError) as caught:
        one.create(**wanted)
    assert "code_folder: is required to post a code agent" in str(caught.value)
    one.create(**of(folder))
    assert plain(one.create(**wanted).outs)["version"] == "1"
    assert one.posts() == 1


def test_code_that_does_not_start_is_an_error_that_names_it_and_says_what_to_do(one: Agent, folder: Path) -> None:
    failed = {"status": "failed", "error": {"code": "CodeError", "message": "exited with code 1"}}
    one.bench.azure.control.set(scripts=[{"agent": one.name, "steps": [failed]}])
    with pytest.raises(ProviderError) as caught:
        one.create(**of(folder))
    text = str(caught.value)
    for part in (
        "failed: CodeError",
        "python_3_13, entry point `python main.py`",
        "remote_build",
        f"{one.name}:1 was removed",
        "Service said: [CodeError] exited with code 1 (request ",
    ):
        assert part in text
    assert one.versions() == {}


def _code_of(folder: Path) -> dict[str, object]:
    return {name: value for name, value in of(folder).items() if name != "code_folder"}


@pytest.mark.parametrize("kind", ["image", "code"])
def test_an_import_file_of_a_version_has_no_difference_from_a_program_that_says_the_same(
    one: Agent, folder: Path, kind: str
) -> None:
    """Case 46, without an engine: a version of another writer, image or code, with every setting."""
    described: dict[str, Any] = {
        **(_code_of(folder) if kind == "code" else {}),
        "rai_policy": "strict",
        "telemetry": [{"endpoint": "https://otel.example.com", "protocol": "Grpc", "data": ["Metrics"]}],
        "environment": {"A": "b"},
        "metadata": {"team": "support"},
    }
    one.create(**described, code_folder=str(folder))
    with adapter(one.bench.azure, one.bench.project) as service:
        content = import_file(
            service,
            project_endpoint=one.bench.project.endpoint,
            agent=one.name,
            version="1",
            owner=OWNER,
            resource_name="taken",
        )
    (entry,) = content["resources"]
    olds = {name: value for name, value in entry["outputs"].items() if name != "__provider"}
    assert entry["outputs"]["__provider"] == blob(VERSION)
    assert one.bench.plugin.check(VERSION, entry["inputs"]).failures == []
    assert one.bench.plugin.diff(VERSION, olds, one.inputs(**described), entry["id"]).changes is False
    assert json.dumps(content)


# --- A fingerprint under a key --------------------------------------------------------------------------------------


def test_a_fingerprint_under_a_key_is_all_that_anybody_sees_of_a_pin(one: Agent) -> None:
    """Case 55: neither metadata nor state nor lines hold the key or the plain fingerprint."""
    wanted = one.inputs(environment={"PIN": "4711"}, fingerprint_key=KEY)
    state = one.create_checked(wanted)
    plain_hash = plain_fingerprint(VERSION_FIELDS.normalise(wanted)[0])
    with one.bench.azure.client(one.bench.project.name) as client:
        metadata = client.get(f"agents/{one.name}/versions/1").json()["metadata"]
    printed = state.outs["fingerprint"]
    assert isinstance(printed, Secret)
    assert printed.value == metadata["foundry-agents.fingerprint"]
    assert str(printed.value).startswith("v1k:")
    others = {name: value for name, value in state.outs.items() if name not in {"fingerprint_key", "environment"}}
    for place in (metadata, others, one.lines(), [entry.document() for entry in one.requests()]):
        assert plain_hash not in str(place)
        assert KEY not in str(place)


def test_a_key_that_is_added_or_changed_is_no_new_version(one: Agent) -> None:
    """Case 55: nothing is orphaned, and the stack goes on to know its versions."""
    state = one.create()
    assert one.bench.plugin.diff(VERSION, state.outs, one.inputs(fingerprint_key=KEY), state.id).changes is False
    assert plain(one.create(fingerprint_key=KEY).outs)["version"] == "1"
    one.create(fingerprint_key=KEY, environment={"A": "b"})
    assert plain(one.create(fingerprint_key=KEY, environment={"A": "b"}).outs)["version"] == "2"
    assert one.posts() == 2


def test_a_key_that_a_service_would_echo_is_hidden(one: Agent, later: Plugin) -> None:
    """Case 54."""
    body = {"error": {"code": "invalid_payload", "message": f"no: {KEY}", "type": "error", "details": []}}
    one.bench.azure.control.fault(method="POST", path=f"/agents/{one.name}", status=400, body=body)
    with pytest.raises(ProviderError) as caught:
        one.create(later, fingerprint_key=KEY)
    assert KEY not in str(caught.value)
    assert "[secret]" in str(caught.value)
