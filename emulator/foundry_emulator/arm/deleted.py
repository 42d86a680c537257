"""Facts about deleted resources: how often an id was used before, and accounts that can be recovered."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId
from foundry_emulator.store import Store


class Deleted:
    """Deleted resources.

    A deleted account reserves its name for a while, and ``properties.restore`` recovers it with its identity,
    without its projects [modelled]. Purging is not implemented.

    Args:
        store: The store of these facts.
        clock: Unix seconds.
        account_retention_s: Seconds for which a deleted account reserves its name; 48 hours in Azure [docs].
    """

    def __init__(self, store: Store, *, clock: Callable[[], float], account_retention_s: Callable[[], float]) -> None:
        self._documents = store.collection("arm_deleted")
        self._clock = clock
        self._account_retention_s = account_retention_s

    def remember(self, key: str, incarnation: int) -> None:
        """Record a deleted resource."""
        self._documents.put(key, {"incarnation": incarnation, "deleted_at": self._clock()})

    def incarnation_of(self, rid: ResourceId, body: Json) -> int:
        """Return how many resources of this id existed before a new one; unchanged for a recovered one.

        Raises:
            ArmError: The account of this name was deleted recently and the request does not recover it, or the request
                recovers an account that does not exist.
        """
        last = self._documents.get(rid.key)
        before = cast("int", last["incarnation"]) if last else -1
        if rid.type != ids.ACCOUNT:
            return before + 1
        deleted_at = cast("float", last["deleted_at"]) if last else 0.0
        is_kept = last is not None and self._clock() < deleted_at + self._account_retention_s()
        restores = section(body, "properties").get("restore") is True
        if is_kept and not restores:
            raise ArmError(
                409,
                "FlagMustBeSetForRestore",
                f"An existing resource with ID '{rid.id}' has been soft-deleted. To restore the resource, you must "
                "specify 'restore' to be 'true' in the property. If you don't want to restore existing resource, "
                "please purge it first.",
            )
        if restores and not is_kept:
            raise ArmError(409, "CanNotRestoreANonExistingResource", f"There is no deleted account '{rid.name}'.")
        return before if restores else before + 1
