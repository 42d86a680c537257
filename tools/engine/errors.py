"""What this tool raises on purpose.

EngineError          a sentence for the person who ran it; the command ends with 1
├── NoEngine         no source had it; the text names each source and the reason
└── CacheUnusable    the cache folder is unknown or cannot be written
SourceFailed         one source did not have it; never leaves this package: the next source is tried
"""

from collections.abc import Iterable
from pathlib import Path


class SourceFailed(Exception):
    """One source did not have a package; the text says why."""


class EngineError(Exception):
    """The command cannot do what it was asked."""


class NoEngine(EngineError):
    """No source had a package.

    Args:
        wanted: The package, with its version.
        tried: Each source by name, with the reason it failed.
        remedies: What a person can do; one of them is enough.
    """

    def __init__(self, wanted: str, tried: Iterable[tuple[str, str]], remedies: Iterable[str]) -> None:
        lines = [f"could not get {wanted} from any source. Nothing was changed."]
        lines += [f"  {source}: {reason}" for source, reason in tried]
        lines += ["Any one of these is enough:"]
        lines += [f"  - {remedy}" for remedy in remedies]
        super().__init__("\n".join(lines))


class CacheUnusable(EngineError):
    """There is no cache folder, or it cannot be created or written."""

    def __init__(self, folder: Path | str, reason: Exception) -> None:
        text = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        super().__init__(
            f"the cache folder {folder} cannot be used: {text}. "
            "No incomplete file is kept. Set FOUNDRY_AGENTS_CACHE to a folder that you can write."
        )
