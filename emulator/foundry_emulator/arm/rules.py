"""Requests that Azure refuses because of other resources: conflicts, and conditions on the parent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.networking import check_dns_zone_group, check_private_endpoint, check_subnet_is_free
from foundry_emulator.arm.resource_id import ResourceId, is_below, parse
from foundry_emulator.arm.roles import ROLE_NAMES, role_guid
from foundry_emulator.arm.telemetry import check_workspace_is_there
from foundry_emulator.store import Document

Documents = Iterable[tuple[str, Document]]


def check_against_others(
    rid: ResourceId, body: Json, documents: Documents, *, is_busy: Callable[[Document], bool] = lambda _: False
) -> None:
    """Refuse a resource that conflicts with existing ones.

    Args:
        rid: Its id.
        body: The request for it.
        documents: All existing resources.
        is_busy: Returns whether a resource is still being created.

    Raises:
        ArmError: With Azure's code for the conflict.
    """
    everything = dict(documents)
    others = {key: document for key, document in everything.items() if key != rid.key}
    match rid.type:
        case ids.ACCOUNT:
            _check_subdomain(rid, body, others)
            _check_network_of_agents(rid, body, everything)
        case ids.PROJECT:
            _check_project(rid, others)
        case ids.REGISTRY:
            _check_registry_name(rid, others)
        case ids.ROLE_ASSIGNMENT:
            _check_role_assignment(rid, body, everything.items())
        case ids.DEPLOYMENT:
            _check_deployment(rid, everything.items(), is_busy)
        case ids.ACCOUNT_CAPABILITY_HOST | ids.PROJECT_CAPABILITY_HOST:
            _check_capability_host(rid, body, everything)
        case ids.PRIVATE_ENDPOINT:
            check_private_endpoint(body, everything)
        case ids.DNS_ZONE_GROUP:
            check_dns_zone_group(body, everything)
        case ids.INSIGHTS:
            check_workspace_is_there(body, everything)


def check_can_go(rid: ResourceId, documents: Documents) -> None:
    """Refuse to delete what others need: an account with projects or deployments, a subnet with an endpoint.

    Raises:
        ArmError: With Azure's code [docs].
    """
    everything = dict(documents)
    if rid.type == ids.ACCOUNT:
        for other, _ in _of_type(everything.items(), ids.PROJECT, ids.DEPLOYMENT):
            if is_below(other.key, rid.id):
                raise ArmError(
                    409,
                    "CannotDeleteResource",
                    f"Can not delete resource before nested resources are deleted. Resource '{rid.id}' has "
                    f"'{other.type}/{other.name}'.",
                )
    if rid.type in {ids.SUBNET, ids.VIRTUAL_NETWORK}:
        check_subnet_is_free(rid, everything)


def _check_subdomain(rid: ResourceId, body: Json, others: dict[str, Document]) -> None:
    requested = text(section(body, "properties"), "customSubDomainName").lower()
    for other, their_body in _of_type(others.items(), ids.ACCOUNT):
        theirs = text(section(their_body, "properties"), "customSubDomainName").lower()
        if requested and requested == theirs:
            raise ArmError(
                409,
                "CustomDomainInUse",
                f"Please pick a different name. The subdomain name '{requested}' is not available for '{rid.name}' "
                f"as it's already used by '{other.name}'.",
            )


def _check_network_of_agents(rid: ResourceId, body: Json, everything: dict[str, Document]) -> None:
    """Refuse a change of the agents' network, which is set when an account is created [docs]; text [modelled]."""
    old = everything.get(rid.key)
    if old is None:
        return
    before = section(section(old, "body"), "properties").get("networkInjections") or []
    if (section(body, "properties").get("networkInjections") or []) != before:
        raise ArmError(
            400, "BadRequest", f"The network injections of account '{rid.name}' can't be changed after its creation."
        )


