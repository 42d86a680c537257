"""What a row of the catalog of resource types says, and the checks that rows share."""

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

NAMESPACE = uuid.UUID("5a0f6a0e-6c1d-5b53-9d0a-0c3f4f1b7a11")  # any fixed one; principals derive from it


@dataclass(frozen=True, slots=True)
class Made:
    """What Azure knows of a resource beside the request for it.

    Attributes:
        urls: where the local Azure is reached.
        principal_id: object id of its system-assigned identity, should it have one.
    """

    urls: Urls
    principal_id: str


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One row of the catalog.

    Attributes:
        name: Azure's type name.
        names: what a resource of it may be called.
        validate: refuses a body that Azure refuses.
        computed: what Azure adds to the body, over what was asked for.
        tracked: has a location, which is required and can't change.
    """

    name: str
    names: re.Pattern[str]
    validate: Callable[[ResourceId, Json], None]
    computed: Callable[[ResourceId, Json, Made], Json]
    tracked: bool = False


def identity_of(resource_id: str, incarnation: int = 0) -> str:
    """Object id of a resource's system-assigned identity.

    It derives from the id, and from how often a resource of that id was deleted before: one that is made again gets
    a new principal, as in Azure.
    """
    again = f"#{incarnation}" if incarnation else ""
    return str(uuid.uuid5(NAMESPACE, f"{resource_id.lower()}{again}"))


def identity(body: Mapping[str, object], made: Made) -> Json:
    """The identity that Azure shows, of what was asked for."""
    given = section(body, "identity")
    if "SystemAssigned" in text(given, "type"):
        return {"identity": {**given, "principalId": made.principal_id, "tenantId": TENANT}}
    return {"identity": given} if given else {}


def anything(_id: ResourceId, _body: Json) -> None:
    """Accepts every body."""


def provisioned(_id: ResourceId, body: Json, _made: Made) -> Json:
    """What was asked for, and done."""
    return {"properties": {**section(body, "properties"), "provisioningState": "Succeeded"}}


def require(holder: Mapping[str, object], key: str, *, path: str | None = None) -> None:
    """Refuses a request without a text under a key."""
    if not text(holder, key):
        raise ArmError(400, "InvalidRequestContent", f"The request content is invalid: '{path or key}' is required.")
