"""What this tool raises on purpose.

EngineError          a sentence for the person who ran it; the command ends with 1
├── NoEngine         every way was tried; the text names each and why it failed
└── CacheUnusable    the cache folder is unknown or can't be written
WayFailed            one way did not work; never leaves this package: the next way is tried
"""

from collections.abc import Iterable
from pathlib import Path


class WayFailed(Exception):
    """One way of getting a recipe did not work; the text says why."""


class EngineError(Exception):
    """The command can't do what it was asked."""


class NoEngine(EngineError):
    """No way of getting a recipe worked.

    Args:
        wanted: what was sought, with its version.
        tried: each way by name, with the reason it failed.
        remedies: what a person can install; one of them is enough.
    """

    def __init__(self, wanted: str, tried: Iterable[tuple[str, str]], remedies: Iterable[str]) -> None:
        lines = [f"no way of getting {wanted} worked. Nothing was changed."]
        lines += [f"  {way}: {reason}" for way, reason in tried]
        lines += ["Any one of these is enough:"]
        lines += [f"  - {remedy}" for remedy in remedies]
        super().__init__("\n".join(lines))


class CacheUnusable(EngineError):
    """There is no cache folder, or it can't be made or written."""

    def __init__(self, folder: Path | str, reason: Exception) -> None:
        said = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        super().__init__(
            f"the cache folder {folder} can't be used: {said}. "
            "Nothing half-finished is kept. Set FOUNDRY_AGENTS_CACHE to a folder that you can write."
        )
