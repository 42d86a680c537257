"""The vector stores and files of a project, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from foundry_agents.lifecycle.views import (
    AgentEnvironment,
    FileView,
    StoredFile,
    VectorStoreView,
)


@dataclass
class MemoryVectorStores:
    """A VectorStoreService that keeps everything in memory.

    Attributes:
        reads_until_indexed: How many reads of a new store show it in progress.
        unreadable: Parts of the names of files that can't be indexed.
        calls: Every call, in order, as its verb: "create_store docs", "upload faq.3a44c0ffee123456.md".
        stores: By id, oldest first.
        contents: Ids of the files of each store.
        files: Names by id.
        searched: Stores that versions of toolboxes search.
        environments: Values of the variables of agents, by version: "support:1".
    """

    reads_until_indexed: int = 0
    unreadable: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list)
    stores: dict[str, VectorStoreView] = field(default_factory=dict)
    contents: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    searched: set[str] = field(default_factory=set)
    environments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _made: int = 0
    _reads: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if call.startswith(("create_", "upload ", "delete_"))]

    def list_stores(self) -> Iterator[VectorStoreView]:
        """Yield the stores, newest first."""
        self.calls.append("list_stores")
        yield from reversed([self._seen(store) for store in self.stores])

    def get_store(self, store: str) -> VectorStoreView | None:
        """Return one store; each read advances its index."""
        self.calls.append(f"get_store {store}")
        self._reads[store] = self._reads.get(store, 0) + 1
        return self._seen(store) if store in self.stores else None

    def create_store(self, name: str, files: Sequence[str], metadata: Mapping[str, str]) -> VectorStoreView:
        """Create a store."""
        self.calls.append(f"create_store {name}")
        made = VectorStoreView(self._next("vs"), name, "in_progress", dict(metadata), total=len(files))
        self.stores[made.id] = made
        self.contents[made.id] = list(files)
        return made

    def delete_store(self, store: str) -> bool:
        """Delete a store; its files stay."""
        self.calls.append(f"delete_store {store}")
        self.contents.pop(store, None)
        return self.stores.pop(store, None) is not None

    def files_of(self, store: str) -> Iterator[StoredFile]:
        """Yield the files of a store."""
        self.calls.append(f"files_of {store}")
        for file in self.contents.get(store, []):
            yield StoredFile(file, "failed", "not a text") if self._fails(file) else StoredFile(file, "completed")

    def list_files(self) -> Iterator[FileView]:
        """Yield all files."""
        self.calls.append("list_files")
        for file, name in self.files.items():
            yield FileView(file, name)

    def upload(self, filename: str, path: Path) -> FileView:
        """Keep the name."""
        del path
        self.calls.append(f"upload {filename}")
        made = FileView(self._next("file"), filename)
        self.files[made.id] = filename
        return made

    def delete_file(self, file: str) -> bool:
        """Delete a file."""
        self.calls.append(f"delete_file {file}")
        return self.files.pop(file, None) is not None

    def stores_in_toolboxes(self) -> Iterator[str]:
        """Yield ``searched``."""
        self.calls.append("stores_in_toolboxes")
        yield from self.searched

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """Yield ``environments``."""
        self.calls.append("agent_environments")
        for version, values in self.environments.items():
            yield AgentEnvironment(version, values)

    def _seen(self, store: str) -> VectorStoreView:
        kept = self.stores[store]
        if self._reads.get(store, 0) <= self.reads_until_indexed:
            return kept
        failed = sum(map(self._fails, self.contents[store]))
        return replace(kept, status="completed", done=kept.total - failed, failed=failed)

    def _fails(self, file: str) -> bool:
        return any(part in self.files.get(file, "") for part in self.unreadable)

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"
