"""Busy parents: Azure refuses a delete while the parent still processes an earlier delete below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId


class BusyParents:
    """Refusals of deletes that succeed when they are repeated [observed]; a setting says how many.

    The delete of a connection meets another write on its project: 409 (pulumi-azure-native#4693). A project that a
    connection was deleted from is still busy: 412, although no one sent an ``If-Match``
    (terraform-provider-azurerm#32614). Azure needs some seconds; the emulator counts requests instead.

    Args:
        refusals: How often each such delete is refused first.
    """

    def __init__(self, refusals: Callable[[], int]) -> None:
        self._refusals = refusals
        self._refused: Counter[str] = Counter()
        self._unsettled: set[str] = set()

    def check_can_go(self, rid: ResourceId) -> None:
        """Refuse a delete that comes too early.

        Raises:
            ArmError: With Azure's code.
        """
        is_early = rid.type == ids.CONNECTION or (rid.type == ids.PROJECT and rid.key in self._unsettled)
        if not is_early or self._refused[rid.key] >= self._refusals():
            return
        self._refused[rid.key] += 1
        if rid.type == ids.CONNECTION:
            raise ArmError(409, "TransientError", f"Etag conflict on {rid.scope} with etag '{self._refused[rid.key]}'.")
        raise ArmError(412, "IfMatchPreconditionFailed", "The specified precondition 'If-Match' failed.")

    def record_delete(self, rid: ResourceId) -> None:
        """Record a completed delete."""
        self._refused.pop(rid.key, None)
        self._unsettled.discard(rid.key)
        if rid.type == ids.CONNECTION:
            self._unsettled.add(rid.scope.lower())
