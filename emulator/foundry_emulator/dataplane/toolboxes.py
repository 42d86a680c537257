"""Toolboxes and their versions (service-contract 6.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.store import Document, Store


@dataclass(slots=True)
class Toolbox:
    """A toolbox with its versions, oldest first.

    Attributes:
        project: Name of its project.
        name: Its name.
        default_version: The number of the version that its MCP endpoint serves; stays until promoted [recorded].
        counter: The highest number of a version so far; numbers are not reused [modelled].
        versions: Documents by number.
    """

    project: str
    name: str
    default_version: str
    counter: int
    versions: dict[str, Document] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id: ``toolbox_`` and 40 hex digits; the same for a name after delete and re-create [recorded].

        That it is a digest of project and name is [modelled].
        """
        return f"toolbox_{hashlib.sha1(f'{self.project}/{self.name}'.encode()).hexdigest()}"  # noqa: S324  a name, no secret

    def document(self) -> dict[str, object]:
        """Return the toolbox as responses show it [recorded]."""
        return {"id": self.id, "name": self.name, "default_version": self.default_version, "object": "toolbox"}

    def stored(self) -> Document:
        """Return what the store keeps of the toolbox, without the versions."""
        return {
            "project": self.project,
            "name": self.name,
            "default_version": self.default_version,
            "counter": self.counter,
        }


class Toolboxes:
    """All toolboxes of all projects, durable through the store.

    Args:
        store: The store.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stored_toolboxes = store.collection("toolboxes")
        self._stored_versions = store.collection("toolbox_versions")
        self._toolboxes: dict[str, dict[str, Toolbox]] = {}
        for document in self._stored_toolboxes.values():
            toolbox = _toolbox(document)
            self._toolboxes.setdefault(toolbox.project, {})[toolbox.name] = toolbox
        for key, document in self._stored_versions.items():
            project, name, number = key.split("/")
            owner = self._toolboxes.get(project, {}).get(name)
            if owner is not None:
                owner.versions[number] = document

    def of_project(self, project: str) -> list[Toolbox]:
        """Return the toolboxes of a project, oldest first."""
        return list(self._toolboxes.get(project, {}).values())

    def projects(self) -> Sequence[str]:
        """Return the names of the projects that have toolboxes."""
        return [project for project, toolboxes in self._toolboxes.items() if toolboxes]

    def get(self, project: str, name: str, request_id: str) -> Toolbox:
        """Return the toolbox.

        Raises:
            ServiceProblem: 404 with the recorded text.
        """
        toolbox = self._toolboxes.get(project, {}).get(name)
        if toolbox is None:
            raise _not_found(f"Toolbox '{name}'", request_id)
        return toolbox

    def version(self, toolbox: Toolbox, number: str, request_id: str) -> Document:
        """Return a version.

        Raises:
            ServiceProblem: 404, its text [modelled].
        """
        document = toolbox.versions.get(number)
        if document is None:
            raise _not_found(f"Toolbox '{toolbox.name}' version '{number}'", request_id)
        return document

    def create_version(
        self, project: str, name: str, *, description: str, metadata: Mapping[str, str], content: Mapping[str, object]
    ) -> Document:
        """Create a version; the first creates the toolbox and becomes its default [docs]. Nothing is deduplicated.

        Args:
            project: Name of the project.
            name: The toolbox's name.
            description: The description as sent.
            metadata: The metadata as sent.
            content: ``tools``, ``skills`` and, when sent, ``policies``.
        """
        toolbox = self._toolboxes.get(project, {}).get(name) or Toolbox(project, name, "", 0)
        toolbox.counter += 1
        number = str(toolbox.counter)
        if not toolbox.versions:
            toolbox.default_version = number
        document: Document = {
            "metadata": dict(metadata),
            "id": f"{toolbox.id}:{number}",
            "name": name,
            "version": number,
            "description": description,
            "created_at": int(self._clock()),
            **content,
            "object": "toolbox.version",
        }
        # The toolbox first: a kill between the two writes skips a number, and never uses one twice.
        self._save(toolbox)
        self._stored_versions.put(f"{project}/{name}/{number}", document)
        toolbox.versions[number] = document
        self._toolboxes.setdefault(project, {})[name] = toolbox
        return document

    def promote(self, toolbox: Toolbox, number: str) -> None:
        """Make a version the default."""
        toolbox.default_version = number
        self._save(toolbox)

    def delete_version(self, toolbox: Toolbox, number: str) -> None:
        """Remove a version; the toolbox stays, even without versions [modelled]."""
        self._stored_versions.delete(f"{toolbox.project}/{toolbox.name}/{number}")
        del toolbox.versions[number]

    def delete(self, toolbox: Toolbox) -> None:
        """Remove a toolbox with its versions."""
        # The toolbox first: versions without one are not loaded.
        self._stored_toolboxes.delete(f"{toolbox.project}/{toolbox.name}")
        for number in toolbox.versions:
            self._stored_versions.delete(f"{toolbox.project}/{toolbox.name}/{number}")
        del self._toolboxes[toolbox.project][toolbox.name]

    def _save(self, toolbox: Toolbox) -> None:
        self._stored_toolboxes.put(f"{toolbox.project}/{toolbox.name}", toolbox.stored())


def _not_found(what: str, request_id: str) -> ServiceProblem:
    """Return a 404 with the request id in the text as well, as the service's toolboxes do since June [recorded]."""
    return ServiceProblem(404, "not_found", f"{what} not found [Request ID: {request_id}]")


def _toolbox(document: Document) -> Toolbox:
    counter = document["counter"]
    return Toolbox(
        project=str(document["project"]),
        name=str(document["name"]),
        default_version=str(document["default_version"]),
        counter=counter if isinstance(counter, int) else 0,
    )
