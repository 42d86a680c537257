"""What the core needs of the service's vector stores and files, in our own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from foundry_agents.lifecycle.toolbox_ports import AgentEnvironment


@dataclass(frozen=True)
class VectorStoreView:
    """A vector store, as the service shows it.

    Attributes:
        id: The service's id, ``vs_…``: what file search is given.
        name: What it is called; not unique.
        status: in_progress, completed or expired [sdk].
        metadata: What was sent at creation, our marks included.
        total: How many files it has.
        done: How many of them can be searched.
        failed: How many could not be indexed.
    """

    id: str
    name: str
    status: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    total: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class FileView:
    """A file of the project.

    Attributes:
        id: The service's id.
        filename: What it was called when it was uploaded; files have no metadata.
    """

    id: str
    filename: str


@dataclass(frozen=True)
class StoredFile:
    """A file in a vector store.

    Attributes:
        id: The file's id.
        status: in_progress, completed, cancelled or failed [sdk].
        error: The service's words on one that failed.
    """

    id: str
    status: str
    error: str = ""


class VectorStoreService(Protocol):
    """The vector stores and files of one project. Every method may raise a ServiceError or SignInFailed."""

    def list_stores(self) -> Iterator[VectorStoreView]:
        """Walks all vector stores, newest first."""
        ...

    def get_store(self, store: str) -> VectorStoreView | None:
        """Reads one; None on a definite 404."""
        ...

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """Posts one with these files, once on the wire. Raises AnswerLost when it may have been made all the same."""
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
