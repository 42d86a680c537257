"""Documents that survive a kill: named collections of JSON in memory, written through to SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

Document = Mapping[str, object]
"""A JSON object. A collection shares the documents that it returns: read one, never change it, ``put`` a new one."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (collection, key)
)
"""
_PUT = """
INSERT INTO document (collection, key, body) VALUES (?, ?, ?)
ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body
"""


class Collection:
    """Documents by key, in the order of their first ``put``; created by `Store.collection`.

    Reads come from memory. A write is in SQLite's write-ahead log before it returns, so a killed
    process loses none that it acknowledged (a power cut may: the log is not synced at each write).
    """

    def __init__(self, name: str, documents: dict[str, Document], store: Store) -> None:
        self.name = name
        self._documents = documents
        self._store = store

    def get(self, key: str) -> Document | None:
        """Return the document under ``key``, or None."""
        return self._documents.get(key)

    def put(self, key: str, document: Document) -> None:
        """Store ``document`` under ``key``; an existing key keeps its place in the order.

        Raises:
            TypeError: The document is not JSON; nothing was stored.
        """
        self._store._execute(_PUT, (self.name, key, json.dumps(document)))  # noqa: SLF001  the store's own part
        self._documents[key] = document

    def delete(self, key: str) -> bool:
        """Remove the document under ``key``; False when there was none."""
        if key not in self._documents:
            return False
        self._store._execute(  # noqa: SLF001  the store's own part
            "DELETE FROM document WHERE collection = ? AND key = ?", (self.name, key)
        )
        del self._documents[key]
        return True

    def items(self) -> Iterator[tuple[str, Document]]:
        """Return all documents with their keys, oldest key first; safe against writes meanwhile."""
        return iter(list(self._documents.items()))

    def values(self) -> Iterator[Document]:
        """Return all documents, in the order of `items`."""
        return iter(list(self._documents.values()))

    def __len__(self) -> int:
        return len(self._documents)


class Store:
    """A set of collections, kept in the SQLite file ``path``, or in memory only when it is None."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._collections: dict[str, Collection] = {}
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # tokens' signing key is in it
            # Autocommit: every statement is durable when it returns.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_SCHEMA)

    def collection(self, name: str) -> Collection:
        """Return the collection called ``name``; the same object for the same name."""
        with self._lock:
            if name not in self._collections:
                self._collections[name] = Collection(name, self._load(name), self)
            return self._collections[name]

    def close(self) -> None:
        """Close the file. Writing afterwards raises `sqlite3.ProgrammingError`."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def _load(self, name: str) -> dict[str, Document]:
        if self._connection is None:
            return {}
        rows = self._connection.execute("SELECT key, body FROM document WHERE collection = ? ORDER BY place", (name,))
        return {key: json.loads(body) for key, body in rows}

    def _execute(self, statement: str, values: tuple[str, ...]) -> None:
        if self._connection is None:
            return
        with self._lock:
            self._connection.execute(statement, values)
