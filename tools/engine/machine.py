"""The machine that a recipe is got for: its PATH, its cache, its platform, and where progress is told."""

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import CacheUnusable

# As the official releases name them.
ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Machine:
    """Everything that the ways read of their surroundings, so that a test can hand them others.

    ``releases`` replaces the official base URL of a release (a mirror). ``connect_timeout_s`` is short on purpose: a
    machine without internet goes on to the next way. ``patience_s`` is the longest silence of a download under way.
    """

    environ: Mapping[str, str]
    cache: Path
    platform: str
    say: Callable[[str], None]
    releases: str | None = None
    connect_timeout_s: float = 5
    patience_s: float = 60
    heartbeat_s: float = 30
    path: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.environ.get("PATH", os.defpath))

    @classmethod
    def here(cls, say: Callable[[str], None], releases: str | None = None) -> "Machine":
        """This machine, as the environment of this process describes it."""
        machine = platform.machine().lower()
        return cls(
            environ=os.environ,
            cache=cache_folder(os.environ),
            platform=f"{sys.platform}-{ARCHITECTURES.get(machine, machine)}",
            say=say,
            releases=releases,
        )


def cache_folder(environ: Mapping[str, str]) -> Path:
    """``FOUNDRY_AGENTS_CACHE``, else ``foundry-agents`` in ``XDG_CACHE_HOME``, else in ``~/.cache``; absolute.

    Raises:
        CacheUnusable: none is set and there is no home folder.
    """
    if own := environ.get("FOUNDRY_AGENTS_CACHE"):
        return Path(own).absolute()
    xdg = environ.get("XDG_CACHE_HOME", "")
    # The XDG rule: a relative value is no value.
    if Path(xdg).is_absolute():
        return Path(xdg) / "foundry-agents"
    try:
        home = Path(environ.get("HOME") or Path.home())
    except RuntimeError as error:  # a user that the system doesn't know, as in some containers
        raise CacheUnusable("(~/.cache)", error) from error
    return (home / ".cache" / "foundry-agents").absolute()
