"""A client of the local Azure's Resource Manager, used as the real provider does: managed identity, bearer, TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx2

from foundry_emulator.fake_plugins.values import Plain

_AUDIENCE = "https://management.azure.com"
_SPARE_S = 300  # a token is renewed this long before it expires
_TIMEOUT_S = 60.0
_RETRIES = 3
_RETRY_PAUSE_S = 0.2  # azure-native waits 20, 60 and 120 s
_WORTH_A_RETRY = {(409, "AnotherOperationInProgress"), (409, "TransientError")}
"""Refusals after which azure-native repeats the request, by status and code: pulumi-azure-native#903, #4693. No 412."""
_NEEDED = ("FOUNDRY_EMULATOR_ARM_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")


class PluginError(Exception):
    """An error text for the person who runs Pulumi."""


class ArmRefusalError(PluginError):
    """Resource Manager refused a request.

    Attributes:
        status: HTTP status.
        code: Azure's error code; "" where there was none.
    """

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Settings:
    """The addresses of the local Azure."""

    arm_endpoint: str
    identity_endpoint: str
    identity_header: str
    ca_bundle: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings in an environment.

        Raises:
            PluginError: Variables are missing, so this is not a local run.
        """
        missing = [name for name in _NEEDED if not environment.get(name)]
        if missing:
            raise PluginError(
                "This is the local Azure's fake of a provider plugin, for local runs only: it works on the "
                f"local Azure, and {' and '.join(missing)} is not set. For a local run take the variables from "
                "`foundry-emulator env`; for the real Azure remove the folder of this plugin from PATH."
            )
        return cls(
            arm_endpoint=environment["FOUNDRY_EMULATOR_ARM_ENDPOINT"].rstrip("/"),
            identity_endpoint=environment["IDENTITY_ENDPOINT"],
            identity_header=environment["IDENTITY_HEADER"],
            ca_bundle=environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE"),
        )


class ArmClient:
    """Sends requests to Resource Manager.

    Args:
        settings: The addresses.
        clock: Unix seconds, for the token's expiry.
        transport: The transport for tests; by default the network.
        pause: Waits some seconds before a refused request is repeated.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
        transport: httpx2.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = pause
        self._settings = settings
        self._clock = clock
        # No proxy: the local Azure is on this machine.
        context = ssl.create_default_context(cafile=settings.ca_bundle)
        self._http = httpx2.AsyncClient(verify=context, trust_env=False, timeout=_TIMEOUT_S, transport=transport)
        self._token = ""
        self._token_ends = 0.0

    @classmethod
    def from_environment(cls) -> ArmClient:
        """Return a client for the local Azure that the environment names."""
        return cls(Settings.of(os.environ))

    async def get(self, resource_id: str, api_version: str) -> dict[str, Plain] | None:
        """Return a resource; None when it definitely does not exist."""
        try:
            return await self._send("GET", resource_id, api_version)
        except ArmRefusalError as refusal:
            if refusal.status == httpx2.codes.NOT_FOUND:
                return None
            raise

    async def put(self, resource_id: str, api_version: str, body: Mapping[str, Plain]) -> dict[str, Plain]:
        """Create or replace a resource."""
        return await self._send("PUT", resource_id, api_version, body)

    async def delete(self, resource_id: str, api_version: str) -> None:
        """Delete a resource; a missing one counts as deleted."""
        try:
            await self._send("DELETE", resource_id, api_version)
        except ArmRefusalError as refusal:
            if refusal.status != httpx2.codes.NOT_FOUND:
                raise

    async def claims(self) -> dict[str, Plain]:
        """Return the claims of the caller's token."""
        payload = (await self._bearer()).split(".")[1]
        found: dict[str, Plain] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return found

    async def _send(
        self, method: str, path: str, api_version: str, body: Mapping[str, Plain] | None = None
    ) -> dict[str, Plain]:
        for _ in range(_RETRIES):
            try:
                return await self._send_once(method, path, api_version, body)
            except ArmRefusalError as refusal:
                if (refusal.status, refusal.code) not in _WORTH_A_RETRY:
                    raise
            await self._pause(_RETRY_PAUSE_S)
        return await self._send_once(method, path, api_version, body)

    async def _send_once(
        self, method: str, path: str, api_version: str, body: Mapping[str, Plain] | None
    ) -> dict[str, Plain]:
        url = self._settings.arm_endpoint + path
        headers = {"Authorization": f"Bearer {await self._bearer()}"}
        try:
            answer = await self._http.request(
                method, url, params={"api-version": api_version}, headers=headers, json=body
            )
        except httpx2.HTTPError as error:
            raise PluginError(
                f"The local Azure did not answer {method} {url}: {error}. Is it running? See `foundry-emulator status`."
            ) from None
        if answer.is_error:
            raise _refusal(answer, path)
        found = answer.json() if answer.content else {}
        return found if isinstance(found, dict) else {}

    async def _bearer(self) -> str:
        if self._token and self._clock() < self._token_ends - _SPARE_S:
            return self._token
        where = self._settings.identity_endpoint
        try:
            answer = await self._http.get(
                where,
                params={"api-version": "2019-08-01", "resource": _AUDIENCE},
                headers={"X-IDENTITY-HEADER": self._settings.identity_header},
            )
            answer.raise_for_status()
            body = answer.json()
            self._token, self._token_ends = str(body["access_token"]), float(body["expires_on"])
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            raise PluginError(f"The managed identity endpoint {where} returned no token: {error}") from None
        return self._token


def _refusal(answer: httpx2.Response, path: str) -> ArmRefusalError:
    try:
        error = answer.json()["error"]
        code, text = str(error["code"]), f'Code="{error["code"]}" Message="{error["message"]}"'
    except (ValueError, KeyError, TypeError):
        code, text = "", f'Message="{answer.text[:500]}"'
    return ArmRefusalError(
        answer.status_code, code, f"{answer.request.method} {path}: Status={answer.status_code} {text}"
    )
