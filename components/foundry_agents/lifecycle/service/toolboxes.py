"""What the core asks of a project's toolboxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from foundry_agents.lifecycle.views import AgentEnvironment, ToolboxVersionView


class ToolboxService(Protocol):
    """The toolboxes of one project.

    Every method may raise a ServiceError or SignInError. A method returns None or False for a missing toolbox or
    version only on a definite 404 of it; a missing project raises ProjectNotFoundError.
    """

    def default_version(self, toolbox: str) -> str | None:
        """Return the number of the default version; None for a missing toolbox."""
        ...

    def list_versions(self, toolbox: str) -> Iterator[ToolboxVersionView]:
        """Yield all versions, newest first; nothing for a missing toolbox."""
        ...

    def get_version(self, toolbox: str, version: str) -> ToolboxVersionView | None:
        """Read one version."""
        ...

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        """Send one POST of a version. Raise ResponseLostError when it may have been created anyway."""
        ...

    def promote(self, toolbox: str, version: str) -> None:
        """Make a version the default."""
        ...

    def delete_version(self, toolbox: str, version: str) -> bool:
        """Delete a version; False when it is missing."""
        ...

    def delete_toolbox(self, toolbox: str) -> bool:
        """Delete the toolbox with all its versions; False when it is missing."""
        ...

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """Yield all versions of all hosted agents of the project."""
        ...

    def has_connection(self, name: str) -> bool:
        """Return whether the project has a connection of this name."""
        ...
