"""Names for resources whose program sets none, as azure-native chooses them."""

from __future__ import annotations

import hashlib
import uuid

from foundry_emulator.fake_plugins.catalog import AutoName

_HEX_DIGITS = 8


def auto_name(how: AutoName, logical_name: str, random_seed: bytes) -> str:
    """Return a name from the logical name and the engine's seed: the same seed gives the same name.

    The real provider derives other digits from the seed, in the same form.
    """
    digits = hashlib.sha256(random_seed + logical_name.encode()).hexdigest()
    match how:
        case AutoName.RANDOM:
            return logical_name + digits[:_HEX_DIGITS]
        case AutoName.COPY:
            return logical_name
        case AutoName.UUID:
            return str(uuid.UUID(digits[:32]))
