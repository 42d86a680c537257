"""ToolboxService on azure-ai-projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus

from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import ToolboxVersionObject
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from foundry_agents.azure.agents import NO_RETRY
from foundry_agents.azure.errors import let_missing_pass, translated
from foundry_agents.lifecycle.views import AgentEnvironment, ToolboxVersionView


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
            try:
                return str(self._toolboxes.get(toolbox)["default_version"])
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Toolbox")
                return None

    def list_versions(self, toolbox: str) -> Iterator[ToolboxVersionView]:
        """GET /toolboxes/{toolbox}/versions, newest first, page by page."""
        with translated(f"GET {self._url(toolbox)}/versions"):
            try:
                yield from map(_view, self._toolboxes.list_versions(toolbox, order="desc", limit=100))
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Toolbox")

    def get_version(self, toolbox: str, version: str) -> ToolboxVersionView | None:
        """GET /toolboxes/{toolbox}/versions/{version}."""
        with translated(f"GET {self._url(toolbox)}/versions/{version}"):
            try:
                return _view(self._toolboxes.get_version(toolbox, version))
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Toolbox")
                return None

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        """POST /toolboxes/{toolbox}/versions, once on the wire."""
        # As a mapping: a type or a field that is newer than the SDK's models gets through.
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
            try:
                self._toolboxes.delete_version(toolbox, version)
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Toolbox")
                return False
            return True

    def delete_toolbox(self, toolbox: str) -> bool:
        """DELETE /toolboxes/{toolbox}."""
        with translated(f"DELETE {self._url(toolbox)}"):
            try:
                self._toolboxes.delete(toolbox)
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Toolbox")
                return False
            return True

    def agent_environments(self) -> Iterator[AgentEnvironment]:
        """GET /agents, and /agents/{agent}/versions of each that is hosted."""
        return agent_environments(self._project, self._endpoint)

    def has_connection(self, name: str) -> bool:
        """GET /connections/{name}."""
        with translated(f"GET {self._endpoint}/connections/{name}"):
            try:
                self._project.connections.get(name)
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Connection")
                return False
            return True

    def _url(self, toolbox: str) -> str:
        return f"{self._endpoint}/toolboxes/{toolbox}"


def agent_environments(project: AIProjectClient, endpoint: str) -> Iterator[AgentEnvironment]:
    """The variables of every version of every hosted agent; what is deleted meanwhile is left out."""
    with translated(f"GET {endpoint}/agents"):
        names = whole(lambda: (str(agent["name"]) for agent in project.agents.list(kind="hosted", limit=100)))
    for name in names:
        with translated(f"GET {endpoint}/agents/{name}/versions"):
            try:
                for version in project.agents.list_versions(name, limit=100):
                    variables = (version.get("definition") or {}).get("environment_variables") or {}
                    yield AgentEnvironment(f"{name}:{version['version']}", tuple(map(str, variables.values())))
            except ResourceNotFoundError as error:
                let_missing_pass(error, subject="Agent")


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
