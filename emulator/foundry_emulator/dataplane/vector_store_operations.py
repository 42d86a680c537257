"""Operations on vector stores (OpenAI's API, which the service has below ``/openai/v1``)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from foundry_emulator.dataplane.call import Call, Handler, answer
from foundry_emulator.dataplane.definition import check_metadata
from foundry_emulator.dataplane.files import Files
from foundry_emulator.dataplane.paging import listed
from foundry_emulator.dataplane.problem import invalid
from foundry_emulator.dataplane.vector_search import VectorSearch
from foundry_emulator.dataplane.vector_stores import VectorStores
from foundry_emulator.dataplane.wire import without_nulls

_ATTRIBUTES, _KEY, _VALUE = 16, 64, 512
_DAYS = range(1, 366)
_CHUNK_TOKENS = range(100, 4097)
_DEFAULT_STRATEGY = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
_RESULTS, _DEFAULT_RESULTS = range(1, 51), 10
_MOST_FILES = 500  # of a batch [docs]
_STATUSES = frozenset({"in_progress", "completed", "failed", "cancelled"})


class VectorStoreOperations:
    """Serves the vector stores of a project, their files and batches."""

    def __init__(self, stores: VectorStores, files: Files, search: VectorSearch) -> None:
        self._stores = stores
        self._files = files
        self._search = search

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "vector_stores.create": self.create,
            "vector_stores.list": self.list,
            "vector_stores.retrieve": self.retrieve,
            "vector_stores.update": self.update,
            "vector_stores.delete": self.delete,
            "vector_stores.search": self.search,
            "vector_stores.files.create": self.add_file,
            "vector_stores.files.list": self.list_files,
            "vector_stores.files.retrieve": self.retrieve_file,
            "vector_stores.files.update": self.update_file,
            "vector_stores.files.delete": self.delete_file,
            "vector_stores.files.content": self.file_content,
            "vector_stores.file_batches.create": self.create_batch,
            "vector_stores.file_batches.retrieve": self.retrieve_batch,
            "vector_stores.file_batches.cancel": self.cancel_batch,
            "vector_stores.file_batches.list_files": self.list_batch_files,
        }

    async def create(self, call: Call) -> Response:
        """Handle POST ``/vector_stores``; ``file_ids`` are added at once, if all exist."""
        body, project = await call.body_without_nulls(), call.project.name
        content = {
            "name": _text(body, "name"),
            "description": _text(body, "description"),
            "metadata": check_metadata(body.get("metadata")),
            "expires_after": _expiry(body.get("expires_after")),
        }
        files, chunking = self._existing(project, body.get("file_ids", [])), _chunking(body.get("chunking_strategy"))
        identity = self._stores.create(project, content)
        for file in files:
            self._stores.add(project, identity, file, attributes={}, chunking=chunking)
        return answer(self._stores.document(project, identity))

    async def list(self, call: Call) -> Response:
        """Handle GET ``/vector_stores``, newest first."""
        return answer(listed(self._stores.of_project(call.project.name), call.query))

    async def retrieve(self, call: Call) -> Response:
        """Handle GET ``/vector_stores/{id}``."""
        return answer(self._stores.document(call.project.name, call.path["store"]))

    async def update(self, call: Call) -> Response:
        """Handle POST ``/vector_stores/{id}``: name, metadata and expiry, if sent."""
        project, store = self._store(call)
        body = await call.body()  # null removes the expiry
        changes: dict[str, object] = {}
        if body.get("name") is not None:
            changes["name"] = _text(body, "name")
        if body.get("metadata") is not None:
            changes["metadata"] = check_metadata(body["metadata"])
        if "expires_after" in body:
            changes["expires_after"] = _expiry(body["expires_after"])
        self._stores.update(project, store, changes)
        return answer(self._stores.document(project, store))

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``/vector_stores/{id}``; its files stay."""
        project, store = self._store(call)
        self._stores.delete(project, store)
        return answer({"id": store, "object": "vector_store.deleted", "deleted": True})

    async def search(self, call: Call) -> Response:
        """Handle POST ``/vector_stores/{id}/search``: by words, see `vector_search`."""
        project, store = self._store(call)
        body = await call.body_without_nulls()
        given = body.get("query")
        queries = [given] if isinstance(given, str) else given
        if not isinstance(queries, list) or not queries or not all(isinstance(query, str) for query in queries):
            raise invalid("query is required and must be a string or a list of strings.", "query")
        most = body.get("max_num_results", _DEFAULT_RESULTS)
        if isinstance(most, bool) or not isinstance(most, int) or most not in _RESULTS:
            raise invalid(f"max_num_results must be an integer from 1 to {_RESULTS[-1]}.", "max_num_results")
        hits = await self._search.found(project, [store], " ".join(queries), most=most, filters=body.get("filters"))
        ranking = body.get("ranking_options")
        threshold = ranking.get("score_threshold") if isinstance(ranking, Mapping) else None
        floor = threshold if isinstance(threshold, int | float) else 0.0
        results = [
            {
                "file_id": hit.file,
                "filename": hit.filename,
                "score": hit.score,
                "attributes": dict(hit.attributes),
                "content": [{"type": "text", "text": hit.text}],
            }
            for hit in hits
            if hit.score >= floor
        ]
        head = {"object": "vector_store.search_results.page", "search_query": queries}
        return answer({**head, "data": results, "has_more": False, "next_page": None})

    async def add_file(self, call: Call) -> Response:
        """Handle POST ``/vector_stores/{id}/files``."""
        project, store = self._store(call)
        body = await call.body_without_nulls()
        (file,) = self._existing(project, [body.get("file_id")])
        chunking = _chunking(body.get("chunking_strategy"))
        self._stores.add(project, store, file, attributes=_attributes(body.get("attributes")), chunking=chunking)
        self._stores.touch(project, store)
        return answer(self._stores.member(project, store, file))

    async def list_files(self, call: Call) -> Response:
        """Handle GET ``/vector_stores/{id}/files?filter=``, newest first."""
        project, store = self._store(call)
        return answer(_filtered(call, self._stores.members(project, store)))

    async def retrieve_file(self, call: Call) -> Response:
        """Handle GET ``/vector_stores/{id}/files/{file}``."""
        project, store = self._store(call)
        return answer(self._stores.member(project, store, call.path["file"]))

    async def update_file(self, call: Call) -> Response:
        """Handle POST ``/vector_stores/{id}/files/{file}``: its attributes."""
        project, store = self._store(call)
        attributes = _attributes((await call.body()).get("attributes"))
        self._stores.set_attributes(project, store, call.path["file"], attributes)
        return answer(self._stores.member(project, store, call.path["file"]))

    async def delete_file(self, call: Call) -> Response:
        """Handle DELETE ``/vector_stores/{id}/files/{file}``; the file itself stays."""
        project, store = self._store(call)
        self._stores.remove(project, store, call.path["file"])
        return answer({"id": call.path["file"], "object": "vector_store.file.deleted", "deleted": True})

    async def file_content(self, call: Call) -> Response:
        """Handle GET ``/vector_stores/{id}/files/{file}/content``: its text."""
        project, store = self._store(call)
        file = str(self._stores.member(project, store, call.path["file"])["id"])
        text = (await asyncio.to_thread(self._files.content, project, file)).decode(errors="replace")
        page = {"object": "vector_store.file_content.page", "data": [{"type": "text", "text": text}]}
        return answer({**page, "has_more": False, "next_page": None})

    async def create_batch(self, call: Call) -> Response:
        """Handle POST ``/vector_stores/{id}/file_batches``: ``file_ids``, or ``files`` with their own attributes."""
        project, store = self._store(call)
        body = await call.body_without_nulls()
        requested = {}
        for entry in _entries(body):
            (file,) = self._existing(project, [entry.get("file_id")])
            own = {**body, **without_nulls(entry)}  # the file's, else the batch's
            requested[file] = _attributes(own.get("attributes")), _chunking(own.get("chunking_strategy"))
        for file, (attributes, chunking) in requested.items():
            self._stores.add(project, store, file, attributes=attributes, chunking=chunking)
        batch = self._stores.create_batch(project, store, [*requested])
        self._stores.touch(project, store)
        return answer(self._stores.batch(project, store, batch))

    async def retrieve_batch(self, call: Call) -> Response:
        """Handle GET ``/vector_stores/{id}/file_batches/{batch}``."""
        project, store = self._store(call)
        return answer(self._stores.batch(project, store, call.path["batch"]))

    async def cancel_batch(self, call: Call) -> Response:
        """Handle POST ``/vector_stores/{id}/file_batches/{batch}/cancel``: indexed files stay."""
        project, store = self._store(call)
        self._stores.cancel_batch(project, store, call.path["batch"])
        return answer(self._stores.batch(project, store, call.path["batch"]))

    async def list_batch_files(self, call: Call) -> Response:
        """Handle GET ``/vector_stores/{id}/file_batches/{batch}/files?filter=``."""
        project, store = self._store(call)
        return answer(_filtered(call, self._stores.batch_members(project, store, call.path["batch"])))

    def _store(self, call: Call) -> tuple[str, str]:
        """Return project and id of the store in the URL, which exists."""
        project, store = call.project.name, call.path["store"]
        self._stores.document(project, store)
        return project, store

    def _existing(self, project: str, given: object) -> Sequence[str]:
        """Return ids of existing files, each once.

        Raises:
            ServiceProblem: 400 for an invalid id, 404 for a missing file.
        """
        ids: dict[str, None] = {}
        for file in _list(given, "file_ids"):
            if not isinstance(file, str):
                raise invalid("A file_id must be a string.", "file_id")
            ids[str(self._files.get(project, file)["id"])] = None
        return [*ids]


