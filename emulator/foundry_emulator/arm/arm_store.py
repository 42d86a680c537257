"""Azure's resources in this local Azure: stored durably, returned as Resource Manager returns them."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.access import Access, Assignment
from foundry_emulator.arm.busy_parents import BusyParents
from foundry_emulator.arm.catalog import CATALOG, normal_location, project_endpoint
from foundry_emulator.arm.deleted import Deleted
from foundry_emulator.arm.documents import Json, merge_patch, section, text
from foundry_emulator.arm.errors import ArmError, no_group, no_subscription, not_modelled
from foundry_emulator.arm.networking import targets
from foundry_emulator.arm.resource_id import ResourceId, is_below, parse
from foundry_emulator.arm.resource_type import Made, ResourceType, identity_of
from foundry_emulator.arm.roles import FOUNDRY_USER, OWNER, role_guid
from foundry_emulator.arm.rules import check_against_others, check_can_go
from foundry_emulator.arm.urls import Urls
from foundry_emulator.arm.views import ProjectView, RegistryView
from foundry_emulator.identity import DEPLOYER, TENANT
from foundry_emulator.store import Document, Store

SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000001"
"""The one subscription of the local Azure."""

SUBSCRIPTION_SCOPE = f"/subscriptions/{SUBSCRIPTION_ID}"

_ECHOED = ("location", "kind", "sku", "tags", "zones", "managedBy")


class ArmStore:
    """Resources, role assignments, and lookups for the rest of the local Azure.

    A document keeps the request (``body``) and facts of its creation; Azure's computed values are added on reading.
    The first start assigns the deployer Owner and Foundry User on the subscription, as a tenant's administrator
    would have; those two documents are marked ``seeded``.

    Not modelled: management groups, locks, deny assignments, conditions of role assignments, asynchronous operations
    (every write is complete when its response is sent, except model deployments).

    Args:
        store: The store of the documents; this object is their only writer.
        urls: Returns the addresses of the local Azure; called at every read.
        clock: Unix seconds.
        role_delay_s: Seconds until a new role assignment is in effect; seeded ones are at once.
        deployment_s: Seconds that a model deployment takes; its account accepts no other meanwhile.
        account_retention_s: Seconds for which a deleted account reserves its name; see ``Deleted``.
        parent_busy: How often deletes are refused because a parent is busy; see ``BusyParents``.
    """

    def __init__(
        self,
        store: Store,
        *,
        urls: Callable[[], Urls],
        clock: Callable[[], float],
        role_delay_s: float = 0.0,
        deployment_s: Callable[[], float] = lambda: 0.0,
        account_retention_s: Callable[[], float] = lambda: 0.0,
        parent_busy: Callable[[], int] = lambda: 0,
    ) -> None:
        self._documents = store.collection("arm_resources")
        self.urls = urls
        self._clock = clock
        self._role_delay_s = role_delay_s
        self._deployment_s = deployment_s
        self._deleted = Deleted(store, clock=clock, account_retention_s=account_retention_s)
        self._busy = BusyParents(parent_busy)
        self._access: Access | None = None
        self._projects: tuple[Urls, dict[str, ProjectView]] | None = None  # looked up at every request
        self.seed()

    def delay_roles(self, seconds: float) -> None:
        """Change the delay until role assignments are in effect, existing assignments included.

        Args:
            seconds: The delay, from an assignment's creation.
        """
        self._role_delay_s = seconds
        self._forget_views()

    def seed(self) -> None:
        """Create the subscription and the deployer's roles where they are missing; for a new or emptied store."""
        self._forget_views()
        if self._documents.get(SUBSCRIPTION_SCOPE) is not None:
            return
        self._keep(parse(SUBSCRIPTION_SCOPE), {}, seeded=True)
        for role in (OWNER, FOUNDRY_USER):
            name = uuid.uuid5(uuid.UUID(role), DEPLOYER)
            body: Json = {
                "properties": {
                    "roleDefinitionId": f"{SUBSCRIPTION_SCOPE}/providers/{ids.ROLE_DEFINITION}/{role}",
                    "principalId": DEPLOYER,
                    "principalType": "ServicePrincipal",
                }
            }
            self._keep(parse(f"{SUBSCRIPTION_SCOPE}/providers/{ids.ROLE_ASSIGNMENT}/{name}"), body, seeded=True)

    # Writes and reads, by id.

    def put(self, rid: ResourceId, body: Json) -> tuple[Json, bool]:
        """Create or replace a resource.

        Returns:
            The resource, and whether it is new.

        Raises:
            ArmError: The parent is missing, the body is not valid, or it conflicts with another resource.
        """
        kind = self._kind(rid)
        self._require_scope(rid)
        old = self._documents.get(rid.key)
        if old is not None:
            rid = parse(text(old, "id"))  # keeps the casing of its creation
        elif not kind.names.fullmatch(rid.name):
            raise ArmError(400, "InvalidResourceName", f"'{rid.name}' is not a name that {rid.type} accepts.")
        if kind.tracked:
            body = self._located(rid, body, section(old, "body") if old else None)
        kind.validate(rid, body)
        check_against_others(rid, body, self._documents.items(), is_busy=self._is_busy)
        incarnation = cast("int", old.get("incarnation", 0)) if old else self._deleted.incarnation_of(rid, body)
        self._keep(rid, body, old=old, incarnation=incarnation)
        return self.get(rid), old is None

    def patch(self, rid: ResourceId, patch: Json) -> Json:
        """Merge a patch into a resource (RFC 7396)."""
        old = self._required(rid)
        if rid.type == ids.ROLE_ASSIGNMENT:
            raise ArmError(405, "MethodNotAllowed", "A role assignment can't be patched; delete it and make a new one.")
        resource, _ = self.put(rid, merge_patch(section(old, "body"), patch))
        return resource

    def get(self, rid: ResourceId) -> Json:
        """Return a resource as Resource Manager shows it.

        Raises:
            ArmError: 404 when it does not exist.
        """
        return self._rendered(self._required(rid))

    def peek(self, rid: ResourceId) -> Json:
        """Return a resource as Resource Manager shows it; empty when it does not exist."""
        document = self._documents.get(rid.key)
        return self._rendered(document) if document else {}

    def request_of(self, rid: ResourceId) -> Json:
        """Return the last request body of a resource, without what Azure adds; for tests."""
        return copy.deepcopy(section(self._required(rid), "body"))

    def delete(self, rid: ResourceId) -> bool:
        """Remove a resource, everything below it, and the role assignments scoped to any of it.

        Returns:
            Whether it existed.
        """
        self._kind(rid)
        if self._documents.get(rid.key) is None:
            return False
        below = [key for key, _ in self._documents.items() if is_below(key, rid.key)]
        for key in (*reversed(below), rid.key):
            removed = self._documents.get(key) or {}
            self._documents.delete(key)
            self._deleted.remember(key, cast("int", removed.get("incarnation", 0)))
        self._forget_views()
        self._busy.record_delete(rid)
        return True

    def check_can_go(self, rid: ResourceId) -> None:
        """Refuse a delete that Azure refuses because of other resources."""
        check_can_go(rid, self._documents.items())
        if self._documents.get(rid.key) is not None:
            self._busy.check_can_go(rid)

    def collection(self, rid: ResourceId) -> Iterator[Json]:
        """Yield the resources of a collection; below a subscription or a resource group, at any depth."""
        self._kind(rid)
        self._require_scope(rid)
        for key, document in self._documents.items():
            found = parse(key)
            if found.type == rid.type and is_below(key, rid.scope):
                yield self._rendered(document)

    def role_assignments(self, scope: str) -> Iterator[Json]:
        """Yield the role assignments at a scope, above it and below it."""
        for document in self._all():
            rid = parse(text(document, "id"))
            if rid.type != ids.ROLE_ASSIGNMENT:
                continue
            at = rid.scope.lower()
            if at in set(ids.above(scope)) or is_below(at, scope):
                yield self._rendered(document)

    # Lookups for the rest of the local Azure.

    @property
    def access(self) -> Access:
        """The rights that the current role assignments grant."""
        if self._access is None:
            self._access = Access(self.assignments(), self._clock)
        return self._access

    def has_role(self, principal_id: str, roles: Collection[str], scope_id: str) -> bool:
        """Return whether a principal has one of the roles (GUIDs, lower case) at a scope or above it, now.

        The scope may be below a modelled resource, such as ``{project id}/agents/{name}``.
        """
        return self.access.has_role(principal_id, roles, scope_id)

    def project(self, name: str) -> ProjectView | None:
        """Return the project of this name, in any account."""
        urls = self.urls()
        if self._projects is None or self._projects[0] != urls:
            self._projects = (urls, {p.name.lower(): p for p in self.projects()})
        return self._projects[1].get(name.lower())

    def projects(self) -> list[ProjectView]:
        """Return all projects, in the order of their creation."""
        return [self._project_view(rid, doc) for rid, doc in self._of_type(ids.PROJECT)]

    @property
    def registry_host(self) -> str:
        """Host and port of every registry of this local Azure."""
        return self.urls().registry

    def registry_for(self, image_reference: str) -> RegistryView | None:
        """Return the registry that an image reference points into, if ARM has it."""
        for rid, document in self._of_type(ids.REGISTRY):
            view = RegistryView.of(rid, self._rendered(document))
            if image_reference.lower().startswith(f"{view.login_server.lower()}/"):
                return view
        return None

    def resources(self, *, seeded: bool = False) -> Iterator[Json]:
        """Yield all resources as Resource Manager shows them, role assignments included.

        Args:
            seeded: Include the resources of the first start.
        """
        for document in self._all():
            if seeded or not document.get("seeded"):
                yield self._rendered(document)

    def count(self, *, seeded: bool = False) -> int:
        """Return the number of resources; see :meth:`resources`."""
        return sum(1 for _ in self.resources(seeded=seeded))

    # How documents are stored and shown.

    def _all(self) -> Iterator[Document]:
        return (document for _, document in self._documents.items())

    def _of_type(self, kind: str) -> Iterator[tuple[ResourceId, Document]]:
        for document in self._all():
            rid = parse(text(document, "id"))
            if rid.type == kind:
                yield rid, document

    def _kind(self, rid: ResourceId) -> ResourceType:
        kind = CATALOG.get(rid.type.lower())
        if kind is None:
            raise not_modelled(f"the resource type {rid.type}")
        return kind

    def _required(self, rid: ResourceId) -> Document:
        if rid.type != ids.SUBSCRIPTION:
            self._kind(rid)
        document = self._documents.get(rid.key)
        if document is not None:
            return document
        self._require_scope(rid)
        if rid.type == ids.RESOURCE_GROUP:
            raise no_group(rid.name)
        if rid.type == ids.SUBSCRIPTION:
            raise no_subscription(rid.name, there=SUBSCRIPTION_ID)
        code = "RoleAssignmentNotFound" if rid.type == ids.ROLE_ASSIGNMENT else "ResourceNotFound"
        raise ArmError(404, code, f"The Resource '{rid.type}/{rid.name}' under '{rid.scope}' was not found.")

    def _require_scope(self, rid: ResourceId) -> None:
        """Refuse a resource of which a parent is missing, from the subscription down."""
        if not rid.scope:
            return
        scope = parse(rid.scope)
        if scope.type.endswith("/projects/agents"):
            scope = parse(scope.scope)  # an agent is not an ARM resource, but roles may be scoped to it [observed]
        if self._documents.get(scope.key) is not None:
            return
        self._require_scope(scope)
        if scope.type == ids.SUBSCRIPTION:
            raise no_subscription(scope.name, there=SUBSCRIPTION_ID)
        if scope.type == ids.RESOURCE_GROUP:
            raise no_group(scope.name)
        if rid.type == ids.ROLE_ASSIGNMENT:
            self._kind(scope)
            raise ArmError(404, "ResourceNotFound", f"The Resource '{scope.type}/{scope.name}' was not found.")
        raise ArmError(
            404,
            "ParentResourceNotFound",
            f"Can not perform requested operation on nested resource. Parent resource '{scope.name}' not found.",
        )

    def _located(self, rid: ResourceId, body: Json, old: Document | None) -> Json:
        given = normal_location(text(body, "location"))
        if not given:
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        if old is not None and text(old, "location") != given:
            raise ArmError(
                409,
                "InvalidResourceLocation",
                f"The resource '{rid.name}' already exists in location '{text(old, 'location')}'. "
                f"A resource with the same name cannot be created in location '{given}'.",
            )
        return {**body, "location": given}

    def _keep(
        self,
        rid: ResourceId,
        body: Mapping[str, object],
        *,
        old: Document | None = None,
        seeded: bool = False,
        incarnation: int = 0,
    ) -> None:
        now = self._clock()
        document = {
            "id": rid.id,
            "seeded": seeded or bool(old and old.get("seeded")),
            "created_at": old["created_at"] if old else now,
            "changed_at": now,
            "incarnation": incarnation,
            "body": dict(body),
        }
        self._documents.put(rid.key, document)
        self._forget_views()

    def _forget_views(self) -> None:
        self._access = None
        self._projects = None

    def _rendered(self, document: Document) -> Json:
        rid = parse(text(document, "id"))
        body = section(document, "body")
        if rid.type == ids.SUBSCRIPTION:
            return {
                "id": rid.id,
                "subscriptionId": rid.name,
                "displayName": "Local Azure",
                "state": "Enabled",
                "tenantId": TENANT,
            }
        resource: Json = {"id": rid.id, "name": rid.name, "type": rid.type}
        resource |= {key: body[key] for key in _ECHOED if body.get(key) is not None}
        resource |= self._kind(rid).computed(rid, body, Made(self.urls(), _principal(rid, document)))
        if self._is_busy(document):
            resource["properties"] = {**section(resource, "properties"), "provisioningState": "Creating"}
        if rid.type == ids.ROLE_ASSIGNMENT:
            # Clients derive from it how long a new grant may not be in effect yet.
            made, changed = (_iso(cast("float", document[key])) for key in ("created_at", "changed_at"))
            resource["properties"] = {**section(resource, "properties"), "createdOn": made, "updatedOn": changed}
        return resource

    def _is_busy(self, document: Document) -> bool:
        """Return whether it is a model deployment that is not finished."""
        is_deployment = parse(text(document, "id")).type == ids.DEPLOYMENT
        return is_deployment and self._clock() < cast("float", document["changed_at"]) + self._deployment_s()

    def _is_reachable(self, account: ResourceId) -> bool:
        body = section(self._documents.get(account.key) or {}, "body")
        if text(section(body, "properties"), "publicNetworkAccess").lower() != "disabled":
            return True
        endpoints = (section(document, "body") for _, document in self._of_type(ids.PRIVATE_ENDPOINT))
        return any(target.lower() == account.key for endpoint in endpoints for target, _ in targets(endpoint))

    def assignments(self) -> Iterator[Assignment]:
        """Yield every role assignment, those that are not in effect yet included."""
        for rid, document in self._of_type(ids.ROLE_ASSIGNMENT):
            properties = section(section(document, "body"), "properties")
            made_at = cast("float", document["created_at"])
            yield Assignment(
                principal_id=text(properties, "principalId").lower(),
                role=role_guid(text(properties, "roleDefinitionId")),
                scope=rid.scope.lower(),
                counts_from=0.0 if document.get("seeded") else made_at + self._role_delay_s,
            )

    def _project_view(self, rid: ResourceId, document: Document) -> ProjectView:
        account = parse(rid.scope)
        return ProjectView.of(
            rid,
            section(document, "body"),
            account=account,
            principal_id=_principal(rid, document),
            endpoint=project_endpoint(self.urls(), rid.name),
            is_reachable=self._is_reachable(account),
        )


def _principal(rid: ResourceId, document: Document) -> str:
    return identity_of(rid.id, cast("int", document.get("incarnation", 0)))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