def _check_project(rid: ResourceId, others: dict[str, Document]) -> None:
    account = section(others.get(rid.scope.lower(), {}), "body")
    if text(account, "kind") != "AIServices":
        raise ArmError(
            400,
            "InvalidAccountKind",
            f"Projects are supported by accounts of kind 'AIServices'; '{parse(rid.scope).name}' is of kind "
            f"'{text(account, 'kind')}'.",
        )
    if section(account, "properties").get("allowProjectManagement") is not True:
        raise ArmError(
            400,
            "ProjectManagementNotAllowed",
            f"Account '{parse(rid.scope).name}' does not allow projects. Set properties.allowProjectManagement "
            "to true on the account.",
        )
    for other, _ in _of_type(others.items(), ids.PROJECT):
        if other.name.lower() == rid.name.lower():
            # A limit of this emulator, not of Azure: there the account's host name distinguishes the projects.
            raise ArmError(
                409,
                "ProjectNameInUse",
                f"Project '{rid.name}' already exists in account '{parse(other.scope).name}'. The local Azure "
                "addresses projects by name alone, so a name can be used once; Azure itself would allow this.",
            )


def _check_registry_name(rid: ResourceId, others: dict[str, Document]) -> None:
    for other, _ in _of_type(others.items(), ids.REGISTRY):
        if other.name.lower() == rid.name.lower():
            raise ArmError(
                409,
                "AlreadyInUse",
                f"The registry DNS name {rid.name.lower()}.azurecr.io is already in use. You can check if the "
                "name is already claimed using following API: "
                "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability",
            )


def _check_role_assignment(rid: ResourceId, body: Json, documents: Documents) -> None:
    requested = _role_and_principal(body)
    if requested[0] not in ROLE_NAMES:
        raise ArmError(
            400,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{requested[0]}' does not exist. The local Azure knows the "
            "built-in roles that hosted agents need, and no custom ones.",
        )
    for other, their_body in _of_type(documents, ids.ROLE_ASSIGNMENT):
        same_scope = other.scope.lower() == rid.scope.lower()
        same_name = other.name.lower() == rid.name.lower()
        theirs = _role_and_principal(their_body)
        if same_name and (not same_scope or theirs != requested):
            raise ArmError(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        if same_scope and not same_name and theirs == requested:
            raise ArmError(
                409,
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the conflicting role assignment is {other.name}.",
            )


def _check_deployment(rid: ResourceId, documents: Documents, is_busy: Callable[[Document], bool]) -> None:
    for key, document in documents:
        other = parse(key)
        if other.type == ids.DEPLOYMENT and other.scope.lower() == rid.scope.lower() and is_busy(document):
            raise ArmError(
                409,
                "RequestConflict",
                f"Another operation is being performed on the parent resource '{rid.scope}'. Please try again later.",
            )


def _check_capability_host(rid: ResourceId, body: Json, everything: dict[str, Document]) -> None:
    """Refuse a second host of an account or project, one before the account's, and any change [docs]."""
    old = everything.get(rid.key)
    if old is not None and section(old, "body") != body:
        raise ArmError(
            400, "UserError", f"Update of capabilityHost '{rid.name}' is not supported. Delete it and make it again."
        )
    for other, _ in _of_type(everything.items(), rid.type):
        if other.scope.lower() == rid.scope.lower() and other.key != rid.key:
            raise ArmError(
                409, "Conflict", f"There is an existing Capability Host '{other.name}' for '{parse(rid.scope).name}'."
            )
    if rid.type == ids.ACCOUNT_CAPABILITY_HOST:
        return
    account = parse(rid.scope).scope
    hosts = [host for host, _ in _of_type(everything.items(), ids.ACCOUNT_CAPABILITY_HOST)]
    if not any(host.scope.lower() == account.lower() for host in hosts):
        raise ArmError(400, "UserError", f"Account '{parse(account).name}' has no capability host: make one first.")
    there = {c.name.lower() for c, _ in _of_type(everything.items(), ids.CONNECTION) if c.scope == rid.scope}
    for kind, names in section(body, "properties").items():
        for name in names if isinstance(names, list) else []:
            if str(name).lower() not in there:
                raise ArmError(400, "UserError", f"{kind}: the project has no connection '{name}'.")


def _role_and_principal(body: Json) -> tuple[str, str]:
    properties = section(body, "properties")
    return role_guid(text(properties, "roleDefinitionId")), text(properties, "principalId").lower()


def _of_type(documents: Documents, *kinds: str) -> Iterable[tuple[ResourceId, Json]]:
    for _, document in documents:
        rid = parse(text(document, "id"))
        if rid.type in kinds:
            yield rid, section(document, "body")
