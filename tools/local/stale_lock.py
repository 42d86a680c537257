"""Pulumi's lock on the local state, left by a run that was killed."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path


def is_locked_by_dead_run(state: Path) -> bool:
    """Return True when the process that holds Pulumi's lock on the local state has ended.

    A killed CLI cannot release its lock. On a shared backend only a person may do that (`pulumi cancel`). This state
    belongs to this checkout alone, and the lock names host and process of its owner.
    """
    locks = [json.loads(path.read_text(encoding="utf-8")) for path in (state / ".pulumi" / "locks").rglob("*.json")]
    return bool(locks) and all(
        lock.get("hostname") == socket.gethostname() and not _alive(lock["pid"]) for lock in locks
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
