"""What a stack's file may say of where an agent's code comes from: a digest, a build, a tag, or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

import foundry_agents as fa

SOURCES = ("image", "build", "tag", "code")
"""The settings of an agent that say it; one of them is given."""


@dataclass(frozen=True)
class BuildSettings:
    """An image built from a folder of this repository; see AgentImage.build.

    Attributes:
        context: The folder, relative to Pulumi.yaml.
        dockerfile: Another than the ``Dockerfile`` in the folder.
        target: Stage to build; none takes the last.
        args: Values of ``ARG``; not secret.
        secrets: For ``RUN --mount=type=secret``: by id, the name of the environment variable with the value.
        rebuild: Any text; another text builds anew.
        repository: Name in the registry; none takes the agent's.
        remote: Build in Azure, without Docker; see AgentImage.remote_build.
        start: Start it on this machine first.
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
        """Declares the build."""
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
        """What does not go together."""
        here_only = {"secrets": self.secrets, "start": self.start} if self.remote else {}
        return [
            f"{path}.remote and {path}.{key} exclude each other: Azure's quick builds can't"
            for key, given in here_only.items()
            if given
        ]


@dataclass(frozen=True)
class CodeSettings:
    """A folder of source that the service runs; see CodePackage.

    Attributes:
        folder: The folder, relative to Pulumi.yaml.
        entry_point: Command and arguments that start the agent.
        runtime: What runs it; none takes the component's default.
        dependency_resolution: ``bundled`` or ``remote_build``; none takes the component's default.
    """

    folder: str
    entry_point: tuple[str, ...]
    runtime: str | None = None
    dependency_resolution: str | None = None

    def package(self) -> fa.CodePackage:
        """The same as the component takes it."""
        said = {"runtime": self.runtime, "dependency_resolution": self.dependency_resolution}
        return fa.CodePackage(
            self.folder, self.entry_point, **{key: value for key, value in said.items() if value is not None}
        )
