"""Vector stores and their indexed files (OpenAI's vector stores API)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence

from foundry_emulator.dataplane.files import Files
from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.settings import Settings
from foundry_emulator.store import Document, Store

_DAY_S = 24 * 60 * 60
_STATUSES = ("in_progress", "completed", "failed", "cancelled")
# The types of OpenAI's file search [docs]; that other types fail when they are indexed is [modelled].
_INDEXED = re.compile(
    r".*\.(c|cpp|cs|css|doc|docx|go|html|java|js|json|md|pdf|php|pptx|py|rb|sh|tex|ts|txt)", re.IGNORECASE | re.DOTALL
)


class VectorStores:
    """All vector stores of all projects, durable through the store.

    A file of a store is ``in_progress`` for `Settings.indexing_s` after it was added, then ``completed``, or
    ``failed`` for a type that is not indexed or a file without content [modelled].

    Args:
        store: The store.
        files: The files to index.
        settings: The setting ``indexing_s``.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, files: Files, *, settings: Settings, clock: Callable[[], float]) -> None:
        self._stores = store.collection("vector_stores")
        self._members = store.collection("vector_store_files")
        self._batches = store.collection("vector_store_batches")
        self._files = files
        self._settings = settings
        self._clock = clock

    def create(self, project: str, content: Mapping[str, object]) -> str:
        """Create a store; return its id.

        Args:
            project: Name of the project.
            content: ``name``, ``description``, ``metadata`` and ``expires_after`` as sent.
        """
        identity, now = f"vs_{secrets.token_hex(12)}", int(self._clock())
        stored = {"object": "vector_store", "id": identity, "created_at": now, "last_active_at": now, **content}
        self._stores.put(f"{project}/{identity}", stored)
        return identity

    def update(self, project: str, identity: str, changes: Mapping[str, object]) -> None:
        """Change an existing store."""
        self._stores.put(f"{project}/{identity}", {**self._stored(project, identity), **changes})

    def touch(self, project: str, identity: str) -> None:
        """Record that a store was used."""
        self.update(project, identity, {"last_active_at": int(self._clock())})

    def delete(self, project: str, identity: str) -> None:
        """Remove a store; its files stay."""
        self._stored(project, identity)
        self._stores.delete(f"{project}/{identity}")
        for collection in (self._members, self._batches):
            for key, _ in _below(collection.items(), f"{project}/{identity}"):
                collection.delete(key)

    def of_project(self, project: str) -> list[Document]:
        """Return the stores of a project as responses show them, oldest first."""
        return [self.document(project, str(stored["id"])) for _, stored in _below(self._stores.items(), project)]

    def document(self, project: str, identity: str) -> dict[str, object]:
        """Return a store as responses show it.

        Raises:
            ServiceProblem: 404, its text [modelled].
        """
        stored = self._stored(project, identity)
        members = self.members(project, identity)
        counts = counted(members)
        expires_at = _expires_at(stored)
        status = "in_progress" if counts["in_progress"] else "completed"
        return {
            **stored,
            "usage_bytes": sum(size for m in members if isinstance(size := m["usage_bytes"], int)),
            "file_counts": counts,
            "expires_at": expires_at,
            "status": "expired" if expires_at is not None and expires_at <= self._clock() else status,
        }

    def add(
        self,
        project: str,
        identity: str,
        file: str,
        *,
        attributes: Mapping[str, object],
        chunking: Mapping[str, object],
    ) -> None:
        """Add a file to a store, both of which exist; a file that is already in it starts again [modelled]."""
        document = self._files.get(project, file)
        member: Document = {
            "file": file,
            "filename": document["filename"],
            "bytes": document["bytes"],
            "added_at": self._clock(),
            "cancelled": False,
            "attributes": dict(attributes),
            "chunking_strategy": dict(chunking),
        }
        self._members.put(f"{project}/{identity}/{file}", member)

    def set_attributes(self, project: str, identity: str, file: str, attributes: Mapping[str, object]) -> None:
        """Replace the attributes of a file in a store."""
        member = self._member(project, identity, file)
        self._members.put(f"{project}/{identity}/{file}", {**member, "attributes": dict(attributes)})

    def remove(self, project: str, identity: str, file: str) -> None:
        """Remove a file from a store; the file stays."""
        self._member(project, identity, file)
        self._members.delete(f"{project}/{identity}/{file}")

    def forget_file(self, project: str, file: str) -> None:
        """Remove a file from every store of a project."""
        for key, member in _below(self._members.items(), project):
            if member["file"] == file:
                self._members.delete(key)

    def member(self, project: str, identity: str, file: str) -> dict[str, object]:
        """Return a file in a store as responses show it.

        Raises:
            ServiceProblem: 404, its text [modelled].
        """
        return self._shown(identity, self._member(project, identity, file))

    def members(self, project: str, identity: str) -> list[dict[str, object]]:
        """Return the files in a store as responses show them, in the order of their addition."""
        self._stored(project, identity)
        return [self._shown(identity, member) for _, member in _below(self._members.items(), f"{project}/{identity}")]

    def names(self, project: str, identity: str) -> dict[str, str]:
        """Return the names of the files in a store, by id."""
        return {str(m["file"]): str(m["filename"]) for _, m in _below(self._members.items(), f"{project}/{identity}")}

    def create_batch(self, project: str, identity: str, files: Sequence[str]) -> str:
        """Record files that were added together; return the batch's id."""
        batch = f"vsfb_{secrets.token_hex(12)}"
        stored = {"id": batch, "created_at": int(self._clock()), "files": [*files]}
        self._batches.put(f"{project}/{identity}/{batch}", stored)
        return batch

    def batch(self, project: str, identity: str, batch: str) -> dict[str, object]:
        """Return a batch as responses show it; files that were removed meanwhile do not count [modelled]."""
        stored = self._batch(project, identity, batch)
        counts = counted(self.batch_members(project, identity, batch))
        cancelled = bool(counts["cancelled"])
        ended = "cancelled" if cancelled else "completed"
        return {
            "object": "vector_store.files_batch",
            "id": batch,
            "created_at": stored["created_at"],
            "vector_store_id": identity,
            "status": "in_progress" if counts["in_progress"] else ended,
            "file_counts": counts,
        }

    def batch_members(self, project: str, identity: str, batch: str) -> list[dict[str, object]]:
        """Return those files of a batch that are in the store, as responses show them."""
        files = self._batch(project, identity, batch)["files"]
        named = files if isinstance(files, list) else []
        return [member for member in self.members(project, identity) if member["id"] in named]

    def cancel_batch(self, project: str, identity: str, batch: str) -> None:
        """Cancel the part of a batch that is still in progress."""
        for member in self.batch_members(project, identity, batch):
            if member["status"] == "in_progress":
                key = f"{project}/{identity}/{member['id']}"
                self._members.put(key, {**self._member(project, identity, str(member["id"])), "cancelled": True})

    def projects(self) -> set[str]:
        """Return the names of the projects that have stores."""
        return {key.partition("/")[0] for key, _ in self._stores.items()}

    def delete_of(self, project: str) -> None:
        """Remove all stores of a project."""
        for _, stored in _below(self._stores.items(), project):
            self.delete(project, str(stored["id"]))

    def _stored(self, project: str, identity: str) -> Document:
        return _found(self._stores.get(f"{project}/{identity}"), f"Vector store '{identity}'")

    def _member(self, project: str, identity: str, file: str) -> Document:
        self._stored(project, identity)
        return _found(self._members.get(f"{project}/{identity}/{file}"), f"File '{file}' in vector store '{identity}'")

    def _batch(self, project: str, identity: str, batch: str) -> Document:
        self._stored(project, identity)
        return _found(self._batches.get(f"{project}/{identity}/{batch}"), f"File batch '{batch}'")

    def _shown(self, identity: str, member: Document) -> dict[str, object]:
        status, error = self._status(member)
        added = member["added_at"]
        return {
            "object": "vector_store.file",
            "id": member["file"],
            "created_at": int(added) if isinstance(added, int | float) else 0,
            "vector_store_id": identity,
            "status": status,
            "usage_bytes": member["bytes"] if status == "completed" else 0,
            "last_error": error,
            "attributes": member["attributes"],
            "chunking_strategy": member["chunking_strategy"],
        }

    def _status(self, member: Document) -> tuple[str, dict[str, str] | None]:
        if member["cancelled"]:
            return "cancelled", None
        added = member["added_at"]
        if isinstance(added, int | float) and self._clock() < added + self._settings.indexing_s:
            return "in_progress", None
        name = str(member["filename"])
        if not _INDEXED.fullmatch(name):
            return "failed", {"code": "unsupported_file", "message": f"Files of this type are not indexed: {name}"}
        if not member["bytes"]:
            return "failed", {"code": "invalid_file", "message": f"The file is empty: {name}"}
        return "completed", None


def counted(members: list[dict[str, object]]) -> dict[str, int]:
    """Return the ``file_counts`` of files."""
    counts = {status: sum(member["status"] == status for member in members) for status in _STATUSES}
    return {**counts, "total": len(members)}


def _below(items: Iterator[tuple[str, Document]], prefix: str) -> list[tuple[str, Document]]:
    return [(key, document) for key, document in items if key.startswith(f"{prefix}/")]


def _found(document: Document | None, what: str) -> Document:
    if document is None:
        raise ServiceProblem(404, "not_found", f"{what} not found")
    return document


def _expires_at(stored: Document) -> int | None:
    policy, active = stored.get("expires_after"), stored["last_active_at"]
    days = policy.get("days") if isinstance(policy, Mapping) else None
    return active + days * _DAY_S if isinstance(days, int) and isinstance(active, int) else None
