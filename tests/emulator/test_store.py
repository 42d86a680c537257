from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from foundry_emulator.store import Store


def test_documents_survive_the_store_in_the_order_of_their_first_put(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = Store(path)
    documents = store.collection("things")
    for key in ("b", "a", "c"):
        documents.put(key, {"key": key})
    documents.put("b", {"key": "again"})
    documents.delete("c")
    store.close()
    reopened = Store(path)
    assert list(reopened.collection("things").items()) == [("b", {"key": "again"}), ("a", {"key": "a"})]
    reopened.close()


def test_a_write_is_on_disk_before_it_returns(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    store.collection("things").put("a", {"n": 1})
    reader = sqlite3.connect(tmp_path / "s.sqlite")
    assert reader.execute("SELECT body FROM document").fetchall() == [('{"n": 1}',)]
    reader.close()
    store.close()


def test_collections_are_independent(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    store.collection("one").put("a", {})
    assert store.collection("two").get("a") is None
    assert store.collection("one") is store.collection("one")
    store.close()


def test_without_a_path_documents_are_kept_in_memory() -> None:
    store = Store(None)
    things = store.collection("things")
    things.put("a", {"n": 1})
    assert things.get("a") == {"n": 1}
    assert len(things) == 1
    assert things.delete("a")
    assert not things.delete("a")
    store.close()


def test_what_is_not_json_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    things = store.collection("things")
    things.put("a", {"n": 1})
    with pytest.raises(TypeError):
        things.put("a", {"n": object()})
    assert things.get("a") == {"n": 1}
    store.close()


def test_other_users_cannot_read_the_file(tmp_path: Path) -> None:
    Store(tmp_path / "s.sqlite").close()
    assert stat.S_IMODE((tmp_path / "s.sqlite").stat().st_mode) == 0o600
