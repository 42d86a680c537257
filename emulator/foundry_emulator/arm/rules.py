"""What Azure refuses because of other resources: clashes and conditions on the parent."""

from collections.abc import Iterable

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId, parse
from foundry_emulator.arm.roles import ROLE_NAMES, role_guid
from foundry_emulator.store import Document

Documents = Iterable[tuple[str, Document]]


def check_against_others(rid: ResourceId, body: Json, documents: Documents) -> None:
    """Refuses a resource that can't be beside those that are there.

    Raises:
        ArmError: with Azure's code for the clash.
    """
    everything = dict(documents)
    others = {key: document for key, document in everything.items() if key != rid.key}
    match rid.type:
        case ids.ACCOUNT:
            _check_subdomain(rid, body, others)
        case ids.PROJECT:
            _check_project(rid, others)
        case ids.REGISTRY:
            _check_registry_name(rid, others)
        case ids.ROLE_ASSIGNMENT:
            _check_role_assignment(rid, body, everything.items())


def _check_subdomain(rid: ResourceId, body: Json, others: dict[str, Document]) -> None:
    wanted = text(section(body, "properties"), "customSubDomainName").lower()
    for other, their_body in _of_type(others.items(), ids.ACCOUNT):
        theirs = text(section(their_body, "properties"), "customSubDomainName").lower()
        if wanted and wanted == theirs:
            raise ArmError(
                409,
                "CustomDomainInUse",
                f"Please pick a different name. The subdomain name '{wanted}' is not available for '{rid.name}' "
                f"as it's already used by '{other.name}'.",
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
            # A limit of this emulator, not of Azure: there the account's host name tells the projects apart.
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
    wanted = _who_and_what(body)
    if wanted[0] not in ROLE_NAMES:
        raise ArmError(
            400,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{wanted[0]}' does not exist. The local Azure knows the "
            "built-in roles that hosted agents need, and no custom ones.",
        )
    for other, their_body in _of_type(documents, ids.ROLE_ASSIGNMENT):
        same_scope = other.scope.lower() == rid.scope.lower()
        same_name = other.name.lower() == rid.name.lower()
        theirs = _who_and_what(their_body)
        if same_name and (not same_scope or theirs != wanted):
            raise ArmError(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        if same_scope and not same_name and theirs == wanted:
            raise ArmError(
                409,
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the conflicting role assignment is {other.name}.",
            )


def _who_and_what(body: Json) -> tuple[str, str]:
    properties = section(body, "properties")
    return role_guid(text(properties, "roleDefinitionId")), text(properties, "principalId").lower()


def _of_type(documents: Documents, kind: str) -> Iterable[tuple[ResourceId, Json]]:
    for _, document in documents:
        rid = parse(text(document, "id"))
        if rid.type == kind:
            yield rid, section(document, "body")
