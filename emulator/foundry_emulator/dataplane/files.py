"""Uploaded files of a project: their metadata and their content (OpenAI's files API)."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.store import Document, Store


class Files:
    """All files of all projects, durable: their content in a folder, the rest in the store.

    Args:
        store: The store of everything else.
        folder: The folder of the content.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, folder: Path, *, clock: Callable[[], float]) -> None:
        self._documents = store.collection("files")
        self._folder = folder
        self._clock = clock

    def create(self, project: str, *, filename: str, purpose: str, content: bytes) -> Document:
        """Store a file; the same content again is another file."""
        identity = f"file-{secrets.token_hex(12)}"
        place = self._place(project, identity)
        place.parent.mkdir(parents=True, exist_ok=True)
        # The content first: a kill between the two writes leaves bytes without a file, and no file without bytes.
        place.write_bytes(content)
        document: Document = {
            "object": "file",
            "id": identity,
            "purpose": purpose,
            "filename": filename,
            "bytes": len(content),
            "created_at": int(self._clock()),
            "expires_at": None,
            "status": "processed",
            "status_details": None,
        }
        self._documents.put(f"{project}/{identity}", document)
        return document

    def of_project(self, project: str) -> list[Document]:
        """Return the files of a project, oldest first."""
        return [document for key, document in self._documents.items() if key.startswith(f"{project}/")]

    def get(self, project: str, identity: str) -> Document:
        """Return a file.

        Raises:
            ServiceProblem: 404, its text [modelled].
        """
        document = self._documents.get(f"{project}/{identity}")
        if document is None:
            raise _not_found(identity)
        return document

    def content(self, project: str, identity: str) -> bytes:
        """Return the content of a file.

        Raises:
            ServiceProblem: 404.
        """
        try:
            return self._place(project, identity).read_bytes()
        except FileNotFoundError:
            raise _not_found(identity) from None

    def delete(self, project: str, identity: str) -> None:
        """Remove an existing file."""
        self._documents.delete(f"{project}/{identity}")
        self._place(project, identity).unlink(missing_ok=True)

    def projects(self) -> set[str]:
        """Return the names of the projects that have files."""
        return {key.partition("/")[0] for key, _ in self._documents.items()}

    def delete_of(self, project: str) -> None:
        """Remove all files of a project."""
        for document in self.of_project(project):
            self._documents.delete(f"{project}/{document['id']}")
        shutil.rmtree(self._folder / project, ignore_errors=True)

    def _place(self, project: str, identity: str) -> Path:
        return self._folder / project / identity


def _not_found(identity: str) -> ServiceProblem:
    return ServiceProblem(404, "not_found", f"No such File object: {identity}")
