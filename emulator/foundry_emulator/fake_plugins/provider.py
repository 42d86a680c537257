"""The fake azure-native provider: check, diff, create, read, update, delete of Azure resources in the local Azure.

It behaves as pulumi-azure-native 3 as far as a program can notice [modelled after its behaviour]: default names and
regions, what replaces and what updates, an unknown in preview for whatever Azure computes, no adoption of an
existing resource.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    CheckFailure,
    CheckRequest,
    CheckResponse,
    ConfigureRequest,
    ConfigureResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    InvokeRequest,
    InvokeResponse,
    PropertyDiff,
    PropertyDiffKind,
    Provider,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
)

from foundry_emulator.fake_plugins import sdk
from foundry_emulator.fake_plugins.arm_client import ArmClient, PluginError
from foundry_emulator.fake_plugins.catalog import MODELLED, AutoName, Modelled
from foundry_emulator.fake_plugins.changes import Change, changes, top_level, with_drift
from foundry_emulator.fake_plugins.inputs_check import check_object
from foundry_emulator.fake_plugins.naming import auto_name
from foundry_emulator.fake_plugins.outputs import outputs, preview_outputs
from foundry_emulator.fake_plugins.sdk import SdkResource
from foundry_emulator.fake_plugins.values import (
    UNKNOWN,
    Plain,
    Properties,
    all_as_secret_as,
    plain_map,
    wrapped,
    wrapped_map,
)

_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"  # the local Azure's one subscription
_POLL_INTERVAL_S = 0.2
_AUTO_NAMED = "__createBeforeDelete"  # azure-native's own key: the name is random, so a replacement can come first
_GET_CLIENT_CONFIG = "azure-native:authorization:getClientConfig"
_KINDS = {
    (Change.ADDED, False): PropertyDiffKind.ADD,
    (Change.ADDED, True): PropertyDiffKind.ADD_REPLACE,
    (Change.REMOVED, False): PropertyDiffKind.DELETE,
    (Change.REMOVED, True): PropertyDiffKind.DELETE_REPLACE,
    (Change.UPDATED, False): PropertyDiffKind.UPDATE,
    (Change.UPDATED, True): PropertyDiffKind.UPDATE_REPLACE,
}


class FakeAzureNative(Provider):
    """azure-native for the local Azure.

    Args:
        client: Creates the client of Resource Manager when the engine configures the provider.
        environment: The variables; they may name the subscription.
        pause: Waits some seconds between two reads of a resource that is being created.
    """

    def __init__(
        self,
        client: Callable[[], ArmClient] = ArmClient.from_environment,
        environment: Mapping[str, str] = os.environ,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = pause
        self._make_client = client
        self._client: ArmClient | None = None
        self._environment = environment
        self._config: dict[str, Plain] = {}

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        """Store the provider's configuration; refuse to start outside a local run."""
        self._config = plain_map(request.args)
        self._client = self._make_client()
        return ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Add names and regions, and report everything that the SDK or the local Azure does not know."""
        found = _look_up(request.type)
        if isinstance(found, str):
            return CheckResponse(failures=[CheckFailure("", found)])
        modelled, resource = found
        inputs = {key: value for key, value in request.new_inputs.items() if value.value is not None}
        inputs |= self._named(modelled, request)
        if modelled.has_location and "location" not in inputs:
            inputs |= await self._located(inputs, request.old_inputs)
        problems = check_object(plain_map(inputs), resource.inputs)
        return CheckResponse(inputs=inputs, failures=[CheckFailure(p.path, p.reason) for p in problems])

    async def diff(self, request: DiffRequest) -> DiffResponse:
        """Compare inputs; ``old_state`` holds the old inputs (see ``server``)."""
        modelled, _ = _found(request.type)
        found = changes(plain_map(request.old_state), plain_map(request.new_inputs))
        found = {path: change for path, change in found.items() if top_level(path) != "azureApiVersion"}
        detailed, replaces = {}, []
        for path, change in found.items():
            does_replace = top_level(path) in modelled.replaces_on
            detailed[path] = PropertyDiff(_KINDS[change, does_replace], input_diff=True)
            if does_replace:
                replaces.append(path)
        return DiffResponse(
            changes=bool(found),
            replaces=replaces,
            diffs=sorted({top_level(path) for path in found}),
            detailed_diff=detailed,
            delete_before_replace=bool(replaces) and _AUTO_NAMED not in request.new_inputs,
        )

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Create a resource; an existing one is refused, as by the real provider."""
        modelled, resource = _found(request.type)
        inputs = plain_map(request.properties)
        if request.preview:
            predicted = wrapped_map(preview_outputs(modelled, resource, inputs))
            return CreateResponse(None, all_as_secret_as(predicted, request.properties))
        resource_id = modelled.id(inputs, self._subscription_id)
        if await self._arm.get(resource_id, modelled.api_version) is not None:
            raise PluginError(f"cannot create already existing resource '{resource_id}'")
        answer = await self._put(modelled, resource_id, inputs)
        return CreateResponse(str(answer["id"]), _state(modelled, resource, answer, request.properties))

    async def read(self, request: ReadRequest) -> ReadResponse:
        """Return the live state; inputs follow changes in Azure. Only a definite 404 means that it is gone."""
        modelled, resource = _found(request.type)
        answer = await self._arm.get(request.resource_id, modelled.api_version)
        if answer is None:
            return ReadResponse("", {}, {})
        state = _state(modelled, resource, answer, request.inputs)
        live = plain_map(state)
        if request.inputs:
            inputs = with_drift(plain_map(request.inputs), plain_map(request.properties), live, resource.inputs)
        else:
            inputs = {key: live[key] for key in resource.inputs.properties if key in live}
            inputs |= modelled.inputs_of_id(request.resource_id)
        kept = {key: value for key, value in request.inputs.items() if key.startswith("__")}
        found = all_as_secret_as(wrapped_map(inputs), request.inputs)
        return ReadResponse(str(answer["id"]), state, {**found, **kept})

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Replace the resource's body. In preview only name and region are known."""
        modelled, resource = _found(request.type)
        inputs = plain_map(request.news)
        if request.preview:
            predicted = wrapped_map(preview_outputs(modelled, resource, inputs))
            predicted |= {key: request.olds[key] for key in ("name", "location") if key in request.olds}
            return UpdateResponse(all_as_secret_as(predicted, request.news))
        answer = await self._put(modelled, request.resource_id, inputs)
        return UpdateResponse(_state(modelled, resource, answer, request.news))

    async def delete(self, request: DeleteRequest) -> None:
        """Delete a resource; a missing one counts as deleted."""
        modelled, _ = _found(request.type)
        await self._arm.delete(request.resource_id, modelled.api_version)

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        """Serve ``getClientConfig``, and the getter of every modelled type."""
        if request.tok == _GET_CLIENT_CONFIG:
            claims = await self._arm.claims()
            caller = {"clientId": claims["oid"], "objectId": claims["oid"], "tenantId": claims["tid"]}
            return InvokeResponse(wrapped_map({**caller, "subscriptionId": self._subscription_id}))
        modelled, resource = _found(request.tok.replace(":get", ":"))
        resource_id = modelled.id(plain_map(request.args), self._subscription_id)
        answer = await self._arm.get(resource_id, modelled.api_version)
        if answer is None:
            raise PluginError(f"{request.tok}: the resource '{resource_id}' was not found")
        state = _state(modelled, resource, answer, {})
        return InvokeResponse({**state, "id": wrapped(answer["id"])})

    @property
    def _arm(self) -> ArmClient:
        if self._client is None:
            self._client = self._make_client()
        return self._client

    @property
    def _subscription_id(self) -> str:
        chosen = self._config.get("subscriptionId") or self._environment.get("ARM_SUBSCRIPTION_ID")
        return str(chosen or _SUBSCRIPTION)

    async def _put(self, modelled: Modelled, resource_id: str, inputs: Mapping[str, Plain]) -> dict[str, Plain]:
        """Write a resource and wait until it is created, as the real provider does."""
        answer = await self._arm.put(resource_id, modelled.api_version, modelled.body(inputs))
        while _is_being_made(answer):
            await self._pause(_POLL_INTERVAL_S)
            answer = await self._arm.get(resource_id, modelled.api_version) or {}
        return answer

    def _named(self, modelled: Modelled, request: CheckRequest) -> dict[str, PropertyValue]:
        """Return a name for a resource whose program sets none: the old one, else a new one."""
        name = modelled.name_input
        given = request.new_inputs.get(name)
        if given is not None and given.value is not None:
            return {}
        if name in request.old_inputs:
            return {key: request.old_inputs[key] for key in (name, _AUTO_NAMED) if key in request.old_inputs}
        made = {name: PropertyValue(auto_name(modelled.auto_name, request.name, request.random_seed))}
        if modelled.auto_name is not AutoName.COPY:
            made[_AUTO_NAMED] = PropertyValue(value=True)
        return made

    async def _located(self, inputs: Properties, old: Properties) -> dict[str, PropertyValue]:
        """Return a region for a resource whose program sets none: the old one, the configured one, else its group's."""
        if "location" in old:
            return {"location": old["location"]}
        configured = self._config.get("location")
        if configured:
            return {"location": wrapped(configured)}
        known = plain_map(inputs)
        if known.get("resourceGroupName") is UNKNOWN:
            return {"location": wrapped(UNKNOWN)}
        if not isinstance(known.get("resourceGroupName"), str):
            return {}  # the check that follows reports the missing name
        group = MODELLED["azure-native:resources:ResourceGroup"]
        answer = await self._arm.get(group.id(known, self._subscription_id), group.api_version)
        return {"location": wrapped(answer["location"])} if answer else {}


def _is_being_made(answer: Mapping[str, Plain]) -> bool:
    properties = answer.get("properties")
    return isinstance(properties, Mapping) and properties.get("provisioningState") in {"Creating", "Accepted"}


def _look_up(token: str) -> tuple[Modelled, SdkResource] | str:
    """Return the catalog's and the SDK's entry of a type, or the reason why it can't be created."""
    # A child's URN holds the types of its parents too: `parent$child`.
    token = token.rpartition("$")[2]
    resource = sdk.find(token)
    if resource is None:
        return f"{token} is not a resource type of the installed pulumi-azure-native SDK"
    modelled = MODELLED.get(token)
    if modelled is None:
        return f"the local Azure does not model {token} yet"
    return modelled, resource


def _found(token: str) -> tuple[Modelled, SdkResource]:
    found = _look_up(token)
    if isinstance(found, str):
        raise PluginError(found)
    return found


def _state(
    modelled: Modelled, resource: SdkResource, answer: Mapping[str, Plain], inputs: Properties
) -> dict[str, PropertyValue]:
    return all_as_secret_as(wrapped_map(outputs(modelled, resource, answer)), inputs)
