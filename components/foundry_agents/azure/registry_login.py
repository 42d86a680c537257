"""A short-lived login to an Azure registry, in exchange for an Azure token."""

from __future__ import annotations

import re

import requests

from foundry_agents.azure.arm import resource_manager
from foundry_agents.azure.clients import credential
from foundry_agents.azure.errors import translated
from foundry_agents.docker.credentials import TOKEN_USER, Login
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError
from foundry_agents.lifecycle.failure.service_errors import SignInError

_TIMEOUT_S = 30
_FORBIDDEN = 403
_NETWORK = re.compile(r"is not allowed access|acr/firewall|public network|private endpoint|firewall", re.IGNORECASE)
"""In the text of a registry that accepts no calls from this network [docs]."""


def exchanged_login(registry: str, base_url: str, *, timeout_s: float = _TIMEOUT_S) -> Login:
    """Exchange the Azure token of this process for a token of an Azure registry, which is valid for three hours [docs].

    Args:
        registry: Host of the registry.
        base_url: Where it answers.
        timeout_s: How long to wait for the registry.

    Raises:
        SignInError: No token for Azure, or the registry does not take it.
        RegistryAccessError: The registry accepts no calls from this network.
    """
    endpoint = f"{base_url}/oauth2/exchange"
    with translated(f"POST {endpoint}"):
        access = credential().get_token(resource_manager().scope).token
    form = {"grant_type": "access_token", "service": registry, "access_token": access}
    try:
        answer = requests.post(endpoint, data=form, timeout=timeout_s, allow_redirects=False)
        denied = network_refusal(registry, f"POST {endpoint}", answer.status_code, answer.text)
        if denied:
            raise denied
        answer.raise_for_status()
        return Login(TOKEN_USER, str(answer.json()["refresh_token"]))
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        said = f"HTTP {status}" if status else type(error).__name__
        raise SignInError(f"the registry did not exchange Azure's token: {said}", endpoint=endpoint) from None


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
