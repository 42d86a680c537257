"""A registry that accepts no calls from a network: no role and no login changes that."""

from __future__ import annotations

import re

from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError

_FORBIDDEN = 403
_NETWORK = re.compile(r"is not allowed access|acr/firewall|public network|private endpoint|firewall", re.IGNORECASE)
"""In the text of a registry that accepts no calls from this network [docs]."""


def network_refusal(
    registry: str, operation: str, status: int, said: str, *, state: str = "no version was posted"
) -> RegistryAccessError | None:
    """Return the error for a registry that accepts no calls from this network, which no role changes, or None."""
    if status != _FORBIDDEN or not _NETWORK.search(said):
        return None
    return RegistryAccessError(
        registry,
        operation=operation,
        detail=" ".join(said.split())[:500],
        status=status,
        state=state,
        do="this is the registry's firewall, which no role opens: run Pulumi where its private endpoint can be "
        "reached, such as a runner in its virtual network, or allow this machine's address in its networking settings",
    )
