"""A project's connections as the data plane and agents use them, with the credentials that ARM never returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from foundry_emulator.arm.documents import section, text
from foundry_emulator.arm.resource_id import CONNECTION, is_below, parse
from foundry_emulator.store import Document, Store


@dataclass(frozen=True, slots=True)
class Connection:
    """A project connection (service-contract 6.4, 8.1).

    Attributes:
        id: ARM resource id.
        name: Its name in the project.
        category: The category, such as ``CustomKeys`` or ``RemoteTool``.
        target: The address of the connected service.
        auth_type: The authentication, such as ``CustomKeys``, ``ApiKey``, ``ProjectManagedIdentity``.
        audience: The audience of its tokens; managed identities only.
        is_default: Shared with all projects of the account.
        metadata: The metadata as written.
        credentials: The values by name; custom keys are not nested. Never part of a repr, a log or the control API.
    """

    id: str
    name: str
    category: str
    target: str
    auth_type: str
    audience: str
    is_default: bool
    metadata: Mapping[str, str]
    credentials: Mapping[str, str] = field(repr=False)


class Connections:
    """Reads connections from ARM's documents.

    Args:
        store: The store of ARM's documents; nothing is written here.
    """

    def __init__(self, store: Store) -> None:
        self._documents = store.collection("arm_resources")

    def of_project(self, project_id: str) -> Iterator[Connection]:
        """Yield the connections of a project, oldest first."""
        for key, document in self._documents.items():
            if is_below(key, project_id) and parse(key).type == CONNECTION:
                yield _connection(document)

    def find(self, project_id: str, name: str) -> Connection | None:
        """Return a connection by its name or its ARM id; one of another project is not found."""
        prefix = f"{project_id}/connections/".lower()
        document = self._documents.get(prefix + name.lower().removeprefix(prefix))
        return None if document is None else _connection(document)


def _connection(document: Document) -> Connection:
    rid = parse(text(document, "id"))
    properties = section(section(document, "body"), "properties")
    credentials = section(properties, "credentials")
    return Connection(
        id=rid.id,
        name=rid.name,
        category=text(properties, "category"),
        target=text(properties, "target"),
        auth_type=text(properties, "authType"),
        audience=text(properties, "audience"),
        is_default=properties.get("isSharedToAll") is True,
        metadata=_strings(section(properties, "metadata")),
        credentials=_strings(credentials) | _strings(section(credentials, "keys")),
    )


def _strings(values: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}
