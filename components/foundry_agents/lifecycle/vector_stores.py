"""Create or adopt a vector store, wait until it is indexed, and retire it.

A store is as immutable here as a version: other files make another store, so that a kept version of an agent searches
what it was tested with. It is recognised by its ownership metadata; its files, which can't have any, by a name with
their hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foundry_agents.lifecycle.failure.deployment_errors import VectorStoreError
from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.outcomes import Made, Outcome, Retired
from foundry_agents.lifecycle.ownership import Answer, Claim, Owner, adoptable, store_identity
from foundry_agents.lifecycle.polling import (
    MISSING_READS_TOLERATED,
    STALE_READS_TOLERATED,
    Clock,
    PollSettings,
    Until,
    poll,
    post_once,
    retry_until_project_ready,
)
from foundry_agents.lifecycle.service.vector_stores import VectorStoreService
from foundry_agents.lifecycle.views import Progress, StoredFile, VectorStoreView

_LEFT = frozenset({"expired"})


@dataclass(frozen=True)
class StorePlan:
    """What is wanted.

    Attributes:
        name: What the store is called.
        files: SHA-256 by file name.
        paths: Where each file is.
        ownership: Fingerprint and owner.
        patience: How long to wait for the index.
        hash_of: Return the SHA-256 of a file, in hexadecimal digits; raises OSError. The core itself reads no files.
    """

    name: str
    files: Mapping[str, str]
    paths: Mapping[str, str]
    ownership: OwnershipMetadata
    patience: PollSettings
    hash_of: Callable[[Path], str]


def create_or_adopt(
    service: VectorStoreService, plan: StorePlan, clock: Clock, progress: Progress
) -> Made[VectorStoreView]:
    """Make sure that an indexed store with these files exists.

    Files that the project already has, also those of an interrupted run, are not uploaded again. One POST for the
    store.

    Raises:
        InputError: A file is not what it was when the program ran; nothing was changed.
        VectorStoreError: A file could not be indexed (the store is removed), or the store was deleted meanwhile.
        WaitTimeoutError: Not indexed in time; the store is left for the next run to adopt.
        ServiceError: The service refused.
    """
    stores = retry_until_project_ready(lambda: list(service.list_stores()), clock, progress)
    store = _own(stores, plan)
    outcome = Outcome.ADOPTED if store else Outcome.CREATED
    if store is None:
        files = _uploaded(service, plan, clock, progress)
        store = post_once(
            lambda: service.create_store(plan.name, files, plan.ownership.as_metadata()),
            lambda: _own(list(service.list_stores()), plan),
            plan.patience,
            clock,
        )
        progress(f"posted vector store {store.id}")
    else:
        progress(f"adopted vector store {store.id} (same files, no POST)")
    known = outcome is Outcome.ADOPTED
    return Made(
        _indexed(service, store, plan, clock, progress, known=known), outcome, owner=Owner(plan.ownership.owner)
    )


_UPLOAD = re.compile(r".+\.[0-9a-f]{16}(\.[^.]*)?", re.DOTALL)
"""How a name ends that ``uploaded_name`` gave."""


def uploaded_name(name: str, digest: str, owner: str) -> str:
    """Return the name of a file in the project: ``faq.3a44c0ffee123456.md``.

    The hash covers the owner too, so that no two stacks share a file, which one of them would delete.
    """
    suffix = hashlib.sha256(f"{owner}\0{digest}".encode()).hexdigest()[:16]
    path = PurePosixPath(name)
    return f"{path.stem}.{suffix}{path.suffix}"


def _uploaded(service: VectorStoreService, plan: StorePlan, clock: Clock, progress: Progress) -> list[str]:
    _check_contents(plan)
    there = {file.filename: file.id for file in service.list_files()}
    ids = []
    for number, (name, digest) in enumerate(sorted(plan.files.items()), 1):
        called = uploaded_name(name, digest, plan.ownership.owner)
        if called not in there:
            progress(f"uploading {name} ({number} of {len(plan.files)})")
            there[called] = _upload(service, plan, called, name, clock)
        ids.append(there[called])
    return ids


def _upload(service: VectorStoreService, plan: StorePlan, called: str, name: str, clock: Clock) -> str:
    return post_once(
        lambda: service.upload(called, Path(plan.paths[name])),
        lambda: next((file for file in service.list_files() if file.filename == called), None),
        plan.patience,
        clock,
    ).id


def _check_contents(plan: StorePlan) -> None:
    problems = []
    for name, digest in plan.files.items():
        try:
            seen = plan.hash_of(Path(plan.paths[name]))
        except (OSError, KeyError):
            problems.append(Problem(f"files.{name}", "can no longer be read"))
            continue
        if seen != digest:
            problems.append(Problem(f"files.{name}", "has changed since the program read it: run the command again"))
    if problems:
        raise InputError("the vector store's files; nothing was changed", problems)


def _own(stores: Sequence[VectorStoreView], plan: StorePlan) -> VectorStoreView | None:
    usable = [store for store in stores if store.name == plan.name and store.status not in _LEFT]
    return next(iter(adoptable(usable, Owner(plan.ownership.owner), {plan.ownership.fingerprint})), None)


def _indexed(
    service: VectorStoreService,
    store: VectorStoreView,
    plan: StorePlan,
    clock: Clock,
    progress: Progress,
    *,
    known: bool,
) -> VectorStoreView:
    """Wait until every file of a store can be searched.

    Args:
        service: The data plane.
        store: The store.
        plan: What is wanted.
        clock: The source of time.
        progress: Called with each step.
        known: The store was listed before, so a read that does not find it proves that it was deleted.

    Raises:
        VectorStoreError: A file could not be indexed, or the store was deleted meanwhile.
        WaitTimeoutError: The deadline passed.
    """

    def is_indexed(seen: VectorStoreView) -> bool:
        return seen.status == "completed" and seen.done == seen.total

    def show(seen: VectorStoreView | None, waited_s: float) -> None:
        if seen is not None and not is_indexed(seen):
            progress(f"{store.id}: {_progress_of(seen)} · {waited_s:.0f} s")

    indexed = Until[VectorStoreView](
        f"vector store {store.id}",
        "indexed",
        done=is_indexed,
        describe=_progress_of,
        failure=lambda seen: _not_indexed(service, seen, plan) if seen.failed else None,
        gone=lambda _last: _deleted(store),
        # A read may be stale also where a list has shown the store.
        missing_reads=STALE_READS_TOLERATED if known else MISSING_READS_TOLERATED,
        do="run `pulumi up` again: it adopts the store and continues to wait; or raise timeout_s",
    )
    return poll(lambda: service.get_store(store.id), indexed, clock, plan.patience, on_read=show)


def _progress_of(store: VectorStoreView) -> str:
    return f"{store.done} of {store.total} files indexed"


def _deleted(store: VectorStoreView) -> VectorStoreError:
    return VectorStoreError(
        store.id,
        what="does not exist any more",
        state="nothing else was changed",
        do="run `pulumi up` again: it creates the store again",
    )


def _not_indexed(service: VectorStoreService, store: VectorStoreView, plan: StorePlan) -> VectorStoreError:
    """Return the error; remove the store, unless it was there before and something uses it already."""
    names = {file.id: file.filename for file in service.list_files()}
    files = list(service.files_of(store.id))
    failed = [file for file in files if file.status in {"failed", "cancelled"}]
    stays = _used_of(service)(store.id)
    if not stays:
        _delete_with_files(service, store, files, Owner(plan.ownership.owner))
    return VectorStoreError(
        store.id,
        what=f"can't be used: {store.failed} of {store.total} files could not be indexed",
        state=f"{store.id} stays, because a toolbox or an agent uses it; nothing was changed"
        if stays
        else f"{store.id} was removed with its files; nothing else was changed",
        do="remove the files that are named below from the store, and run `pulumi up` again"
        if stays
        else "fix the files that are named below, or leave them out, and run `pulumi up` again",
        files={names.get(file.id, file.id): file.error or file.status for file in failed},
    )


def retire(
    service: VectorStoreService, store: str, *, owner: Owner, claim: Claim, fresh: Collection[str]
) -> tuple[Retired, str]:
    """Delete a store of this stack with its files, and own ones of its name that nothing uses any more.

    A version of a toolbox uses the stores that it searches, and a version of an agent those that its variables name:
    one that serves, or is kept for a rollback, must find what it was tested with. Of a resource that lives (the
    program still declares it) only older ones are deleted: a newer one may be its own. What this run has created or
    adopted (``fresh``) always stays.

    Returns:
        What became of the store, and why it stays where ownership could not be proved.

    Raises:
        RemovalRefusedError: The run is limited to a part of the stack.
    """
    stores = list(service.list_stores())
    seen = next((one for one in stores if one.id == store), None)
    if seen is None:
        return Retired.GONE, ""
    if not owner.owns(seen):
        return Retired.NOT_OURS, ""
    decided = claim.on(store_identity(store))
    if decided.answer is Answer.STAYS:
        return Retired.UNPROVED, decided.reason
    lives = decided.answer is Answer.LIVES
    used = _used_of(service)
    for one in stores[stores.index(seen) :] if lives else stores:  # newest first
        if one.name == seen.name and owner.owns(one) and not used(one.id) and one.id not in fresh:
            _delete_with_files(service, one, list(service.files_of(one.id)), owner)
    if used(store):
        return (Retired.KEPT_FOR_ROLLBACK if lives else Retired.IN_USE), ""
    return Retired.DELETED, ""


def _used_of(service: VectorStoreService) -> Callable[[str], bool]:
    searched = set(service.stores_in_toolboxes())
    # A variable may hold several ids.
    named = [value for environment in service.agent_environments() for value in environment.values]
    return lambda store: store in searched or any(store in value for value in named)


def _delete_with_files(
    service: VectorStoreService, store: VectorStoreView, files: Sequence[StoredFile], owner: Owner
) -> None:
    service.delete_store(store.id)
    shared = {file.id for other in service.list_stores() if owner.owns(other) for file in service.files_of(other.id)}
    # The store may hold files of others: only files whose names this library gave are deleted.
    uploads = {file.id for file in service.list_files() if _UPLOAD.fullmatch(file.filename)}
    for file in files:
        if file.id in uploads - shared:
            service.delete_file(file.id)
