"""What the core asks of a project's vector stores and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from foundry_agents.lifecycle.views import AgentEnvironment, FileView, StoredFile, VectorStoreView


class VectorStoreService(Protocol):
    """The vector stores and files of one project. Every method may raise a ServiceError or SignInError."""

    def list_stores(self) -> Iterator[VectorStoreView]:
        """Walks all vector stores, newest first."""
        ...

    def get_store(self, store: str) -> VectorStoreView | None:
        """Reads one; None on a definite 404."""
        ...

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """Post one with these files, once. Raises ResponseLostError when it may have been created anyway."""
        ...

    def delete_store(self, store: str) -> bool:
        """Deletes one; its files stay. False when it was not there."""
        ...

    def files_of(self, store: str) -> Iterator[StoredFile]:
        """Walks the files of a store; nothing for one that isn't there."""
        ...

    def list_files(self) -> Iterator[FileView]:
        """Walks all files of the project."""
        ...

    def upload(self, filename: str, path: Path) -> FileView:
        """Uploads a file, once on the wire."""
        ...

    def delete_file(self, file: str) -> bool:
        """Deletes a file; False when it was not there."""
        ...

    def stores_in_toolboxes(self) -> Iterator[str]:
        """Ids of the stores that any version of any toolbox searches."""
        ...

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """Walks all versions of all hosted agents of the project."""
        ...
