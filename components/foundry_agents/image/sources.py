"""The sources of an image, and the hash that names it: the same for every way of building."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

from foundry_agents.lifecycle.inputs.image_reference import PLATFORM
from foundry_agents.sources.build_context import BuildContext, ContextError


@dataclass(frozen=True)
class Content:
    """The state of the sources when they were read.

    Attributes:
        hash: 64 hexadecimal digits over everything that determines the image.
        files: The same over the files alone.
        revision: Commit of the files; None when there is none.
    """

    hash: str
    files: str
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
        """Read and hash the sources; secrets, caches and builders do not count.

        Raises:
            pulumi.RunError: When they are not usable; the text starts with ``who``.
        """
        try:
            context = BuildContext.read(self.context, self.dockerfile, limit_mb=self.context_limit_mb)
        except ContextError as problem:
            raise pulumi.RunError(f"{who}: {problem}") from None
        counted = {
            "args": sorted(self.build_args.items()),
            "platform": PLATFORM,
            "rebuild": self.rebuild,
            "target": self.target,
        }
        return Content(context.hash(counted), context.hash({}), context.revision())
