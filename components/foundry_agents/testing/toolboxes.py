"""The toolboxes of a project, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from foundry_agents.lifecycle.views import (
    AgentEnvironment,
    ToolboxVersionView,
)


@dataclass
class MemoryToolboxes:
    """A ToolboxService that keeps everything in memory.

    Attributes:
        calls: Every call, in order, as its verb: "create_version support", "promote support:2".
        versions: By toolbox and number.
        tools: What was posted, by ``toolbox:version``.
        defaults: Number of the default version of each toolbox.
        environments: Values of the variables of agents' versions, by ``agent:version``.
        connections: Names of the project's connections.
    """

    calls: list[str] = field(default_factory=list)
    versions: dict[str, dict[str, ToolboxVersionView]] = field(default_factory=dict)
    tools: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    environments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    connections: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if call.startswith(("create_", "promote ", "delete_"))]

    def default_version(self, toolbox: str) -> str | None:
        """Return the first version, until another is promoted [recorded]."""
        self.calls.append(f"default_version {toolbox}")
        return self.defaults.get(toolbox)

    def list_versions(self, toolbox: str) -> Iterator[ToolboxVersionView]:
        """Yield the versions, newest first."""
        self.calls.append(f"list_versions {toolbox}")
        yield from reversed(list(self.versions.get(toolbox, {}).values()))

    def get_version(self, toolbox: str, version: str) -> ToolboxVersionView | None:
        """Return one version."""
        self.calls.append(f"get_version {toolbox}:{version}")
        return self.versions.get(toolbox, {}).get(version)

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        """Create the next version."""
        del description
        self.calls.append(f"create_version {toolbox}")
        number = self._numbers[toolbox] = self._numbers.get(toolbox, 0) + 1
        made = ToolboxVersionView(toolbox, str(number), dict(metadata))
        self.versions.setdefault(toolbox, {})[made.version] = made
        self.tools[made.id] = tools
        self.defaults.setdefault(toolbox, made.version)
        return made

    def promote(self, toolbox: str, version: str) -> None:
        """Make a version the default."""
        self.calls.append(f"promote {toolbox}:{version}")
        self.defaults[toolbox] = version

    def delete_version(self, toolbox: str, version: str) -> bool:
        """Delete a version."""
        self.calls.append(f"delete_version {toolbox}:{version}")
        return self.versions.get(toolbox, {}).pop(version, None) is not None

    def delete_toolbox(self, toolbox: str) -> bool:
        """Delete the toolbox."""
        self.calls.append(f"delete_toolbox {toolbox}")
        self.defaults.pop(toolbox, None)
        return self.versions.pop(toolbox, None) is not None

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """Yield ``environments``."""
        self.calls.append("agent_environments")
        for version, values in self.environments.items():
            yield AgentEnvironment(version, values)

    def has_connection(self, name: str) -> bool:
        """Return whether ``connections`` has it."""
        self.calls.append(f"has_connection {name}")
        return name in self.connections
