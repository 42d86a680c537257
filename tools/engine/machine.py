"""The machine that a package is for: its PATH, its cache, its platform, and where progress is reported."""

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
    """What the sources of a package depend on, so that a test can replace it.

    Attributes:
        environ: Environment variables.
        cache: The cache folder of this project.
        platform: As official releases name it: "linux-x64".
        say: Takes a line about what happens.
        releases: A mirror, instead of the official base URL of a release.
        connect_timeout_s: Short: a machine without internet goes on to the next source.
        silence_timeout_s: How long a started download may be silent.
        heartbeat_s: How often a silent build says that it still works.
        path: The PATH of the environment.
    """

    environ: Mapping[str, str]
    cache: Path
    platform: str
    say: Callable[[str], None]
    releases: str | None = None
    connect_timeout_s: float = 5
    silence_timeout_s: float = 60
    heartbeat_s: float = 30
    path: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.environ.get("PATH", os.defpath))

    @classmethod
    def here(cls, say: Callable[[str], None], releases: str | None = None) -> "Machine":
        """Return this machine, as the environment of this process describes it."""
        machine = platform.machine().lower()
        return cls(
            environ=os.environ,
            cache=cache_folder(os.environ),
            platform=f"{sys.platform}-{ARCHITECTURES.get(machine, machine)}",
            say=say,
            releases=releases,
        )


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return ``FOUNDRY_AGENTS_CACHE``, else ``foundry-agents`` in ``XDG_CACHE_HOME``, else in ``~/.cache``; absolute.

    Raises:
        CacheUnusable: None is set and there is no home folder.
    """
    if own := environ.get("FOUNDRY_AGENTS_CACHE"):
        return Path(own).absolute()
    xdg = environ.get("XDG_CACHE_HOME", "")
    # The XDG rule: a relative value is ignored.
    if Path(xdg).is_absolute():
        return Path(xdg) / "foundry-agents"
    try:
        home = Path(environ.get("HOME") or Path.home())
    except RuntimeError as error:  # a user that the system does not know, as in some containers
        raise CacheUnusable("(~/.cache)", error) from error
    return (home / ".cache" / "foundry-agents").absolute()
