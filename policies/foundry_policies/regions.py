"""Regions of agents, projects and registries."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_policies.rule import ACCOUNT, PROJECT, REGISTRY, RESOURCE_GROUP, Rule, Seen, texts

HOSTED_AGENTS = frozenset(
    {
        "australiaeast",
        "brazilsouth",
        "canadacentral",
        "canadaeast",
        "centralus",
        "eastus",
        "eastus2",
        "francecentral",
        "germanywestcentral",
        "italynorth",
        "japaneast",
        "japanwest",
        "koreacentral",
        "northcentralus",
        "norwayeast",
        "polandcentral",
        "southafricanorth",
        "southcentralus",
        "southeastasia",
        "southindia",
        "spaincentral",
        "swedencentral",
        "switzerlandnorth",
        "switzerlandwest",
        "uaenorth",
        "uksouth",
        "ukwest",
        "westcentralus",
        "westeurope",
        "westus",
        "westus2",
        "westus3",
    }
)
"""Regions with hosted agents [azd]."""


def _elsewhere(seen: Seen) -> Iterator[str]:
    location = seen.value("location")
    allowed = {_plain(region) for region in seen.config.get("regions", ())} or HOSTED_AGENTS
    if location is not None and _plain(location) not in allowed:
        yield f'location "{location}" is not one of {", ".join(sorted(allowed))}'


def _plain(region: str) -> str:
    """Return a region in its short form: `East US 2` is `eastus2`."""
    return region.replace(" ", "").lower()


ALLOWED = Rule(
    "allowed-regions",
    "Agents, their projects and their images are in an allowed region.",
    Severity.HIGH,
    "use an allowed region, or add this one to the rule's setting `regions`",
    (ACCOUNT, PROJECT, REGISTRY, RESOURCE_GROUP),
    _elsewhere,
    {"regions": texts("Allowed regions; by default those with hosted agents.")},
)
