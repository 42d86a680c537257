"""Vector stores: files by content, one POST, waited for, adopted, and retired when no toolbox searches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VectorStoreError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.lifecycle.failure.service_errors import ResponseLostError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.inputs.vector_store import VECTOR_STORE_FIELDS
from foundry_agents.lifecycle.outcomes import Outcome, Retired
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import MISSING_READS_TOLERATED, STALE_READS_TOLERATED, PollSettings
from foundry_agents.lifecycle.vector_stores import (
    StorePlan,
    create_or_adopt,
    retire,
    uploaded_name,
)
from foundry_agents.lifecycle.views import FileView, VectorStoreView
from foundry_agents.sources.files import sha256_of
from foundry_agents.testing import FastClock, MemoryVectorStores
from tests.support.claims import LIVES, PROVED, STAYS
from tests.support.rollouts import Killed
from tests.support.settings import ENDPOINT, OTHER_OWNER, OWNER, parsed


@dataclass
class Faulty(MemoryVectorStores):
    """``faults`` are of the next upload or POST: "lost" (not carried out), "committed" (carried out) or "" (fine)."""

    faults: list[str] = field(default_factory=list)

    def list_stores(self) -> Iterator[VectorStoreView]:
        for store in super().list_stores():
            yield replace(store, id=parsed(store.id), name=parsed(store.name))

    def upload(self, filename: str, path: Path) -> FileView:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise ResponseLostError("reset", operation="POST …")
        made = super().upload(parsed(filename), path)
        if fault == "committed":
            raise ResponseLostError("reset", operation="POST …")
        return made


@pytest.fixture
def plan(tmp_path: Path) -> StorePlan:
    paths = {}
    for name in ("faq.md", "terms.txt"):
        paths[name] = tmp_path / name
        paths[name].write_text(f"About {name}.", encoding="utf-8")
    files = {name: sha256_of(path) for name, path in paths.items()}
    ownership = OwnershipMetadata("v1:" + "".join(files.values()), OWNER)
    return StorePlan(
        "docs", files, {name: str(path) for name, path in paths.items()}, ownership, PollSettings(60, 3), sha256_of
    )


def changed(plan: StorePlan, name: str, text: str) -> StorePlan:
    path = Path(plan.paths[name])
    path.write_text(text, encoding="utf-8")
    files = {**plan.files, name: sha256_of(path)}
    return replace(plan, files=files, ownership=OwnershipMetadata("v1:" + "".join(files.values()), OWNER))


def make(service: MemoryVectorStores, plan: StorePlan, clock: FastClock | None = None) -> tuple[str, bool]:
    made = create_or_adopt(service, plan, clock or FastClock(), lambda _line: None)
    return made.view.id, made.outcome is Outcome.ADOPTED


def test_each_upload_is_counted_from_1(plan: StorePlan) -> None:
    lines: list[str] = []
    create_or_adopt(Faulty(), plan, FastClock(), lines.append)
    assert lines[:2] == ["uploading faq.md (1 of 2)", "uploading terms.txt (2 of 2)"]


def test_files_are_uploaded_once_and_the_store_is_one_post(plan: StorePlan) -> None:
    service = Faulty()
    assert make(service, plan) == ("vs_3", False)
    kinds = [call.split()[0] for call in service.writes]
    assert kinds == ["upload", "upload", "create_store"]
    assert service.contents["vs_3"] == list(service.files)


def test_a_store_with_the_same_files_is_adopted_without_reading_them(plan: StorePlan) -> None:
    """Case 12; also from a machine where the files are not."""
    service = Faulty()
    make(service, plan)
    writes = list(service.writes)
    assert make(service, replace(plan, paths={})) == ("vs_3", True)
    assert service.writes == writes


@pytest.mark.parametrize("name", ["a", "docs2", "z"])
def test_a_store_of_another_name_is_not_adopted(plan: StorePlan, name: str) -> None:
    service = Faulty()
    first, _ = make(service, replace(plan, name=name))
    second, adopted = make(service, plan)
    assert (second != first, adopted) == (True, False)


def test_it_is_waited_for_until_every_file_is_indexed(plan: StorePlan) -> None:
    clock, lines = FastClock(), list[str]()
    create_or_adopt(Faulty(reads_until_indexed=4), plan, clock, lines.append)
    assert clock.now() == 4 * 3
    assert [line for line in lines if "indexed" in line] == [
        f"vs_3: 0 of 2 files indexed · {waited} s" for waited in (0, 3, 6, 9)
    ]


@pytest.mark.parametrize(("done", "waits"), [(1999, True), (2000, False)])
def test_a_completed_store_whose_files_are_not_all_done_is_waited_for(
    plan: StorePlan, done: int, *, waits: bool
) -> None:
    class Large(Faulty):
        def get_store(self, store: str) -> VectorStoreView | None:
            seen = super().get_store(store)
            shown = done if self._reads[store] <= 3 else 2000
            return replace(seen, done=shown, total=int("2000")) if seen else None

    clock = FastClock()
    make(Large(), plan, clock)
    assert (clock.now() > 0) is waits


def test_an_index_that_never_comes_is_an_error_at_the_deadline_and_the_store_is_left_for_the_next_run(
    plan: StorePlan,
) -> None:
    service, clock = Faulty(reads_until_indexed=999), FastClock()
    with pytest.raises(WaitTimeoutError) as caught:
        make(service, plan, clock)
    assert clock.now() == 60
    assert str(caught.value).splitlines() == [
        "vector store vs_3 was not indexed after 60 s (21 reads, last seen 0 of 2 files indexed)",
        "  State: it was left as it is; nothing else was changed",
        "  Do: run `pulumi up` again: it adopts the store and continues to wait; or raise timeout_s",
    ]
    service.reads_until_indexed = 0
    assert make(service, plan) == ("vs_3", True)


def test_a_file_that_can_not_be_indexed_is_named_and_nothing_is_left(plan: StorePlan) -> None:
    service = Faulty(unreadable=("terms",))
    with pytest.raises(VectorStoreError) as caught:
        make(service, plan)
    assert (service.stores, service.files) == ({}, {})
    name = uploaded_name("terms.txt", plan.files["terms.txt"], OWNER)
    assert caught.value.files == {name: "not a text"}
    assert str(caught.value).splitlines() == [
        "vector store vs_3 can't be used: 1 of 2 files could not be indexed",
        "  State: vs_3 was removed with its files; nothing else was changed",
        "  Do: fix the files that are named below, or leave them out, and run `pulumi up` again",
        f"  Service said: {name}: not a text",
    ]


@dataclass
class Deleted(Faulty):
    """A service from which someone else deletes the store: the first ``missing`` reads of it find nothing."""

    missing: int = 0

    def get_store(self, store: str) -> VectorStoreView | None:
        seen = super().get_store(store)
        self.missing -= 1
        return None if self.missing >= 0 else seen


def test_a_new_store_may_be_missing_for_a_few_reads(plan: StorePlan) -> None:
    assert make(Deleted(missing=MISSING_READS_TOLERATED), plan) == ("vs_3", False)


@pytest.mark.parametrize("adopted", [False, True])
def test_a_store_that_is_deleted_while_it_is_waited_for_is_an_error_before_the_deadline(
    plan: StorePlan, *, adopted: bool
) -> None:
    """An adopted one is known to exist, so fewer missing reads prove that it was deleted."""
    service, clock = Deleted(), FastClock()
    if adopted:
        make(service, plan)
    tolerated = STALE_READS_TOLERATED if adopted else MISSING_READS_TOLERATED
    service.missing = tolerated + 1
    with pytest.raises(VectorStoreError) as caught:
        make(service, plan, clock)
    assert clock.now() == 3 * tolerated
    assert str(caught.value).splitlines() == [
        "vector store vs_3 does not exist any more",
        "  State: nothing else was changed",
        "  Do: run `pulumi up` again: it creates the store again",
    ]


def test_an_expired_store_is_not_adopted(plan: StorePlan) -> None:
    class Expired(Faulty):
        def list_stores(self) -> Iterator[VectorStoreView]:
            return (replace(store, status="expired") for store in super().list_stores())

    service = Expired()
    first, _ = make(service, plan)
    second, adopted = make(service, plan)
    assert (second != first, adopted) == (True, False)


def test_a_store_whose_files_are_done_is_not_indexed_before_the_service_says_completed(plan: StorePlan) -> None:
    class Late(Faulty):
        def get_store(self, store: str) -> VectorStoreView | None:
            seen = super().get_store(store)
            return replace(seen, status="in_progress") if seen and self._reads[store] <= 3 else seen

    clock = FastClock()
    make(Late(), plan, clock)
    assert clock.now() == 3 * 3


def test_a_changed_file_is_a_new_store_that_shares_the_files_that_did_not_change(plan: StorePlan) -> None:
    service = Faulty()
    first, _ = make(service, plan)
    service.calls.clear()
    second, _ = make(service, changed(plan, "faq.md", "Other words."))
    assert [call.split()[0] for call in service.writes] == ["upload", "create_store"]
    assert len(set(service.contents[first]) & set(service.contents[second])) == 1


def test_a_run_that_was_cut_between_the_uploads_uploads_only_the_rest(plan: StorePlan) -> None:
    """Case 1."""
    service = Faulty()
    service.upload(uploaded_name("faq.md", plan.files["faq.md"], OWNER), Path(plan.paths["faq.md"]))
    make(service, plan)
    assert sorted(name.partition(".")[0] for name in service.files.values()) == ["faq", "terms"]


@pytest.mark.parametrize("at", range(1, 7))
def test_a_run_that_is_killed_after_any_call_leaves_nothing_that_the_next_one_does_not_pick_up(
    plan: StorePlan, at: int
) -> None:
    """Case 1 for vector stores: one store, two files."""
    service = Faulty()
    calls = ("list_stores", "list_files", "upload", "create_store", "get_store")
    for name in calls:
        setattr(service, name, partial(_may_die, service, getattr(service, name), at))
    with suppress(Killed):
        make(service, plan)
    assert len([call for call in service.calls if call.startswith(calls)]) == at
    for name in calls:
        delattr(service, name)
    make(service, plan)
    assert (len(service.stores), len(service.files)) == (1, 2)


def _may_die(service: MemoryVectorStores, call: Callable[..., object], at: int, *given: object) -> object:
    answer = call(*given)
    answer = list(answer) if isinstance(answer, Iterator) else answer
    if len(service.calls) == at:
        raise Killed
    return answer


@pytest.mark.parametrize("fault", ["lost", "committed"])
def test_a_lost_answer_to_an_upload_leaves_one_file(plan: StorePlan, fault: str) -> None:
    """Case 2."""
    service = Faulty(faults=[fault])
    make(service, plan)
    assert len(service.files) == 2


def test_a_lost_upload_is_not_taken_for_a_file_of_another_name(plan: StorePlan) -> None:
    service = Faulty(faults=["", "", "lost"])
    for name in ("!first", "~last"):
        service.upload(name, Path(plan.paths["faq.md"]))
    make(service, plan)
    names = {uploaded_name(name, digest, OWNER) for name, digest in plan.files.items()}
    assert {file.filename for file in service.list_files()} == names | {"!first", "~last"}


def test_a_file_that_changed_since_the_program_read_it_is_an_error_before_any_write(plan: StorePlan) -> None:
    service = Faulty()
    Path(plan.paths["faq.md"]).write_text("Other words.", encoding="utf-8")
    Path(plan.paths["terms.txt"]).unlink()
    with pytest.raises(InputError) as caught:
        make(service, plan)
    assert [problem.path for problem in caught.value.problems] == ["files.faq.md", "files.terms.txt"]
    assert service.writes == []


@pytest.mark.parametrize("digit", ["0", "f"])
def test_a_file_after_one_that_is_gone_is_checked_too(plan: StorePlan, digit: str) -> None:
    service = Faulty()
    Path(plan.paths["faq.md"]).unlink()

    def hash_of(path: Path) -> str:
        return sha256_of(path) and digit * 64

    with pytest.raises(InputError) as caught:
        make(service, replace(plan, hash_of=hash_of))
    assert [problem.path for problem in caught.value.problems] == ["files.faq.md", "files.terms.txt"]
    assert service.writes == []


def test_two_stacks_share_no_file(plan: StorePlan) -> None:
    """The name of an upload covers the owner: else one stack would take it from the other."""
    assert uploaded_name("faq.md", plan.files["faq.md"], OWNER) != uploaded_name(
        "faq.md", plan.files["faq.md"], OTHER_OWNER
    )


# --- Retire ----------------------------------------------------------------------------------------------------------


def gone(
    service: MemoryVectorStores, store: str, *, fresh: set[str] | None = None, lives: bool = True, owner: str = OWNER
) -> Retired:
    claim = LIVES if lives else PROVED
    return retire(service, store, owner=Owner(owner), claim=claim, fresh=fresh or set())[0]


def test_a_replaced_store_goes_and_leaves_the_files_that_the_new_one_has(plan: StorePlan) -> None:
    service = Faulty()
    first, _ = make(service, plan)
    second, _ = make(service, changed(plan, "faq.md", "Other words."))
    assert gone(service, first, fresh={second}) is Retired.DELETED
    assert list(service.stores) == [second]
    assert sorted(service.files) == sorted(service.contents[second])


def test_a_store_that_a_toolbox_searches_stays_and_is_deleted_with_the_next_one(plan: StorePlan) -> None:
    service = Faulty()
    first, _ = make(service, plan)
    second, _ = make(service, changed(plan, "faq.md", "Other words."))
    service.searched = {first}
    assert gone(service, first, fresh={second}) is Retired.KEPT_FOR_ROLLBACK
    third, _ = make(service, changed(plan, "faq.md", "Still others."))
    service.searched = {third}
    assert gone(service, second, fresh={third}) is Retired.DELETED
    assert list(service.stores) == [third]


def test_a_file_that_someone_else_put_into_the_store_stays(plan: StorePlan) -> None:
    service = Faulty()
    store, _ = make(service, plan)
    theirs = service.upload("handbook.pdf", Path("handbook.pdf"))
    service.contents[store].append(theirs.id)
    assert gone(service, store, lives=False) is Retired.DELETED
    assert list(service.files.values()) == ["handbook.pdf"]


def test_a_file_of_someone_else_in_two_own_stores_stays(plan: StorePlan) -> None:
    service = Faulty()
    first, _ = make(service, plan)
    second, _ = make(service, changed(plan, "faq.md", "Other words."))
    theirs = service.upload("handbook.pdf", Path("handbook.pdf"))
    for store in (first, second):
        service.contents[store].append(theirs.id)
    assert gone(service, first, fresh={second}) is Retired.DELETED
    assert theirs.id in service.files


@pytest.mark.parametrize("name", ["a", "docs2", "z"])
def test_a_store_of_another_name_stays(plan: StorePlan, name: str) -> None:
    """It belongs to another resource of the same stack."""
    service = Faulty()
    sibling, _ = make(service, replace(plan, name=name))
    store, _ = make(service, plan)
    assert gone(service, store, lives=False) is Retired.DELETED
    assert list(service.stores) == [sibling]


def test_a_store_whose_ownership_is_not_proved_stays_and_the_reason_is_returned(plan: StorePlan) -> None:
    service = Faulty()
    store, _ = make(service, plan)
    assert retire(service, store, owner=Owner(OWNER), claim=STAYS, fresh=set()) == (Retired.UNPROVED, STAYS.reason)
    assert list(service.stores) == [store]


@pytest.mark.parametrize("missing", ["vs_0", "vs_4", "vs_9"])
def test_a_store_that_is_missing_among_others_is_gone_and_the_others_stay(plan: StorePlan, missing: str) -> None:
    service = Faulty()
    store, _ = make(service, plan)
    assert gone(service, missing, lives=False) is Retired.GONE
    assert list(service.stores) == [store]


def test_a_store_that_a_variable_of_a_kept_version_names_stays(plan: StorePlan) -> None:
    """The version serves still when its rollout is pinned or paused, and is gone back to after a bad release."""
    service = Faulty()
    first, _ = make(service, plan)
    second, _ = make(service, changed(plan, "faq.md", "Other words."))
    service.environments = {"support:1": ("Hello", f"vs_x,{first}"), "support:2": (second,)}
    assert gone(service, first, fresh={second}) is Retired.KEPT_FOR_ROLLBACK
    assert list(service.stores) == [first, second]
    service.environments = {"support:2": (second,)}
    assert gone(service, first, fresh={second}) is Retired.DELETED


def test_a_newer_store_stays_while_the_program_declares_it_and_a_destroy_leaves_none(plan: StorePlan) -> None:
    service = Faulty()
    first, _ = make(service, plan)
    second, _ = make(service, changed(plan, "faq.md", "Other words."))
    assert gone(service, first) is Retired.DELETED
    assert list(service.stores) == [second]
    make(service, replace(plan, ownership=OwnershipMetadata("v1:c", OWNER), files={}))
    assert gone(service, second, lives=False) is Retired.DELETED
    assert (service.stores, service.files) == ({}, {})


def test_what_is_missing_and_what_is_not_ours_is_reported(plan: StorePlan) -> None:
    service = Faulty()
    assert gone(service, "vs_0") is Retired.GONE
    store, _ = make(service, plan)
    assert gone(service, store, owner=OTHER_OWNER) is Retired.NOT_OURS
    assert store in service.stores


# --- Inputs ----------------------------------------------------------------------------------------------------------


def _problems(**inputs: object) -> dict[str, str]:
    given = {"project_endpoint": ENDPOINT, "owner": OWNER, "store_name": "docs", "files": {"a.md": "0" * 64}, **inputs}
    return {problem.path: problem.detail for problem in VECTOR_STORE_FIELDS.normalise(given)[1]}


@pytest.mark.parametrize("name", ["d", "a b", "d" * 256])
def test_a_store_is_called_by_up_to_256_characters(name: str) -> None:
    assert _problems(store_name=name) == {}


@pytest.mark.parametrize("name", [" docs", "docs ", " ", "d" * 257, 4])
def test_a_name_with_a_space_at_an_end_or_of_more_characters_is_refused(name: object) -> None:
    assert _problems(store_name=name)["store_name"].endswith(": 1 to 256 characters, no space at either end")


def test_files_without_a_digest_and_paths_that_are_no_text_are_refused() -> None:
    assert list(_problems(files={"a.md": "0" * 64, "b.md": "no digest"}, paths={"a.md": 4})) == ["files.b.md", "paths"]
    assert _problems(files=["a.md"], paths=["a.md"]) == {
        "files": "must be files: a list of paths",
        "paths": "must map names to paths",
    }


@pytest.mark.parametrize("used", [True, False])
def test_an_adopted_store_with_a_file_that_can_not_be_indexed_goes_only_if_nothing_uses_it(
    plan: StorePlan, *, used: bool
) -> None:
    """A toolbox searches it; someone has added a file in the portal."""
    service = Faulty()
    store, _ = make(service, plan)
    service.searched = {store} if used else set()
    theirs = service.upload("handbook.pdf", Path("handbook.pdf"))
    service.contents[store].append(theirs.id)
    service.unreadable = ("handbook",)
    with pytest.raises(VectorStoreError) as caught:
        make(service, plan)
    assert (store in service.stores) is used
    assert theirs.id in service.files
    assert caught.value.files == {"handbook.pdf": "not a text"}
    assert (
        f"State: {store} stays, because a toolbox or an agent uses it; nothing was changed" in str(caught.value)
    ) is used
