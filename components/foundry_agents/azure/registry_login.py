"""A short-lived login to an Azure registry, in exchange for an Azure token."""

from __future__ import annotations

import requests

from foundry_agents.azure.arm import resource_manager
from foundry_agents.azure.errors import translated
from foundry_agents.azure.registry_network import network_refusal
from foundry_agents.azure.sign_in import credential
from foundry_agents.docker.credentials import TOKEN_USER, Login
from foundry_agents.lifecycle.failure.service_errors import SignInError

_TIMEOUT_S = 30


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
