"""VectorStoreService on the project's OpenAI client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from azure.ai.projects import AIProjectClient
from openai import OpenAI
from openai.types import VectorStore

from foundry_agents.azure import errors
from foundry_agents.azure.openai_errors import found_items, found_or_none, translated
from foundry_agents.azure.toolboxes import agent_environments, whole
from foundry_agents.lifecycle.views import AgentEnvironment, FileView, StoredFile, VectorStoreView

_PURPOSE: Literal["assistants"] = "assistants"
"""Of files that a vector store may have [sdk]."""
_PAGE = 100


class FoundryVectorStoreService:
    """The vector stores and files of one project.

    Args:
        project: The SDK's client of the project.
        endpoint: The project's endpoint, for error texts.
    """

    def __init__(self, project: AIProjectClient, endpoint: str) -> None:
        self._project = project
        self._endpoint = endpoint.rstrip("/")
        self._reads: OpenAI | None = None

    def list_stores(self) -> Iterator[VectorStoreView]:
        """GET /vector_stores, newest first, page by page."""
        with translated(f"GET {self._url('vector_stores')}"):
            yield from map(_view, self._client.vector_stores.list(limit=_PAGE, order="desc"))

    def get_store(self, store: str) -> VectorStoreView | None:
        """GET /vector_stores/{store}."""
        with translated(f"GET {self._url('vector_stores', store)}"):
            found = found_or_none(lambda: self._client.vector_stores.retrieve(store))
        return _view(found) if found else None

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """POST /vector_stores, sent once, without retries of the SDK."""
        with translated(f"POST {self._url('vector_stores')}"):
            return _view(self._once.vector_stores.create(name=name, file_ids=list(files), metadata=dict(metadata)))

    def delete_store(self, store: str) -> bool:
        """DELETE /vector_stores/{store}."""
        with translated(f"DELETE {self._url('vector_stores', store)}"):
            return found_or_none(lambda: self._client.vector_stores.delete(store)) is not None

    def files_of(self, store: str) -> Iterator[StoredFile]:
        """GET /vector_stores/{store}/files, page by page; nothing for a store that is deleted meanwhile."""
        with translated(f"GET {self._url('vector_stores', store)}/files"):
            for file in found_items(lambda: self._client.vector_stores.files.list(store, limit=_PAGE)):
                yield StoredFile(file.id, file.status, file.last_error.message if file.last_error else "")

    def list_files(self) -> Iterator[FileView]:
        """GET /files, page by page."""
        with translated(f"GET {self._url('files')}"):
            for file in self._client.files.list(purpose=_PURPOSE):
                yield FileView(file.id, file.filename)

    def upload(self, filename: str, path: Path) -> FileView:
        """POST /files, sent once, without retries of the SDK."""
        with translated(f"POST {self._url('files')}"), path.open("rb") as content:
            made = self._once.files.create(file=(filename, content), purpose=_PURPOSE)
            return FileView(made.id, made.filename)

    def delete_file(self, file: str) -> bool:
        """DELETE /files/{file}."""
        with translated(f"DELETE {self._url('files', file)}"):
            return found_or_none(lambda: self._client.files.delete(file)) is not None

    def stores_in_toolboxes(self) -> Iterator[str]:
        """GET /toolboxes, and /toolboxes/{toolbox}/versions of each."""
        toolboxes = self._project.toolboxes
        with errors.translated(f"GET {self._endpoint}/toolboxes"):
            names = whole(lambda: (str(toolbox["name"]) for toolbox in toolboxes.list(limit=_PAGE)))
        for name in names:
            with errors.translated(f"GET {self._endpoint}/toolboxes/{name}/versions"):
                pages = partial(toolboxes.list_versions, name, limit=_PAGE)
                for version in errors.found_items(pages, subject="Toolbox"):
                    for tool in version.get("tools") or []:
                        yield from map(str, tool.get("vector_store_ids") or [])

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """GET /agents, and /agents/{agent}/versions of each that is hosted."""
        return agent_environments(self._project, self._endpoint)

    @property
    def _client(self) -> OpenAI:
        """The client with its own two retries, for requests that may be sent twice."""
        if self._reads is None:
            self._reads = self._project.get_openai_client()
        return self._reads

    @property
    def _once(self) -> OpenAI:
        """The client for POSTs: after a lost response the caller reads before it sends one again."""
        return self._client.with_options(max_retries=0)

    def _url(self, *parts: str) -> str:
        return "/".join((self._endpoint, "openai/v1", *parts))


def _view(store: VectorStore) -> VectorStoreView:
    counts = store.file_counts
    return VectorStoreView(
        id=store.id,
        name=store.name or "",
        status=store.status,
        metadata=dict(store.metadata or {}),
        total=counts.total,
        done=counts.completed,
        failed=counts.failed + counts.cancelled,
    )
