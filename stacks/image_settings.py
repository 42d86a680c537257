"""The settings of an agent's source in a stack's file: a digest, a build, a tag, or a folder of code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

import foundry_agents as fa

SOURCES = ("image", "build", "tag", "code")
"""The settings of an agent that name its source; exactly one is set."""


@dataclass(frozen=True)
class BuildSettings:
    """An image built from a folder of this repository; see AgentImage.build.

    Attributes:
        context: The folder, relative to Pulumi.yaml.
        dockerfile: Path of the Dockerfile; by default ``Dockerfile`` in the folder.
        target: Stage to build; by default the last.
        args: Values of ``ARG``; not secret.
        secrets: For ``RUN --mount=type=secret``: the name of the environment variable with the value, by id.
        rebuild: Any text; a different text builds again.
        repository: Name in the registry; by default the agent's name.
        remote: Build in Azure, without Docker; see AgentImage.remote_build.
        start: Start the image on this machine before it is used.
    """

    context: str
    dockerfile: str | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str | pulumi.Output[str]] = field(default_factory=dict)
    rebuild: str = ""
    repository: str | None = None
    remote: bool = False
    start: bool = False

    def image(self, name: str, registry: fa.Registry) -> fa.AgentImage:
        """Declare the build."""
        sources: dict[str, Any] = {
            "context": self.context,
            "registry": registry,
            "repository": self.repository,
            "dockerfile": self.dockerfile,
            "target": self.target,
            "build_args": self.args,
            "rebuild": self.rebuild,
        }
        if self.remote:
            return fa.AgentImage.remote_build(name, **sources)
        return fa.AgentImage.build(name, secrets=self.secrets, start=self.start, **sources)

    def problems(self, path: str) -> list[str]:
        """Return a message for each combination of settings that is not possible."""
        here_only = {"secrets": self.secrets, "start": self.start} if self.remote else {}
        return [
            f"{path}.remote and {path}.{key} exclude each other: a remote build does not support it"
            for key, given in here_only.items()
            if given
        ]


@dataclass(frozen=True)
class CodeSettings:
    """A folder of source code that the service runs; see CodePackage.

    Attributes:
        folder: The folder, relative to Pulumi.yaml.
        entry_point: Command and arguments that start the agent.
        runtime: Language and version; by default the component's.
        dependency_resolution: ``bundled`` or ``remote_build``; by default the component's.
    """

    folder: str
    entry_point: tuple[str, ...]
    runtime: str | None = None
    dependency_resolution: str | None = None

    def package(self) -> fa.CodePackage:
        """Return the component's code package."""
        given = {"runtime": self.runtime, "dependency_resolution": self.dependency_resolution}
        return fa.CodePackage(
            self.folder, self.entry_point, **{key: value for key, value in given.items() if value is not None}
        )
