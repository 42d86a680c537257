"""ToolboxService on azure-ai-projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from http import HTTPStatus

from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import ToolboxVersionObject
from azure.core.exceptions import HttpResponseError

from foundry_agents.azure.errors import found_items, found_or_none, translated, was_found
from foundry_agents.azure.sessions import NO_RETRY
from foundry_agents.lifecycle.views import AgentEnvironment, ToolboxVersionView

_TOOLBOX = "Toolbox"
"""The first word of the service's 404 of a toolbox or a version."""


class FoundryToolboxService:
    """The toolboxes of one project.

    Args:
        project: The SDK's client of the project.
        endpoint: The project's endpoint, for error texts.
    """

    def __init__(self, project: AIProjectClient, endpoint: str) -> None:
        self._project = project
        self._toolboxes = project.toolboxes
        self._endpoint = endpoint.rstrip("/")

    def default_version(self, toolbox: str) -> str | None:
        """GET /toolboxes/{toolbox}."""
        with translated(f"GET {self._url(toolbox)}"):
            found = found_or_none(lambda: self._toolboxes.get(toolbox), subject=_TOOLBOX)
        return str(found["default_version"]) if found else None

    def list_versions(self, toolbox: str) -> Iterator[ToolboxVersionView]:
        """GET /toolboxes/{toolbox}/versions, newest first, page by page."""
        with translated(f"GET {self._url(toolbox)}/versions"):
            pages = partial(self._toolboxes.list_versions, toolbox, order="desc", limit=100)
            yield from map(_view, found_items(pages, subject=_TOOLBOX))

    def get_version(self, toolbox: str, version: str) -> ToolboxVersionView | None:
        """GET /toolboxes/{toolbox}/versions/{version}."""
        with translated(f"GET {self._url(toolbox)}/versions/{version}"):
            found = found_or_none(lambda: self._toolboxes.get_version(toolbox, version), subject=_TOOLBOX)
        return _view(found) if found else None

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        """POST /toolboxes/{toolbox}/versions, sent once, without retries of the SDK."""
        # As a mapping, so that a type or a field that is newer than the SDK's models is sent too.
        body: dict[str, object] = {"tools": tools, "metadata": dict(metadata)}
        if description:
            body["description"] = description
        with translated(f"POST {self._url(toolbox)}/versions", writes=True):
            return _view(self._toolboxes.create_version(toolbox, body, **NO_RETRY))

    def promote(self, toolbox: str, version: str) -> None:
        """PATCH /toolboxes/{toolbox}."""
        with translated(f"PATCH {self._url(toolbox)}", writes=True):
            self._toolboxes.update(toolbox, default_version=version, **NO_RETRY)

    def delete_version(self, toolbox: str, version: str) -> bool:
        """DELETE /toolboxes/{toolbox}/versions/{version}."""
        with translated(f"DELETE {self._url(toolbox)}/versions/{version}"):
            return was_found(lambda: self._toolboxes.delete_version(toolbox, version), subject=_TOOLBOX)

    def delete_toolbox(self, toolbox: str) -> bool:
        """DELETE /toolboxes/{toolbox}."""
        with translated(f"DELETE {self._url(toolbox)}"):
            return was_found(lambda: self._toolboxes.delete(toolbox), subject=_TOOLBOX)

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """GET /agents, and /agents/{agent}/versions of each that is hosted."""
        return agent_environments(self._project, self._endpoint)

    def has_connection(self, name: str) -> bool:
        """GET /connections/{name}."""
        with translated(f"GET {self._endpoint}/connections/{name}"):
            return was_found(lambda: self._project.connections.get(name), subject="Connection")

    def _url(self, toolbox: str) -> str:
        return f"{self._endpoint}/toolboxes/{toolbox}"


def agent_environments(project: AIProjectClient, endpoint: str) -> Iterator[AgentEnvironment]:
    """Yield the variables of every version of every hosted agent, without agents that are deleted meanwhile."""
    with translated(f"GET {endpoint}/agents"):
        names = whole(lambda: (str(agent["name"]) for agent in project.agents.list(kind="hosted", limit=100)))
    for name in names:
        with translated(f"GET {endpoint}/agents/{name}/versions"):
            for version in found_items(partial(project.agents.list_versions, name, limit=100), subject="Agent"):
                variables = (version.get("definition") or {}).get("environment_variables") or {}
                yield AgentEnvironment(f"{name}:{version['version']}", tuple(map(str, variables.values())))


_TRIES = 3


def whole(walk: Callable[[], Iterable[str]]) -> list[str]:
    """Return all pages of a list.

    A page whose last item is deleted meanwhile has no next one, but a 400: then the list is read again.
    """
    for _ in range(_TRIES):
        try:
            return list(walk())
        except HttpResponseError as error:
            if error.status_code != HTTPStatus.BAD_REQUEST:
                raise
    return list(walk())


def _view(details: ToolboxVersionObject) -> ToolboxVersionView:
    # By key, not by attribute: attributes turn times into richer types.
    return ToolboxVersionView(
        toolbox=details["name"],
        version=details["version"],
        metadata=dict(details.get("metadata") or {}),
        created_at=int(details.get("created_at") or 0),
        service_id=details.get("id") or "",
    )
