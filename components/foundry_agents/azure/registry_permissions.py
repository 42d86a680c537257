"""RegistryAccess on Resource Manager: what a registry lets a principal do. Reads only, asked once a pull has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest

from foundry_agents.azure.arm import ResourceManager
from foundry_agents.azure.errors import translated
from foundry_agents.lifecycle.failure.service_errors import ResponseLostError
from foundry_agents.lifecycle.views import PullAccess

REGISTRY_VERSION = "2025-11-01"
ASSIGNMENTS_VERSION = "2022-04-01"
TRIES = 2
"""Besides the first: the failure is known already, and only its explanation is missing."""

_ABAC = "abacrepositorypermissions"


class ArmRegistryAccess:
    """Registries and role assignments in Resource Manager.

    Args:
        cloud: Says where it is; asked when it is first needed.
        credential: Signs in; needs to read the registry and its role assignments, as Reader may.
        transport: Carries the requests.
    """

    def __init__(
        self, cloud: Callable[[], ResourceManager], credential: TokenCredential, transport: HttpTransport[Any, Any]
    ) -> None:
        self._where = cloud
        self._credential = credential
        self._transport = transport

    def pull_access(self, registry_id: str, principal_id: str) -> PullAccess:
        """GET {registry}, and GET {registry}/providers/Microsoft.Authorization/roleAssignments."""
        try:
            return self._read(registry_id, principal_id)
        except (AttributeError, TypeError, ValueError) as odd:
            # An unexpected response must not replace the failure that it should explain.
            raise ResponseLostError(
                f"the response has another format than expected ({type(odd).__name__})", operation=f"GET {registry_id}"
            ) from None

    def _read(self, registry_id: str, principal_id: str) -> PullAccess:
        properties = self._get(registry_id, {"api-version": REGISTRY_VERSION}).get("properties") or {}
        policies = properties.get("policies") or {}
        arm_tokens = (policies.get("azureADAuthenticationAsArmPolicy") or {}).get("status") or "enabled"
        held = dict[str, bool]()
        for assignment in self._assignments(registry_id, principal_id):
            role = str(assignment.get("roleDefinitionId", "")).rpartition("/")[2].lower()
            # Of two assignments the one without a condition counts.
            held[role] = held.get(role, True) and bool(assignment.get("condition"))
        return PullAccess(
            registry_id,
            roles=frozenset(held),
            conditional=frozenset(role for role, conditional in held.items() if conditional),
            takes_arm_tokens=str(arm_tokens).lower() != "disabled",
            repository_permissions=str(properties.get("roleAssignmentMode", "")).lower() == _ABAC,
        )

    def _assignments(self, registry_id: str, principal_id: str) -> Iterator[Mapping[str, Any]]:
        """Yield the assignments at the registry and above it; the list also has those below [docs]."""
        path = f"{registry_id}/providers/Microsoft.Authorization/roleAssignments"
        query = {"api-version": ASSIGNMENTS_VERSION, "$filter": f"assignedTo('{principal_id}')"}
        page = self._get(path, query)
        while True:
            for assignment in page.get("value", ()):
                properties = assignment.get("properties") or {}
                if _is_at_or_above(str(properties.get("scope", "")), registry_id):
                    yield properties
            if not page.get("nextLink"):
                return
            page = self._get(page["nextLink"], {})

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        base = self._cloud.url
        url = path if path.startswith(f"{base}/") else f"{base}{path}"
        with translated(f"GET {url.partition('?')[0]}"):
            answer = self._client.send_request(HttpRequest("GET", url, params=dict(query)))
            answer.raise_for_status()
            return dict(answer.json())

    @cached_property
    def _cloud(self) -> ResourceManager:
        return self._where()

    @cached_property
    def _client(self) -> PipelineClient[Any, Any]:
        signing = BearerTokenCredentialPolicy(self._credential, self._cloud.scope)
        return PipelineClient(
            self._cloud.url, policies=[RetryPolicy(retry_total=TRIES), signing], transport=self._transport
        )


def _is_at_or_above(scope: str, resource_id: str) -> bool:
    upper = scope.rstrip("/").lower()
    return f"{resource_id.lower()}/".startswith(f"{upper}/")
