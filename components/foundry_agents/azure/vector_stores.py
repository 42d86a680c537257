"""VectorStoreService on the project's OpenAI client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from azure.ai.projects import AIProjectClient
from azure.core.exceptions import ResourceNotFoundError
from openai import NotFoundError, OpenAI
from openai.types import VectorStore

from foundry_agents.azure.errors import is_about_the_project, let_missing_pass, translated
from foundry_agents.azure.openai_errors import asking
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
        with asking(f"GET {self._url('vector_stores')}"):
            yield from map(_view, self._client.vector_stores.list(limit=_PAGE, order="desc"))

    def get_store(self, store: str) -> VectorStoreView | None:
        """GET /vector_stores/{store}."""
        with asking(f"GET {self._url('vector_stores', store)}"):
            try:
                return _view(self._client.vector_stores.retrieve(store))
            except NotFoundError as error:
                _let_missing_pass(error)
                return None

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """POST /vector_stores, once on the wire."""
        with asking(f"POST {self._url('vector_stores')}"):
            return _view(self._once.vector_stores.create(name=name, file_ids=list(files), metadata=dict(metadata)))

    def delete_store(self, store: str) -> bool:
        """DELETE /vector_stores/{store}."""
        with asking(f"DELETE {self._url('vector_stores', store)}"):
            try:
                self._client.vector_stores.delete(store)
            except NotFoundError as error:
                _let_missing_pass(error)
                return False
            return True

    def files_of(self, store: str) -> Iterator[StoredFile]:
        """GET /vector_stores/{store}/files, page by page; nothing for a store that is deleted meanwhile."""
        with asking(f"GET {self._url('vector_stores', store)}/files"):
            try:
                for file in self._client.vector_stores.files.list(store, limit=_PAGE):
                    yield StoredFile(file.id, file.status, file.last_error.message if file.last_error else "")
            except NotFoundError as error:
                _let_missing_pass(error)

    def list_files(self) -> Iterator[FileView]:
        """GET /files, page by page."""
        with asking(f"GET {self._url('files')}"):
            for file in self._client.files.list(purpose=_PURPOSE):
                yield FileView(file.id, file.filename)

    def upload(self, filename: str, path: Path) -> FileView:
        """POST /files, once on the wire."""
        with asking(f"POST {self._url('files')}"), path.open("rb") as content:
            made = self._once.files.create(file=(filename, content), purpose=_PURPOSE)
            return FileView(made.id, made.filename)

    def delete_file(self, file: str) -> bool:
        """DELETE /files/{file}."""
        with asking(f"DELETE {self._url('files', file)}"):
            try:
                self._client.files.delete(file)
            except NotFoundError as error:
                _let_missing_pass(error)
                return False
            return True

    def stores_in_toolboxes(self) -> Iterator[str]:
        """GET /toolboxes, and /toolboxes/{toolbox}/versions of each."""
        toolboxes = self._project.toolboxes
        with translated(f"GET {self._endpoint}/toolboxes"):
            names = whole(lambda: (str(toolbox["name"]) for toolbox in toolboxes.list(limit=_PAGE)))
        for name in names:
            with translated(f"GET {self._endpoint}/toolboxes/{name}/versions"):
                try:
                    for version in toolboxes.list_versions(name, limit=_PAGE):
                        for tool in version.get("tools") or []:
                            yield from map(str, tool.get("vector_store_ids") or [])
                except ResourceNotFoundError as error:
                    let_missing_pass(error, subject="Toolbox")

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """GET /agents, and /agents/{agent}/versions of each that is hosted."""
        return agent_environments(self._project, self._endpoint)

    @property
    def _client(self) -> OpenAI:
        """With its own two retries: for what may be asked twice."""
        if self._reads is None:
            self._reads = self._project.get_openai_client()
        return self._reads

    @property
    def _once(self) -> OpenAI:
        """For posts: one that was carried out must not be sent again before somebody has looked."""
        return self._client.with_options(max_retries=0)

    def _url(self, *parts: str) -> str:
        return "/".join((self._endpoint, "openai/v1", *parts))


def _let_missing_pass(error: NotFoundError) -> None:
    """Lets a 404 of the thing itself pass; one that is about the project says nothing about the thing."""
    body: Any = error.body if isinstance(error.body, dict) else {}
    said = str((body.get("error") or body).get("message") or "")
    if is_about_the_project(said):
        raise error


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
