"""Resource ids: their parts, their casing, and their order of nesting.

Azure keeps the casing of names as they were created and compares ids without regard to case [docs]; provider
namespaces and type names are written here in Azure's own casing, whatever the caller wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from foundry_emulator.arm.errors import ArmError

SUBSCRIPTION = "Microsoft.Resources/subscriptions"
RESOURCE_GROUP = "Microsoft.Resources/resourceGroups"
ACCOUNT = "Microsoft.CognitiveServices/accounts"
DEPLOYMENT = "Microsoft.CognitiveServices/accounts/deployments"
PROJECT = "Microsoft.CognitiveServices/accounts/projects"
CONNECTION = "Microsoft.CognitiveServices/accounts/projects/connections"
ACCOUNT_CAPABILITY_HOST = "Microsoft.CognitiveServices/accounts/capabilityHosts"
PROJECT_CAPABILITY_HOST = "Microsoft.CognitiveServices/accounts/projects/capabilityHosts"
REGISTRY = "Microsoft.ContainerRegistry/registries"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"
INSIGHTS = "Microsoft.Insights/components"
VIRTUAL_NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
DNS_ZONE_GROUP = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
PRIVATE_DNS_ZONE = "Microsoft.Network/privateDnsZones"
ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
ROLE_DEFINITION = "Microsoft.Authorization/roleDefinitions"

_CASING = {
    word.lower(): word
    for kind in (
        DEPLOYMENT,
        CONNECTION,
        PROJECT_CAPABILITY_HOST,
        REGISTRY,
        WORKSPACE,
        INSIGHTS,
        SUBNET,
        DNS_ZONE_GROUP,
        PRIVATE_DNS_ZONE,
        ROLE_ASSIGNMENT,
        ROLE_DEFINITION,
    )
    for word in kind.split("/")
} | {"subscriptions": "subscriptions", "resourcegroups": "resourceGroups", "providers": "providers"}


@dataclass(frozen=True, slots=True)
class ResourceId:
    """One resource, or one collection of resources.

    Attributes:
        id: The whole id, or the collection's path.
        type: ``namespace/type[/type...]``.
        name: The last segment; empty for a collection.
        scope: Id of its parent: a resource, a resource group, or the subject of an extension resource.
    """

    id: str
    type: str
    name: str
    scope: str

    @property
    def key(self) -> str:
        """The key that ids are compared by."""
        return self.id.lower()

    def child(self, type_word: str, name: str) -> ResourceId:
        """Return a child resource of this one."""
        kind = f"{self.type}/{type_word}"
        return ResourceId(id=f"{self.id}/{type_word}/{name}", type=kind, name=name, scope=self.id)


@lru_cache(maxsize=8192)
def parse(path: str) -> ResourceId:
    """Parse an id or a collection's path.

    Raises:
        ArmError: 400 for a path that is not of Resource Manager's form.
    """
    segments = [s for s in path.strip().split("/") if s]
    if not segments or segments[0].lower() != "subscriptions":
        raise ArmError(400, "InvalidResourceId", f"'{path}' is not a resource id: it begins with no subscription.")
    at = _last_provider(segments)
    if at is not None:
        return _below_provider(segments, at, path)
    kinds = {2: SUBSCRIPTION, 4: RESOURCE_GROUP, 1: SUBSCRIPTION, 3: RESOURCE_GROUP}
    kind = kinds.get(len(segments))
    if kind is None or (kind == RESOURCE_GROUP and segments[2].lower() != "resourcegroups"):
        raise ArmError(400, "InvalidResourceId", f"'{path}' is not a resource id.")
    name = segments[-1] if len(segments) % 2 == 0 else ""
    words = _cased(segments, range(0, len(segments), 2))
    scope = _join(words[:2]) if kind == RESOURCE_GROUP else ""
    return ResourceId(id=_join(words), type=kind, name=name, scope=scope)


def above(resource_id: str) -> Iterator[str]:
    """Yield the lower-case keys of a resource and of every scope that it inherits from, nearest first.

    Ids nest by whole segments, so ``.../accounts/a`` is not above ``.../accounts/ab``.
    """
    key = resource_id.lower().rstrip("/")
    while key:
        yield key
        key = key.rpartition("/")[0]


def is_below(key: str, scope: str) -> bool:
    """Return whether a key is inside a scope; the scope itself is not."""
    return key.startswith(f"{scope.lower().rstrip('/')}/")


def _last_provider(segments: list[str]) -> int | None:
    found = [i for i, word in enumerate(segments) if i % 2 == 0 and word.lower() == "providers"]
    return found[-1] if found else None


def _below_provider(segments: list[str], at: int, path: str) -> ResourceId:
    tail = segments[at + 1 :]
    if len(tail) < 2:  # noqa: PLR2004 - a namespace and at least one type
        raise ArmError(400, "InvalidResourceId", f"'{path}' names a provider but no resource type.")
    head = _scope_of(segments[:at], path)
    words = [_CASING.get(tail[0].lower(), tail[0]), *tail[1:]]
    words = [_CASING.get(w.lower(), w) if i % 2 else w for i, w in enumerate(words)]
    is_collection = len(words) % 2 == 0
    name = "" if is_collection else words[-1]
    above_it = words[:-1] if is_collection else words[:-2]
    scope = f"{head}/providers/{'/'.join(above_it)}" if len(above_it) > 1 else head
    return ResourceId(
        id=f"{head}/providers/{'/'.join(words)}",
        type="/".join([words[0], *words[1::2]]),
        name=name,
        scope=scope,
    )


def _scope_of(segments: list[str], path: str) -> str:
    """Return the part before the last ``/providers/``, in Azure's casing."""
    if len(segments) <= 4:  # noqa: PLR2004 - a subscription, or a resource group in it
        if len(segments) % 2:
            raise ArmError(400, "InvalidResourceId", f"'{path}' is not a resource id.")
        return _join(_cased(segments, range(0, len(segments), 2)))
    return parse(_join(segments)).id


def _cased(segments: list[str], places: range) -> list[str]:
    return [_CASING.get(w.lower(), w) if i in places else w for i, w in enumerate(segments)]


def _join(segments: list[str]) -> str:
    return "/" + "/".join(segments)
