"""What the core asks of the build service of a registry (ACR Tasks)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_agents.lifecycle.views import RunView


@dataclass(frozen=True)
class BuildOrder:
    """What to build.

    Attributes:
        registry_id: ARM id of the registry.
        login_server: What references to the registry's images begin with.
        name: Repository below it.
        content: Hash of what is built, 64 hexadecimal digits.
        revision: Commit of the source; "" for none.
        context: Return what is built as a gzipped tar file; called only when a run is scheduled.
        dockerfile: Its name in the context.
        target: Stage to build; "" for the last.
        build_args: Values of ``ARG``.
    """

    registry_id: str
    login_server: str
    name: str
    content: str
    revision: str
    context: Callable[[], bytes] = field(repr=False)
    dockerfile: str = "Dockerfile"
    target: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> str:
        """The repository's whole name."""
        return f"{self.login_server}/{self.name}"

    @property
    def tags(self) -> Sequence[str]:
        """Names of the image below the registry."""
        return [f"{self.name}:{tag}" for tag in tag_names(self.content, self.revision)]


class TaskRuns(Protocol):
    """The runs of one registry."""

    def under_way(self) -> Sequence[RunView]:
        """Return the runs that are not final, newest first."""
        ...

    def schedule(self, order: BuildOrder, *, timeout_s: float) -> RunView:
        """Upload the context and start a run that builds and pushes it."""
        ...

    def get(self, run_id: str) -> RunView:
        """Read a run."""
        ...

    def log(self, run_id: str) -> str:
        """Return the log so far; "" while there is none."""
        ...
