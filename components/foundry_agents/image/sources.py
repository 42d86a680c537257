"""The sources of an image: frozen, and hashed to the name of the image; the same for every way of building."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi

from foundry_agents.lifecycle.inputs.image_reference import PLATFORM
from foundry_agents.sources.build_context import BuildContext
from foundry_agents.sources.frozen_context import PLACE, FrozenContext, freeze
from foundry_agents.sources.reading import ContextError

Cache = Literal["inline", "registry", "none"]
"""Where a build stores its cache."""


@dataclass(frozen=True)
class Content:
    """The sources as they were frozen.

    Attributes:
        hash: 64 hexadecimal digits over everything that determines the image.
        frozen: The copy that is built.
        revision: Commit of the files; None when there is none.
    """

    hash: str
    frozen: FrozenContext
    revision: str | None


@dataclass(frozen=True)
class Sources:
    """Everything that determines the image; each as AgentImage.build describes it."""

    context: Path
    dockerfile: Path | None
    target: str | None
    build_args: Mapping[str, str]
    rebuild: str
    context_limit_mb: float

    def content(self, who: str) -> Content:
        """Freeze and hash the sources; secrets, caches and builders do not count.

        Raises:
            pulumi.RunError: When they are not usable; the text starts with ``who``.
        """
        try:
            context = BuildContext.read(self.context, self.dockerfile, limit_mb=self.context_limit_mb)
            frozen = freeze(context, _place(), now=time.time())
        except ContextError as problem:
            raise pulumi.RunError(f"{who}: {problem}") from None
        counted: dict[str, object] = {
            "args": dict(self.build_args),
            "platform": PLATFORM,
            "rebuild": self.rebuild,
            "target": self.target,
        }
        return Content(frozen.hash(counted), frozen, context.revision())


def _place() -> Path:
    """Return where copies are: relative, so that state has the same path on every machine.

    Plugins run in the program's folder. An inline program of the Automation API may run elsewhere.
    """
    root = Path(pulumi.get_root_directory() or ".").resolve()
    elsewhere = root.is_dir() and not Path.cwd().is_relative_to(root)
    return PLACE.absolute() if elsewhere else PLACE
