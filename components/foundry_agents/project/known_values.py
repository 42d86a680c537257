"""Outputs that a preview knows of a resource that is only updated.

In the preview of an update azure-native returns the inputs, ``name`` and ``location``; every other output is unknown.
Whatever depends on such an output (the principal of a role assignment, the endpoint of an agent) then shows as
replaced, and a protected stack refuses the plan, although an update changes none of it: pulumi-azure-native#1080. The
id stays known in an update; it is unknown where the resource is created or replaced. So a preview that knows the id
reads the other outputs from Azure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import pulumi
from pulumi import Output
from pulumi.output import Unknown

T = TypeVar("T")


@dataclass(frozen=True)
class Getter:
    """A function of azure-native that reads a resource.

    Attributes:
        token: Its token.
        arguments: Its arguments, by the part of an ARM id that comes before the value, such as ``accounts``.
    """

    token: str
    arguments: Mapping[str, str]

    def arguments_of(self, resource_id: str) -> dict[str, str]:
        """Return the arguments found in an ARM id; raise KeyError if one is missing."""
        parts = resource_id.strip("/").split("/")
        found = dict(zip((part.lower() for part in parts[::2]), parts[1::2], strict=False))
        return {argument: found[part.lower()] for part, argument in self.arguments.items()}


def in_previews_too(
    value: Output[T], resource: pulumi.CustomResource, getter: Getter, read: Callable[[Mapping[str, Any]], T]
) -> Output[T]:
    """Return an output; in the preview of an update, where it is unknown, read it from Azure.

    It stays unknown where the resource is created or replaced, and where Azure can't be read: not signed in, not found,
    offline. An update reads nothing.

    Args:
        value: The output of the resource.
        resource: The resource.
        getter: The function that reads it.
        read: Takes the value from the function's result, which has azure-native's property names.
    """
    if not pulumi.runtime.is_dry_run():
        return value

    async def live(resource_id: str) -> T:
        try:
            found = await pulumi.runtime.invoke_async(
                getter.token,
                getter.arguments_of(resource_id),
                # The same version as the SDK's own functions use: another one would start another plugin.
                pulumi.InvokeOptions(
                    parent=resource,
                    version=resource._version,  # noqa: SLF001
                    plugin_download_url=resource._plugin_download_url,  # noqa: SLF001
                ),
            )
            # A provider configured for another subscription reads another resource.
            if str(found["id"]).lower() == resource_id.lower():
                return read(found)
        except Exception as error:  # noqa: BLE001 (an invoke's failure has no class of its own)
            pulumi.log.debug(f"{resource_id} could not be read in the preview: {error}", resource)
        return cast("T", pulumi.UNKNOWN)

    def known(found: T) -> pulumi.Input[T]:
        return resource.id.apply(live) if isinstance(found, Unknown) else found

    return value.apply(known, run_with_unknowns=True)


def name_of(resource: pulumi.CustomResource, name: Output[str]) -> Output[str]:
    """Return the name of an ARM resource: the last part of its id, which an update does not change.

    Args:
        resource: The resource.
        name: Its output ``name``; used while there is no ARM id, as in the preview that creates it.
    """

    def last(resource_id: object) -> pulumi.Input[str]:
        return resource_id.rpartition("/")[2] if isinstance(resource_id, str) and "/" in resource_id else name

    return resource.id.apply(last, run_with_unknowns=True)
