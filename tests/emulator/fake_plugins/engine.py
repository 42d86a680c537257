"""The engine's side of the fake azure-native provider, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TypeVar

import httpx2
from pulumi.provider.experimental import provider as wire
from pulumi.provider.experimental.property_value import PropertyValue
from starlette.applications import Starlette

from foundry_emulator.arm.http import ArmHttp
from foundry_emulator.fake_plugins.arm_client import ArmClient, Settings
from foundry_emulator.fake_plugins.provider import FakeAzureNative
from foundry_emulator.fake_plugins.values import plain_map, wrapped_map
from tests.emulator.arm.azure import Azure

T = TypeVar("T")
Json = Mapping[str, object]


class Engine:
    """Calls a provider as the Pulumi engine does, one call at a time, against a local Azure in this process."""

    def __init__(self) -> None:
        self.azure = Azure()
        self.config: dict[str, object] = {}
        self.pauses: list[float] = []
        self.restart()

    def restart(self) -> None:
        settings = Settings("https://arm.test", "https://arm.test/msi/token", self.azure.identity.identity_header, None)
        app = Starlette(routes=[*ArmHttp(self.azure.arm, self.azure.identity).routes(), *self.azure.identity.routes()])
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 40000))
        clock = lambda: self.azure.now  # noqa: E731 - one expression, used here
        self.provider = FakeAzureNative(
            lambda: ArmClient(settings, clock=clock, transport=transport, pause=self._pause),
            environment={},
            pause=self._pause,
        )
        self.run(self.provider.configure(wire.ConfigureRequest({}, wrapped_map(self.config), True, False)))  # noqa: FBT003

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.azure.now += seconds

    def run(self, call: Coroutine[object, object, T]) -> T:
        return asyncio.run(call)

    def check(self, token: str, inputs: Json, old: Json | None = None, *, name: str = "res") -> wire.CheckResponse:
        request = wire.CheckRequest(urn(token, name), wrapped_map(old or {}), wrapped_map(inputs), b"seed")
        return self.run(self.provider.check(request))

    def failures(self, token: str, inputs: Json) -> dict[str, str]:
        return {f.property: f.reason for f in self.check(token, inputs).failures or []}

    def checked(
        self, token: str, inputs: Json, old: Json | None = None, *, name: str = "res"
    ) -> dict[str, PropertyValue]:
        answer = self.check(token, inputs, old, name=name)
        assert not answer.failures, {f.property: f.reason for f in answer.failures}
        assert answer.inputs is not None
        return answer.inputs

    def create(self, token: str, inputs: Mapping[str, PropertyValue], *, preview: bool = False) -> wire.CreateResponse:
        return self.run(self.provider.create(wire.CreateRequest(urn(token), dict(inputs), 0.0, preview)))

    def made(self, token: str, inputs: Json, *, name: str = "res") -> tuple[str, dict[str, object]]:
        answer = self.create(token, self.checked(token, inputs, name=name))
        assert answer.resource_id is not None
        return answer.resource_id, plain_map(answer.properties)

    def diff(self, token: str, old: Json, new: Json) -> wire.DiffResponse:
        request = wire.DiffRequest(urn(token), "id", wrapped_map(old), wrapped_map(new), [])
        return self.run(self.provider.diff(request))

    def read(self, token: str, resource_id: str, state: Json, inputs: Json) -> wire.ReadResponse:
        request = wire.ReadRequest(urn(token), resource_id, wrapped_map(state), wrapped_map(inputs))
        return self.run(self.provider.read(request))

    def update(
        self, token: str, resource_id: str, olds: Json, news: Json, *, preview: bool = False
    ) -> dict[str, object]:
        request = wire.UpdateRequest(urn(token), resource_id, wrapped_map(olds), wrapped_map(news), 0.0, [], preview)
        return plain_map(self.run(self.provider.update(request)).properties)

    def delete(self, token: str, resource_id: str) -> None:
        self.run(self.provider.delete(wire.DeleteRequest(urn(token), resource_id, {}, 0.0)))

    def invoke(self, token: str, arguments: Json) -> dict[str, object]:
        answer = self.run(self.provider.invoke(wire.InvokeRequest(token, wrapped_map(arguments))))
        return plain_map(answer.return_value or {})


def urn(token: str, name: str = "res") -> str:
    return f"urn:pulumi:dev::proj::{token}::{name}"
