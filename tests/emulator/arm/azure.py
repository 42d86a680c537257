"""A local Resource Manager for tests: no server, and its own clock."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.testclient import TestClient

from foundry_emulator.arm import ArmStore, Urls
from foundry_emulator.arm.http import ArmHttp
from foundry_emulator.identity import ARM_AUDIENCE, DEPLOYER, Identity
from foundry_emulator.store import Store

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/acct"
PROJECT = f"{ACCOUNT}/projects/demo"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acmereg"


@dataclass
class Azure:
    """An ARM store behind HTTP, with a clock that tests move."""

    now: float = 1_800_000_000.0
    role_delay_s: float = 0.0
    deployment_s: float = 0.0
    account_retention_s: float = 0.0
    parent_busy: int = 0
    urls: Urls = field(default_factory=lambda: Urls(data_plane="https://localhost:8443", registry="localhost:5000"))
    store: Store = field(default_factory=lambda: Store(None))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.arm = ArmStore(
            self.store,
            urls=lambda: self.urls,
            clock=lambda: self.now,
            role_delay_s=self.role_delay_s,
            deployment_s=lambda: self.deployment_s,
            account_retention_s=lambda: self.account_retention_s,
            parent_busy=lambda: self.parent_busy,
        )
        self.identity = Identity(self.store, clock=lambda: self.now)
        app = Starlette(routes=[*ArmHttp(self.arm, self.identity).routes(), *self.identity.routes()])
        self.client = TestClient(app, client=("127.0.0.1", 50000))

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        principal: str = DEPLOYER,
        api_version: str = "2025-06-01",
        **query: str,
    ) -> tuple[int, dict[str, object]]:
        answer = self.client.request(
            method,
            path,
            params={"api-version": api_version, **query},
            json=body,
            headers={"Authorization": f"Bearer {self.identity.token(principal, ARM_AUDIENCE)}"},
        )
        return answer.status_code, (answer.json() if answer.content else {})

    def put(self, path: str, body: object, *, principal: str = DEPLOYER) -> dict[str, object]:
        status, answer = self.send("PUT", path, body, principal=principal)
        assert status in (200, 201), answer
        return answer

    def code(self, method: str, path: str, body: object = None, *, principal: str = DEPLOYER) -> tuple[int, str]:
        status, answer = self.send(method, path, body, principal=principal)
        error = answer["error"]
        assert isinstance(error, dict)
        return status, str(error["code"])

    def group(self) -> None:
        self.put(GROUP, {"location": "East US 2"})

    def account(self, **properties: object) -> dict[str, object]:
        self.group()
        return self.put(
            ACCOUNT,
            {
                "location": "eastus2",
                "kind": "AIServices",
                "sku": {"name": "S0"},
                "identity": {"type": "SystemAssigned"},
                "properties": {"allowProjectManagement": True, "customSubDomainName": "acct", **properties},
            },
        )

    def project(self) -> dict[str, object]:
        self.account()
        return self.put(PROJECT, {"location": "eastus2", "identity": {"type": "SystemAssigned"}, "properties": {}})

    def registry(self, **properties: object) -> dict[str, object]:
        self.group()
        return self.put(REGISTRY, {"location": "eastus2", "sku": {"name": "Basic"}, "properties": dict(properties)})

    def grant(self, scope: str, role: str, principal_id: str) -> str:
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        self.put(path, grant_body(role, principal_id))
        return path


def grant_body(role: str, principal_id: str) -> dict[str, object]:
    return {
        "properties": {
            "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal_id,
            "principalType": "ServicePrincipal",
        }
    }
