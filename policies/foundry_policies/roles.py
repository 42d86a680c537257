"""Role assignments: the least privilege, on the narrowest scope."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_policies.rule import ROLE_ASSIGNMENT, Rule, Seen, texts

REFUSED = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""Built-in roles that can do everything, or can assign every role."""

_WIDE = re.compile(r"/|/subscriptions/[^/]+|/providers/Microsoft\.Management/managementGroups/[^/]+", re.IGNORECASE)


def _too_much(seen: Seen) -> Iterator[str]:
    role = str(seen.value("roleDefinitionId") or "").rpartition("/")[2].lower()
    refused = REFUSED | {guid.lower(): guid for guid in seen.config.get("refused", ())}
    if role in refused:
        yield f"it assigns the role {refused[role]}"


def _too_wide(seen: Seen) -> Iterator[str]:
    scope = seen.value("scope")
    if scope is not None and _WIDE.fullmatch(str(scope).rstrip("/") or "/"):
        yield f"its scope is all of {scope}"


LEAST_PRIVILEGE = Rule(
    "least-privilege-roles",
    "No role is assigned that can do everything.",
    Severity.HIGH,
    "assign the least role: AcrPull to pull, Foundry Agent Consumer to call, Foundry User to deploy",
    (ROLE_ASSIGNMENT,),
    _too_much,
    {"refused": texts("GUIDs of more roles that are refused.")},
)

BELOW_THE_SUBSCRIPTION = Rule(
    "roles-below-the-subscription",
    "A role is assigned on one resource or resource group, not on a subscription or above.",
    Severity.HIGH,
    "assign it on the registry, the project or the resource group that needs it",
    (ROLE_ASSIGNMENT,),
    _too_wide,
)
