"""VectorStore through the real plugin process and the real SDK: files uploaded once, waited for, adopted, retired."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from foundry_agents.resources.vector_store import VectorStoreProvider
from foundry_agents.sources.files import sha256_of
from tests.support.bench import OWNER, Bench, plain
from tests.support.plugin import Plugin, ProviderError, State, running

PROVIDER = VectorStoreProvider()
_numbers = itertools.count(1)


@dataclass
class Stored:
    """Files of one test's own, and the calls that the engine would make for a store of them."""

    bench: Bench
    folder: Path
    name: str = field(default_factory=lambda: f"store-{next(_numbers)}")

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.folder / f"{name}.md").write_text(text, encoding="utf-8")

    def create(self, plugin: Plugin | None = None, **changed: object) -> State:
        paths = sorted(self.folder.iterdir())
        raw = {
            "project_endpoint": self.bench.project.endpoint,
            "store_name": self.name,
            "owner": OWNER,
            "poll_interval_s": 0.1,
            "timeout_s": 20,
            "files": {path.name: sha256_of(path) for path in paths},
            "paths": {path.name: str(path) for path in paths},
            **changed,
        }
        checked = (plugin or self.bench.plugin).check(PROVIDER, raw)
        assert checked.failures == []
        return (plugin or self.bench.plugin).create(PROVIDER, checked.inputs)

    def delete(self, state: State, plugin: Plugin) -> None:
        plugin.delete(PROVIDER, state.id, state.outs)

    def stores(self) -> list[str]:
        """Ids of the stores of this name, newest first."""
        return [store["id"] for store in self._list("vector_stores") if store["name"] == self.name]

    def files(self) -> list[str]:
        """First parts of the names of this test's uploads."""
        names = (file["filename"] for file in self._list("files"))
        return sorted(name.partition(".")[0] for name in names if name.startswith(self.name))

    def posts(self) -> list[str]:
        journal = self.bench.azure.journal(plane="data")
        return [entry.path.rpartition("/")[2] for entry in journal if entry.method == "POST" and "openai" in entry.path]

    def _list(self, what: str) -> list[Mapping[str, Any]]:
        with self.bench.azure.client(self.bench.project.name) as client:
            return list(client.get(f"openai/v1/{what}").json()["data"])


@pytest.fixture
def stored(on_azure: Bench, tmp_path: Path) -> Iterator[Stored]:
    made = Stored(on_azure, tmp_path)
    made.write(**{f"{made.name}-faq": "Refunds take a week.", f"{made.name}-terms": "No refunds for gifts."})
    yield made
    on_azure.reset()
    on_azure.azure.control.set(indexing_s=0)


def test_files_are_uploaded_indexed_and_found_again_with_no_write(stored: Stored) -> None:
    """Case 12; a later run adopts the store without the files."""
    stored.bench.azure.control.set(indexing_s=0.3)
    before = len(stored.posts())
    state = stored.create()
    assert plain(state.outs)["file_count"] == 2
    assert state.outs["vector_store_id"] == state.id
    assert stored.posts()[before:] == ["files", "files", "vector_stores"]
    seen = stored.bench.plugin.read(PROVIDER, state.id, state.outs)
    assert plain(seen.outs) == plain(state.outs)
    assert stored.create(paths={}).id == state.id
    assert len(stored.posts()) == before + 3


@pytest.mark.parametrize(
    ("fault", "posts"), [({"action": "commit_then_reset"}, 1), ({"status": 500}, 2)], ids=["committed", "500"]
)
def test_a_lost_answer_makes_one_store(stored: Stored, fault: Mapping[str, object], posts: int) -> None:
    """Cases 2, 3 and 5: also the OpenAI client's own retries are off."""
    stored.bench.azure.control.fault(path="openai/v1/vector_stores$", method="POST", nth=1, **fault)
    before = len(stored.posts())
    state = stored.create()
    assert stored.stores() == [state.id]
    assert stored.posts()[before:].count("vector_stores") == posts


def test_a_changed_file_is_another_store_and_a_searched_one_stays_until_it_is_free(
    stored: Stored, later: Plugin
) -> None:
    first = stored.create()
    with stored.bench.azure.client(stored.bench.project.name) as client:
        tool = {"type": "file_search", "vector_store_ids": [first.id]}
        client.post(f"toolboxes/{stored.name}/versions", json={"tools": [tool]}).raise_for_status()
        stored.write(**{f"{stored.name}-faq": "Refunds take a day."})
        second = stored.create(later)
        assert second.id != first.id
        stored.delete(first, later)
        assert stored.stores() == [second.id, first.id], "a toolbox searches the first"
        client.delete(f"toolboxes/{stored.name}").raise_for_status()
    with running(stored.bench.azure.env) as destroying:
        stored.delete(second, destroying)
        stored.delete(second, destroying)
    assert (stored.stores(), stored.files()) == ([], [])


def test_a_store_in_a_variable_of_an_agent_stays_as_long_as_that_version(stored: Stored, later: Plugin) -> None:
    store = stored.create()
    agent = stored.bench.agent()
    agent.create(environment={"VECTOR_STORE": store.id})
    stored.delete(store, later)
    assert stored.stores() == [store.id]
    with stored.bench.azure.client(stored.bench.project.name) as client:
        client.delete(f"agents/{agent.name}").raise_for_status()
    stored.delete(store, later)
    assert stored.stores() == []


def test_only_a_404_of_the_store_is_gone(stored: Stored) -> None:
    """Cases 41 and 42."""
    state = stored.create()
    stored.bench.azure.control.fault(path="openai/v1/vector_stores/", method="GET", status=403)
    assert plain(stored.bench.plugin.read(PROVIDER, state.id, state.outs).outs) == plain(state.outs)
    stored.bench.azure.control.clear_faults()
    with stored.bench.azure.client(stored.bench.project.name) as client:
        client.delete(f"openai/v1/vector_stores/{state.id}").raise_for_status()
    assert stored.bench.plugin.read(PROVIDER, state.id, state.outs) == State("", {})


def test_a_404_of_the_project_has_its_own_error_so_that_a_new_one_is_waited_for(stored: Stored, later: Plugin) -> None:
    """Case 29."""
    state = stored.create()
    said = {"error": {"code": "404", "message": "Subdomain does not map to a resource."}}
    stored.bench.azure.control.fault(path="openai/v1/vector_stores", method="GET", status=404, body=said)
    with pytest.raises(ProviderError, match=r"^ProjectNotFoundError: the Foundry project was not found, HTTP 404"):
        stored.delete(state, later)


def test_a_file_that_changed_after_the_program_read_it_is_an_error(stored: Stored) -> None:
    files = {path.name: "0" * 64 for path in stored.folder.iterdir()}
    with pytest.raises(ProviderError, match="has changed since the program read it"):
        stored.create(files=files)
    assert stored.stores() == []
