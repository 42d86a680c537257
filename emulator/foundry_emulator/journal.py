"""The journal: one entry for each request that reached a listener. Tests rely on it instead of logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from sys import intern

from foundry_emulator.store import Store

WRITE_METHODS = frozenset({"POST", "PATCH", "PUT", "DELETE"})
WRITE_PLANES = frozenset({"data", "arm"})
_CAPACITY = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its outcome, without bodies and header values.

    Attributes:
        n: Number of the entry, ascending from 1; continues after a restart.
        time: When the response was sent, Unix seconds.
        plane: ``data``, ``arm``, ``registry`` or ``identity``.
        method: HTTP method.
        path: Decoded path.
        query: Query string as sent.
        status: The status that the service chose, even if a fault withheld the response; None when the
            connection was dropped before the request was processed.
        fault: The fault that fired on the request, or None.
        principal: Object id of the caller, or None without a valid token.
        request_id: The request id, as in the response's headers and error body.
    """

    n: int
    time: float
    plane: str
    method: str
    path: str
    query: str
    status: int | None
    fault: str | None
    principal: str | None
    request_id: str

    @property
    def write(self) -> bool:
        """Whether it is a write on the data or the ARM plane."""
        return self.method in WRITE_METHODS and self.plane in WRITE_PLANES

    def document(self) -> dict[str, object]:
        """Return the entry as JSON."""
        return {**asdict(self), "write": self.write}


class Journal:
    """The last 100,000 entries in memory; writes are in the store too, so that they survive a restart."""

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._writes = store.collection("journal")
        self._entries: deque[Entry] = deque(maxlen=_CAPACITY)
        for document in self._writes.values():
            self._entries.append(_entry(document))
        self._next = self._entries[-1].n + 1 if self._entries else 1

    def record(
        self,
        *,
        plane: str,
        method: str,
        path: str,
        query: str,
        status: int | None,
        fault: str | None,
        principal: str | None,
        request_id: str,
    ) -> None:
        """Add an entry; the entry of a write is durable."""
        # Most requests repeat these texts: the entries share them, which saves a third of the journal's memory.
        path, query, principal = intern(path), intern(query), intern(principal) if principal else principal
        entry = Entry(self._next, self._clock(), plane, method, path, query, status, fault, principal, request_id)
        self._next += 1
        self._entries.append(entry)
        if entry.write:
            self._writes.put(str(entry.n), asdict(entry))
            if len(self._writes) > _CAPACITY:
                self._writes.delete(next(iter(self._writes.items()))[0])

    def entries(self, *, plane: str | None = None, writes: bool = False, since: int = 0) -> Iterator[Entry]:
        """Entries after number ``since``, oldest first; of one plane or all, writes only or all."""
        for entry in list(self._entries):
            if entry.n > since and (plane is None or entry.plane == plane) and (not writes or entry.write):
                yield entry

    def last(self, count: int) -> list[Entry]:
        """Return the last ``count`` entries, newest first."""
        return [self._entries[-1 - place] for place in range(min(count, len(self._entries)))]


def _entry(document: object) -> Entry:
    if not isinstance(document, dict):
        raise TypeError(f"expected a journal entry to be an object, got {document!r}")
    return Entry(**document)
