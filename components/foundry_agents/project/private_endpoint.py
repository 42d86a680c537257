"""PrivateEndpoint: an address in your own network for an account or a registry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_azure_native import network

from foundry_agents.grants.naming import chosen_once
from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.project.known_values import name_of
from foundry_agents.resources._plugin import plain_arguments as plain


@dataclass(frozen=True)
class PrivateEndpoint:
    """An address in your own subnet that reaches an account or a registry without the public network.

    Attributes:
        subnet_id: ARM id of the subnet.
        dns_zone_ids: ARM ids of the private DNS zones to register the address in; without any, you set up name
            resolution. An account needs ``privatelink.cognitiveservices.azure.com``, ``privatelink.openai.azure.com``
            and ``privatelink.services.ai.azure.com``; a registry ``privatelink.azurecr.io`` [docs].
        resource_group_name: Resource group of the endpoint; default the target's.
        location: Region of the subnet's network; default the region of the endpoint's group.
    """

    subnet_id: Input[str]
    dns_zone_ids: Sequence[Input[str]] = ()
    resource_group_name: Input[str] | None = None
    location: Input[str] | None = None


def endpoint_problems(wanted: object) -> Iterator[Problem]:
    """Return what makes the argument ``private_endpoint`` of a component unusable."""
    yield from plain.one_of("private_endpoint", wanted, PrivateEndpoint, "PrivateEndpoint(subnet_id)")
    if isinstance(wanted, PrivateEndpoint):
        yield from plain.lists(**{"private_endpoint.dns_zone_ids": wanted.dns_zone_ids})


def create_private_endpoint(
    wanted: PrivateEndpoint,
    name: str,
    target_id: Input[str],
    *,
    group_id: str,
    resource_group_name: Input[str],
    opts: ResourceOptions,
) -> list[pulumi.Resource]:
    """Declare the endpoint ``{name}-private-endpoint`` and, with zones, ``{name}-private-dns``.

    Args:
        wanted: The subnet and zones.
        name: Name of the component that it belongs to.
        target_id: ARM id of the target.
        group_id: Part of the target: ``account`` or ``registry`` [docs].
        resource_group_name: The target's resource group.
        opts: Options of both resources, including the parent.
    """
    group = wanted.resource_group_name if wanted.resource_group_name is not None else resource_group_name
    endpoint = network.PrivateEndpoint(
        f"{name}-private-endpoint",
        resource_group_name=group,
        location=wanted.location,
        subnet=network.SubnetArgs(id=wanted.subnet_id),
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(
                name=f"{name}-{group_id}", private_link_service_id=target_id, group_ids=[group_id]
            )
        ],
        opts=ResourceOptions.merge(opts, chosen_once({"privateLinkServiceConnections[0].name": None})),
    )
    if not wanted.dns_zone_ids:
        return [endpoint]
    zones = network.PrivateDnsZoneGroup(
        f"{name}-private-dns",
        private_endpoint_name=name_of(endpoint, endpoint.name),
        private_dns_zone_group_name="default",
        resource_group_name=group,
        private_dns_zone_configs=[
            network.PrivateDnsZoneConfigArgs(name=f"zone-{number}", private_dns_zone_id=zone)
            for number, zone in enumerate(wanted.dns_zone_ids)
        ],
        opts=opts,
    )
    return [endpoint, zones]
