"""Ids in the shape of the service's: 16 hex digits and ``00``, its partition, then 32 letters and digits [recorded]."""

from __future__ import annotations

import secrets
import string

_ALPHANUMERIC = string.ascii_letters + string.digits


def new_partition() -> str:
    """Return the part that a response's id shares with the ids of its messages [recorded]."""
    return f"{secrets.token_hex(8)}00"


def new_id(partition: str | None = None) -> str:
    """Return an id of 50 characters, in a new partition unless one is given."""
    return (partition or new_partition()) + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(32))
