"""The columns of the catalog of resource types, and the checks that rows share."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundry_emulator.arm.documents import Json, section, text
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId
from foundry_emulator.arm.urls import Urls
from foundry_emulator.identity import TENANT

NAMESPACE = uuid.UUID("5a0f6a0e-6c1d-5b53-9d0a-0c3f4f1b7a11")  # arbitrary and fixed; principals derive from it


@dataclass(frozen=True, slots=True)
class Made:
    """What Azure knows about a resource in addition to the request.

    Attributes:
        urls: The addresses of the local Azure.
        principal_id: Object id of its system-assigned identity, if it has one.
    """

    urls: Urls
    principal_id: str


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One row of the catalog.

    Attributes:
        name: Azure's type name.
        names: Pattern of valid names.
        validate: Refuses a body that Azure refuses.
        computed: Returns what Azure adds to the body.
        tracked: Has a location, which is required and immutable.
    """

    name: str
    names: re.Pattern[str]
    validate: Callable[[ResourceId, Json], None]
    computed: Callable[[ResourceId, Json, Made], Json]
    tracked: bool = False


def identity_of(resource_id: str, incarnation: int = 0) -> str:
    """Return the object id of a resource's system-assigned identity.

    It derives from the id, and from how often a resource of that id was deleted before: a resource that is created
    again gets a new principal, as in Azure.
    """
    again = f"#{incarnation}" if incarnation else ""
    return str(uuid.uuid5(NAMESPACE, f"{resource_id.lower()}{again}"))


def identity(body: Mapping[str, object], made: Made) -> Json:
    """Return the identity that Azure shows for the requested one."""
    given = section(body, "identity")
    if "SystemAssigned" in text(given, "type"):
        return {"identity": {**given, "principalId": made.principal_id, "tenantId": TENANT}}
    return {"identity": given} if given else {}


def anything(_id: ResourceId, _body: Json) -> None:
    """Accept every body."""


def provisioned(_id: ResourceId, body: Json, _made: Made) -> Json:
    """Return the requested properties with ``provisioningState`` ``Succeeded``."""
    return {"properties": {**section(body, "properties"), "provisioningState": "Succeeded"}}


def require(holder: Mapping[str, object], key: str, *, path: str | None = None) -> None:
    """Refuse a request without a string under a key."""
    if not text(holder, key):
        raise ArmError(400, "InvalidRequestContent", f"The request content is invalid: '{path or key}' is required.")
