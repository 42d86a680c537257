"""The fake ``pulumi-resource-docker``: it knows one call, the digest behind a tag, and asks the local registry.

Pulumi downloads the real plugin; offline it is not available and can't be built from its module.
"""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Mapping
from importlib.metadata import version

import httpx2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    ConfigureRequest,
    ConfigureResponse,
    InvokeRequest,
    InvokeResponse,
    Provider,
)

from foundry_emulator.fake_plugins.arm_client import PluginError, Settings
from foundry_emulator.fake_plugins.server import serve
from foundry_emulator.media_types import INDEXES, MANIFESTS

_GET_IMAGE = "docker:index/getRegistryImage:getRegistryImage"
_NAME = re.compile(r"(?P<host>localhost:\d+)/(?P<path>.+):(?P<tag>[^/:]+)")
_TIMEOUT_S = 30


class FakeDocker(Provider):
    """The Docker provider, limited to ``get_registry_image`` of an image in the local registry.

    Args:
        environment: The variables that name the local Azure.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        """Refuse to start outside a local run."""
        del request
        Settings.of(self._environment)
        return ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        """Return the digest of a tag."""
        if request.tok != _GET_IMAGE:
            raise PluginError(f"the fake Docker provider supports only {_GET_IMAGE}, not {request.tok}")
        name = str(request.args["name"].value)
        found = _NAME.fullmatch(name)
        if found is None:
            raise PluginError(f"the fake Docker provider reads only the local registry, not {name}")
        digest = await self._digest(**found.groupdict())
        if digest is None:
            raise PluginError(f"Got bad response from registry: 404 Not Found for {name}")
        return InvokeResponse(
            {"id": PropertyValue(digest), "name": PropertyValue(name), "sha256Digest": PropertyValue(digest)}
        )

    async def _digest(self, host: str, path: str, tag: str) -> str | None:
        context = ssl.create_default_context(cafile=Settings.of(self._environment).ca_bundle)
        url = f"https://{host}/v2/{path}/manifests/{tag}"
        accept = {"Accept": ", ".join(sorted(INDEXES | MANIFESTS))}
        try:
            async with httpx2.AsyncClient(verify=context, trust_env=False, timeout=_TIMEOUT_S) as client:
                answer = await client.head(url, headers=accept)
        except httpx2.HTTPError as error:
            raise PluginError(f"The local registry did not answer HEAD {url}: {error}") from None
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise PluginError(f"The local registry answered HEAD {url} with {answer.status_code}")
        return answer.headers["docker-content-digest"]


def run() -> None:
    """Serve the plugin to the Pulumi engine that started this process, until the engine ends it."""
    serve(sys.argv[1:], version("pulumi-docker"), FakeDocker())
