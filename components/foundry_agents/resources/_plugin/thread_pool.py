"""More than four operations at a time in one plugin process.

Pulumi's dynamic plugin serves four calls at once, check and diff included; a wait for a version holds one for minutes.
"""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

WORKERS = 64
"""Waiting costs little; the engine decides how many calls it makes at once (`--parallel`)."""


def grow_worker_pool(wanted: int = WORKERS) -> int:
    """Let the pool that runs this call start up to ``wanted`` threads.

    The pool is a local variable of Pulumi's, reachable only through its own worker thread's private arguments. Where
    that has changed, nothing happens, and the pool serves four calls at a time.

    Returns:
        How many calls the pool serves at once now; 0 when it could not be found.
    """
    arguments = getattr(threading.current_thread(), "_args", None) or ()
    for argument in arguments:
        pool = argument() if isinstance(argument, weakref.ref) else None
        if isinstance(pool, ThreadPoolExecutor) and isinstance(getattr(pool, "_max_workers", None), int):
            size = max(pool._max_workers, wanted)  # noqa: SLF001 (see above)
            pool._max_workers = size  # noqa: SLF001
            return size
    return 0
