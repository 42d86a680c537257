"""Files and vector stores, through the unmodified OpenAI client and by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential
from openai import BadRequestError, NotFoundError, OpenAI

from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Clock, Json, error_of

FILES, STORES = "/openai/v1/files", "/openai/v1/vector_stores"


CLOCK = Clock()


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    settings = Settings(provisioning_s=0, indexing_s=5)
    with LocalAzure(tmp_path_factory.mktemp("azure"), settings=settings, clock=CLOCK) as running:
        yield running


@pytest.fixture
def openai(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAI]:
    """The client that ``AIProjectClient`` returns; it sends no ``api-version``."""
    for name, value in api.azure.env.items():
        monkeypatch.setenv(name, value)
    with (
        DefaultAzureCredential() as credential,
        AIProjectClient(api.project.endpoint, credential) as project,
        project.get_openai_client() as client,
    ):
        yield client


def upload(api: Api, name: str = "faq.md", text: bytes = b"Returns take 30 days.") -> str:
    made = api.http.post(FILES, files={"file": (name, text)}, data={"purpose": "assistants"})
    assert made.status_code == 200, made.text
    identity: str = made.json()["id"]
    return identity


def store(api: Api, *files: str, **others: object) -> str:
    made = api.http.post(STORES, json={"name": "faq", "file_ids": list(files), **others})
    assert made.status_code == 200, made.text
    identity: str = made.json()["id"]
    return identity


def shown(api: Api, path: str) -> Json:
    answer = api.http.get(f"{STORES}/{path}")
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def test_the_clients_flow_upload_index_wait_search_delete(openai: OpenAI) -> None:
    file = openai.files.create(file=("faq.md", b"Returns take 30 days."), purpose="assistants")
    made = openai.vector_stores.create(name="faq", file_ids=[file.id], metadata={"owner": "shop"})
    assert (made.name, made.status, made.file_counts.in_progress) == ("faq", "in_progress", 1)
    CLOCK.time += 4.9
    assert openai.vector_stores.retrieve(made.id).status == "in_progress"
    CLOCK.time += 0.2
    ready = openai.vector_stores.retrieve(made.id)
    assert (ready.status, ready.file_counts.completed, ready.usage_bytes) == ("completed", 1, file.bytes)
    (hit,) = openai.vector_stores.search(made.id, query="How many days do returns take?").data
    assert (hit.filename, hit.content[0].text) == ("faq.md", "Returns take 30 days.")
    assert openai.files.content(file.id).read() == b"Returns take 30 days."
    updated = openai.vector_stores.update(made.id, name="new", expires_after={"anchor": "last_active_at", "days": 1})
    assert (updated.name, updated.metadata, updated.expires_at) == ("new", {"owner": "shop"}, int(CLOCK.time) + 86400)
    assert openai.vector_stores.delete(made.id).deleted
    assert openai.files.retrieve(file.id).filename == "faq.md"
    assert openai.files.delete(file.id).deleted
    with pytest.raises(NotFoundError):
        openai.vector_stores.retrieve(made.id)
    with pytest.raises(NotFoundError):
        openai.files.content(file.id)


def test_the_clients_own_helper_waits_for_batches(api: Api, openai: OpenAI) -> None:
    api.azure.control.set(indexing_s=0)
    try:
        identity = store(api)
        batch = openai.vector_stores.file_batches.upload_and_poll(
            identity, files=[("a.txt", b"alpha"), ("b.png", b"beta"), ("c.txt", b"")], poll_interval_ms=1
        )
        counts = batch.file_counts
        assert (batch.status, counts.completed, counts.failed, counts.total) == ("completed", 1, 2, 3)
        files = list(openai.vector_stores.file_batches.list_files(batch.id, vector_store_id=identity))
        causes = {file.last_error.code for file in files if file.last_error}
        assert causes == {"unsupported_file", "invalid_file"}
        completed = openai.vector_stores.files.list(identity, filter="completed")
        assert [openai.files.retrieve(file.id).filename for file in completed] == ["a.txt"]
    finally:
        api.azure.control.set(indexing_s=5)


def test_lists_over_several_pages_end_and_are_complete(api: Api, openai: OpenAI) -> None:
    files = [upload(api, f"{n}.txt") for n in range(5)]
    stores = [store(api, *files) for _ in range(5)]
    assert [file.id for file in openai.files.list(limit=2)] == files[::-1]
    assert [made.id for made in openai.vector_stores.list(limit=2, order="asc")] == stores
    assert [file.id for file in openai.vector_stores.files.list(stores[0], limit=2)] == files[::-1]
    assert list(openai.files.list(purpose="vision")) == []


def test_a_cancelled_batch_stops_what_is_in_progress_and_keeps_what_is_indexed(api: Api) -> None:
    early, late = upload(api, "early.md"), upload(api, "late.md")
    identity = store(api, early)
    CLOCK.time += 5
    batch = api.http.post(f"{STORES}/{identity}/file_batches", json={"file_ids": [late]}).json()
    assert (batch["object"], batch["status"]) == ("vector_store.files_batch", "in_progress")
    cancelled = api.http.post(f"{STORES}/{identity}/file_batches/{batch['id']}/cancel").json()
    assert (cancelled["status"], cancelled["file_counts"]["cancelled"]) == ("cancelled", 1)
    CLOCK.time += 5
    counts = shown(api, identity)["file_counts"]
    assert counts == {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 1, "total": 2}


def test_attributes_filter_a_search_and_can_be_changed(api: Api) -> None:
    old, new = upload(api, "old.md", b"returns 14 days"), upload(api, "new.md", b"returns 30 days")
    identity = store(api)
    entries = [{"file_id": old, "attributes": {"year": 2025}}, {"file_id": new}]
    api.http.post(f"{STORES}/{identity}/file_batches", json={"files": entries, "attributes": {"year": 2026}})
    CLOCK.time += 5

    def found(filters: Json) -> list[str]:
        body = {"query": ["returns"], "filters": filters, "ranking_options": {"score_threshold": 0.5}}
        answer = api.http.post(f"{STORES}/{identity}/search", json=body)
        assert answer.status_code == 200, answer.text
        return [hit["filename"] for hit in answer.json()["data"]]

    year = {"type": "eq", "key": "year", "value": 2025}
    assert found(year) == ["old.md"]
    assert found({"type": "gte", "key": "year", "value": 2026}) == ["new.md"]
    assert found({"type": "or", "filters": [year, {"type": "in", "key": "year", "value": [2026]}]}) == [
        "old.md",
        "new.md",
    ]
    assert found({"type": "and", "filters": [year, {"type": "lt", "key": "year", "value": "x"}]}) == []
    changed = api.http.post(f"{STORES}/{identity}/files/{old}", json={"attributes": {"year": 1999}}).json()
    assert changed["attributes"] == {"year": 1999}
    assert found(year) == []


def test_a_deleted_file_leaves_its_stores_and_a_removed_one_stays_a_file(api: Api) -> None:
    one, two = upload(api), upload(api)
    identity = store(api, one, two)
    assert api.http.delete(f"{STORES}/{identity}/files/{one}").json()["deleted"]
    assert api.http.get(f"{FILES}/{one}").status_code == 200
    api.http.delete(f"{FILES}/{two}")
    assert shown(api, identity)["file_counts"]["total"] == 0


def test_a_search_finds_the_part_of_a_long_file_and_nothing_in_a_binary_file(api: Api) -> None:
    long = " ".join(f"w{n}" for n in range(3000))
    identity = store(api, upload(api, "long.txt", long.encode()), upload(api, "a.pdf", b"%PDF w2999"))
    CLOCK.time += 5
    (hit,) = api.http.post(f"{STORES}/{identity}/search", json={"query": "w2999"}).json()["data"]
    assert hit["content"][0]["text"].startswith("w2400 ")
    assert hit["score"] == 1.0


def test_an_idle_store_expires(api: Api) -> None:
    identity = store(api, expires_after={"anchor": "last_active_at", "days": 1})
    CLOCK.time += 86400
    api.http.headers["authorization"] = f"Bearer {api.azure.token()}"
    assert shown(api, identity)["status"] == "expired"


def test_a_toolbox_searches_its_vector_stores_by_words_and_reports_it(api: Api) -> None:
    identity = store(api, upload(api), upload(api, "other.md", b"Shipping is free."))
    CLOCK.time += 5
    tools = [
        {"type": "file_search", "vector_store_ids": [identity]},
        {"type": "file_search", "name": "lost", "vector_store_ids": ["vs_x"]},
    ]
    api.http.post("/toolboxes/tools/versions", json={"tools": tools}).raise_for_status()

    def call(tool: str) -> tuple[str, bool]:
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": {"query": "returns days"}},
        }
        result = api.http.post("/toolboxes/tools:invoke_mcp", json=message).json()["result"]
        return result["content"][0]["text"], result.get("isError", False)

    text, failed = call("file_search")
    assert not failed
    assert text.startswith("Modelled by the local Azure: words were compared, not embeddings. 1 parts of files")
    assert text.endswith("[faq.md, score 1.00]\nReturns take 30 days.")
    assert call("lost") == ("lost: Vector store 'vs_x' not found", True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"name": 1}),
        ("", {"file_ids": "x"}),
        ("", {"file_ids": [1]}),
        ("", {"metadata": {"a": 1}}),
        ("", {"expires_after": {"anchor": "created_at", "days": 1}}),
        ("", {"expires_after": {"anchor": "last_active_at", "days": 10**30}}),
        (
            "",
            {
                "chunking_strategy": {
                    "type": "static",
                    "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 90},
                }
            },
        ),
        ("/{}/search", {}),
        ("/{}/search", {"query": "x", "max_num_results": 51}),
        ("/{}/search", {"query": "x", "filters": {"type": "like", "key": "a", "value": 1}}),
        ("/{}/files", {}),
        ("/{}/files", {"file_id": "{file}", "attributes": {"a": []}}),
        ("/{}/file_batches", {}),
        ("/{}/file_batches", {"files": [1]}),
    ],
)
def test_an_invalid_request_is_a_400_and_changes_nothing(api: Api, path: str, body: Json) -> None:
    file = upload(api)
    identity = store(api, file)
    CLOCK.time += 5
    before = shown(api, identity), api.http.get(STORES).json()
    if body.get("file_id"):
        body = body | {"file_id": file}
    assert error_of(api.http.post(STORES + path.format(identity), json=body)) == (400, "invalid_payload")
    assert (shown(api, identity), api.http.get(STORES).json()) == before


@pytest.mark.parametrize(
    "upload_of",
    [
        {"json": {"purpose": "assistants"}},
        {"files": {"file": ("a.md", b"x")}},
        {"files": {"file": ("a.md", b"x")}, "data": {"purpose": "moon"}},
        {"data": {"purpose": "assistants"}, "files": {"other": ("a.md", b"x")}},
    ],
)
def test_an_invalid_upload_is_a_400(api: Api, upload_of: dict[str, Any]) -> None:
    assert error_of(api.http.post(FILES, **upload_of)) == (400, "invalid_payload")
    assert api.http.get(FILES).json()["data"] == []


def test_a_missing_store_file_or_batch_is_a_404_for_the_client(api: Api, openai: OpenAI) -> None:
    identity = store(api)
    with pytest.raises(NotFoundError, match="No such File object: file-x"):
        openai.vector_stores.files.create(identity, file_id="file-x")
    with pytest.raises(NotFoundError):
        openai.vector_stores.file_batches.retrieve("vsfb_x", vector_store_id=identity)
    with pytest.raises(NotFoundError):
        openai.vector_stores.files.delete("file-x", vector_store_id=identity)
    with pytest.raises(BadRequestError):
        openai.vector_stores.list(limit=101)
    assert api.http.get(STORES, params={"api-version": "2024-01-01"}).status_code == 404


def test_stores_and_files_survive_a_restart_and_are_deleted_with_the_project(tmp_path: Path) -> None:
    settings = Settings(indexing_s=0)
    with LocalAzure(tmp_path / "azure", settings=settings) as azure:
        project = azure.seed_project("shop")
        api = Api(azure, project, "")
        file = upload(api)
        identity = store(api, file)
        batch = api.http.post(f"{STORES}/{identity}/file_batches", json={"file_ids": [file]}).json()["id"]
        before = shown(api, identity), shown(api, f"{identity}/file_batches/{batch}")
        api.http.close()
    with LocalAzure(tmp_path / "azure", settings=settings) as azure:
        api = Api(azure, project, "")
        api.http.base_url = httpx.URL(azure.project_endpoint("shop"))
        assert (shown(api, identity), shown(api, f"{identity}/file_batches/{batch}")) == before
        assert api.http.get(f"{FILES}/{file}/content").content == b"Returns take 30 days."
        azure.delete(project.id)
        assert not (tmp_path / "azure" / "files" / "shop").exists()
        azure.put(project.id, {"location": "swedencentral", "identity": {"type": "SystemAssigned"}, "properties": {}})
        assert (api.http.get(FILES).json()["data"], api.http.get(STORES).json()["data"]) == ([], [])
        api.http.close()


ASYNC_FLOW = """
import asyncio, sys
from azure.ai.projects.aio import AIProjectClient
from azure.identity.aio import DefaultAzureCredential

async def flow(endpoint):
    async with DefaultAzureCredential() as credential, AIProjectClient(endpoint, credential) as project:
        async with project.get_openai_client() as client:
            store = await client.vector_stores.create(name="a")
            batch = await client.vector_stores.file_batches.upload_and_poll(
                store.id, files=[("a.md", b"alpha")], poll_interval_ms=1)
            print(batch.status, [f.status async for f in client.vector_stores.files.list(store.id)])
            print([f.filename async for f in client.files.list()])

asyncio.run(flow(sys.argv[1]))
"""


def test_the_async_client_runs_the_same_flow(api: Api) -> None:
    """In a separate process: aiohttp reads SSL_CERT_FILE when it is imported."""
    api.azure.control.set(indexing_s=0)
    done = subprocess.run(
        [sys.executable, "-c", ASYNC_FLOW, api.project.endpoint],
        env=os.environ | api.azure.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    api.azure.control.set(indexing_s=5)
    assert done.stdout.split("\n")[:2] == ["completed ['completed']", "['a.md']"], done.stderr
