"""Log Analytics workspaces and Application Insights. All [modelled]: they receive no telemetry."""

from __future__ import annotations

import re
import uuid

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.documents import Json, section, text, with_defaults
from foundry_emulator.arm.errors import ArmError
from foundry_emulator.arm.resource_id import ResourceId
from foundry_emulator.arm.resource_type import NAMESPACE, Made, ResourceType, require
from foundry_emulator.identity import TENANT
from foundry_emulator.store import Document

_RETENTION_DAYS = range(30, 731)


def check_workspace_is_there(body: Json, documents: dict[str, Document]) -> None:
    """Refuse a component whose workspace is missing."""
    requested = text(section(body, "properties"), "WorkspaceResourceId")
    if requested and requested.lower() not in documents:
        raise ArmError(
            400,
            "BadRequest",
            f"Workspace '{requested}' was not found. Component requests must reference an existing workspace.",
        )


def _check_workspace(_id: ResourceId, body: Json) -> None:
    days = section(body, "properties").get("retentionInDays")
    if days is not None and days not in _RETENTION_DAYS:
        raise ArmError(400, "InvalidParameter", f"'retentionInDays' must be 30 to 730 days, not {days}.")


def _workspace(rid: ResourceId, body: Json, _made: Made) -> Json:
    defaults: Json = {
        "sku": {"name": "PerGB2018"},
        "retentionInDays": 30,
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
    }
    properties = with_defaults(section(body, "properties"), defaults)
    properties |= {"customerId": str(uuid.uuid5(NAMESPACE, rid.key)), "provisioningState": "Succeeded"}
    return {"properties": properties}


def _check_component(_id: ResourceId, body: Json) -> None:
    require(body, "kind")
    require(section(body, "properties"), "Application_Type", path="properties.Application_Type")


def _component(rid: ResourceId, body: Json, _made: Made) -> Json:
    key = str(uuid.uuid5(NAMESPACE, f"{rid.key}#instrumentation"))
    application = str(uuid.uuid5(NAMESPACE, f"{rid.key}#application"))
    location = text(body, "location")
    defaults: Json = {
        "Flow_Type": "Bluefield",
        "Request_Source": "rest",
        "RetentionInDays": 90,
        "DisableIpMasking": False,
        "IngestionMode": "LogAnalytics",
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
    }
    properties = with_defaults(section(body, "properties"), defaults)
    properties |= {
        "AppId": application,
        "ApplicationId": rid.name,
        "Name": rid.name,
        "InstrumentationKey": key,
        "ConnectionString": (
            f"InstrumentationKey={key};IngestionEndpoint=https://{location}-0.in.applicationinsights.invalid/;"
            f"ApplicationId={application}"
        ),
        "TenantId": TENANT,
        "provisioningState": "Succeeded",
    }
    return {"properties": properties}


ROWS = (
    ResourceType(
        ids.WORKSPACE,
        re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]"),
        _check_workspace,
        _workspace,
        tracked=True,
    ),
    ResourceType(ids.INSIGHTS, re.compile(r"[\w().-]{0,259}[\w()-]"), _check_component, _component, tracked=True),
)
"""The catalog's rows for telemetry."""
