"""What the core asks of a project's vector stores and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from foundry_agents.lifecycle.views import AgentEnvironment, FileView, StoredFile, VectorStoreView


class VectorStoreService(Protocol):
    """The vector stores and files of one project. Every method may raise a ServiceError or SignInError."""

    def list_stores(self) -> Iterator[VectorStoreView]:
        """Yield all vector stores, newest first."""
        ...

    def get_store(self, store: str) -> VectorStoreView | None:
        """Read one; None on a definite 404."""
        ...

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """Post one with these files, once. Raises ResponseLostError when it may have been created anyway."""
        ...

    def delete_store(self, store: str) -> bool:
        """Delete one; its files stay. False when it is missing."""
        ...

    def files_of(self, store: str) -> Iterator[StoredFile]:
        """Yield the files of a store; nothing for a missing store."""
        ...

    def list_files(self) -> Iterator[FileView]:
        """Yield all files of the project."""
        ...

    def upload(self, filename: str, path: Path) -> FileView:
        """Upload a file with one POST."""
        ...

    def delete_file(self, file: str) -> bool:
        """Delete a file; False when it is missing."""
        ...

    def stores_in_toolboxes(self) -> Iterator[str]:
        """Yield the ids of the stores that any version of any toolbox searches."""
        ...

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """Yield all versions of all hosted agents of the project."""
        ...
