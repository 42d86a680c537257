"""Where Azure Resource Manager is: the public cloud, or the cloud that ARM_METADATA_HOSTNAME names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import requests

from foundry_agents.lifecycle.failure.service_errors import UnreachableError
from foundry_agents.lifecycle.inputs.image_reference import is_host

METADATA_HOSTNAME = "ARM_METADATA_HOSTNAME"
"""Host that describes a cloud; the variable that the field's other tools read for sovereign and private clouds."""

_METADATA_VERSION = "2022-09-01"
_TIMEOUT_S = 10


@dataclass(frozen=True)
class ResourceManager:
    """A cloud's Resource Manager.

    Attributes:
        url: Base URL, without a slash at the end.
        scope: The scope of its tokens.
        registries: Suffix of the hosts of the cloud's registries; only these hosts receive a token of Azure.
    """

    url: str
    scope: str
    registries: str = "azurecr.io"

    def has_registry(self, host: str) -> bool:
        """Return whether a registry's host is one of this cloud's: a host alone, with no character of a URL in it."""
        name = host.lower()
        return is_host(host) and (name == self.registries or name.endswith(f".{self.registries}"))


PUBLIC = ResourceManager("https://management.azure.com", "https://management.azure.com/.default")


def resource_manager(environ: Mapping[str, str] = os.environ) -> ResourceManager:
    """Return the Resource Manager of this process's cloud.

    Raises:
        UnreachableError: The host in ARM_METADATA_HOSTNAME does not describe a cloud.
    """
    host = environ.get(METADATA_HOSTNAME, "").strip()
    return described_by(host) if host else PUBLIC


@lru_cache(maxsize=8)
def described_by(host: str) -> ResourceManager:
    """Return the cloud that the metadata of a host describes; one request per process."""
    url = f"https://{host}/metadata/endpoints?api-version={_METADATA_VERSION}"
    try:
        answer = requests.get(url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return _first_cloud(answer.json())
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        raise UnreachableError(
            f"{METADATA_HOSTNAME}={host} does not describe a cloud: {type(error).__name__}",
            operation=f"GET {url}",
            what="Azure Resource Manager could not be located",
            do=f"correct the environment variable {METADATA_HOSTNAME}, or unset it for the public cloud",
        ) from None


def _first_cloud(clouds: Any) -> ResourceManager:
    cloud = clouds[0] if isinstance(clouds, list) else clouds
    url = str(cloud["resourceManager"]).rstrip("/")
    audience = str(cloud["authentication"]["audiences"][0]).rstrip("/")
    suffixes = cloud.get("suffixes") or {}
    registries = str(suffixes.get("acrLoginServer") or PUBLIC.registries)
    return ResourceManager(url, f"{audience}/.default", registries.lstrip(".").lower())
