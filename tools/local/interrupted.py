"""Tidies up after a run that was killed, so that the next one just works."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path


def left_by_a_dead_run(state: Path) -> bool:
    """True when Pulumi's lock on the local state belongs to a process of this machine that is no more.

    A killed CLI can't release its lock. On a shared backend only a person may decide that (`pulumi cancel`); this state
    is this checkout's alone, and the lock says whose it is.
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