def _entries(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the files of a batch: ``files``, or ``file_ids`` only."""
    if "files" in body:
        given = _list(body["files"], "files")
    else:
        given = [{"file_id": file} for file in _list(body.get("file_ids"), "file_ids")]
    entries = [entry for entry in given if isinstance(entry, Mapping)]
    if len(entries) != len(given) or not 1 <= len(entries) <= _MOST_FILES:
        raise invalid(f"A batch has 1 to {_MOST_FILES} files, each with a file_id.", "files")
    return entries


def _filtered(call: Call, members: list[dict[str, object]]) -> dict[str, object]:
    requested = call.query.get("filter")
    if requested is not None and requested not in _STATUSES:
        raise invalid(f"filter must be one of {', '.join(sorted(_STATUSES))}.", "filter")
    return listed([member for member in members if requested in {None, member["status"]}], call.query)


def _list(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list.", name)
    return value


def _text(body: Mapping[str, object], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} must be a string.", name)
    return value


def _expiry(value: object) -> dict[str, object] | None:
    if value is None:
        return None
    days = value.get("days") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or value.get("anchor") != "last_active_at" or days not in _DAYS:
        raise invalid('expires_after must be {"anchor": "last_active_at", "days": 1 to 365}.', "expires_after")
    return {"anchor": "last_active_at", "days": days}


def _attributes(value: object) -> dict[str, object]:
    if value is None:
        return {}
    fit = isinstance(value, Mapping) and len(value) <= _ATTRIBUTES
    if not isinstance(value, Mapping) or not fit or not all(len(k) <= _KEY and _is_plain(v) for k, v in value.items()):
        raise invalid(
            f"attributes must be at most {_ATTRIBUTES} short names with texts, numbers or booleans.", "attributes"
        )
    return dict(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= _VALUE)


def _chunking(value: object) -> dict[str, object]:
    """Return the strategy as responses show it: ``auto`` is 800 tokens, 400 overlapping [docs]; it is not applied."""
    if value is None or (isinstance(value, Mapping) and value.get("type") == "auto"):
        return dict(_DEFAULT_STRATEGY)
    static = value.get("static") if isinstance(value, Mapping) and value.get("type") == "static" else None
    size = static.get("max_chunk_size_tokens") if isinstance(static, Mapping) else None
    overlap = static.get("chunk_overlap_tokens") if isinstance(static, Mapping) else None
    if (
        not isinstance(size, int)
        or not isinstance(overlap, int)
        or size not in _CHUNK_TOKENS
        or not 0 <= overlap <= size / 2
    ):
        raise invalid("chunking_strategy must be auto, or static with fitting sizes.", "chunking_strategy")
    return {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}
