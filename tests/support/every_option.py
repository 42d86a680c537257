"""A program with every component and every option of theirs: shared by snapshot, model and engine tests.

It does not import tests, so that an engine test can copy it into a project of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_azure_native import cognitiveservices, network, privatedns, resources

import foundry_agents as fa

CALLER = "aaaaaaaa-0000-4000-8000-000000000001"
TEAM = "aaaaaaaa-0000-4000-8000-000000000002"
PIPELINE = "aaaaaaaa-0000-4000-8000-000000000003"
LOCATION = "eastus2"


def network_of_ours() -> tuple[Input[str], Input[str], list[Input[str]]]:
    """Return a subnet for endpoints, one for agents, and DNS zones: what a platform team provides."""
    platform = resources.ResourceGroup("platform", resource_group_name="platform", location=LOCATION).name
    ours = network.VirtualNetwork(
        "net",
        virtual_network_name="net",
        resource_group_name=platform,
        location=LOCATION,
        address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/16"]),
    )
    endpoints = network.Subnet(
        "net-endpoints",
        subnet_name="endpoints",
        virtual_network_name=ours.name,
        resource_group_name=platform,
        address_prefix="10.0.1.0/24",
    )
    agents = network.Subnet(
        "net-agents",
        subnet_name="agents",
        virtual_network_name=ours.name,
        resource_group_name=platform,
        address_prefix="10.0.2.0/24",
        delegations=[network.DelegationArgs(name="agents", service_name="Microsoft.App/environments")],
        opts=ResourceOptions(depends_on=[endpoints]),
    )
    zones = [
        privatedns.PrivateZone(f"zone-{name}", private_zone_name=name, resource_group_name=platform, location="global")
        for name in ("privatelink.services.ai.azure.com", "privatelink.azurecr.io")
    ]
    return endpoints.id, agents.id, [zone.id for zone in zones]


def deploy(*, image: str, registry_name: str = "shopimages") -> Mapping[str, Input[object]]:
    """Declare everything; ``image`` is a digest in the repository ``support`` of the registry."""
    endpoint_subnet, agent_subnet, zones = network_of_ours()
    project = fa.FoundryProject(
        "shop",
        location=LOCATION,
        account_name="shop-account",
        subdomain="shop-subdomain",
        project_name="shop",
        display_name="Shop",
        description="Agents of the shop.",
        models=[
            fa.ModelDeployment("chat", model="gpt-5-mini", version="2025-08-07", capacity=50),
            fa.ModelDeployment("text-embedding-3-small", sku="Standard", upgrade="NoAutoUpgrade", rai_policy="strict"),
        ],
        app_insights=fa.AppInsights(retention_days=60),
        local_auth=False,
        public_access=False,
        allowed_ips=["203.0.113.7"],
        private_endpoint=fa.PrivateEndpoint(endpoint_subnet, dns_zone_ids=zones[:1]),
        agent_subnet_id=agent_subnet,
        tags={"team": "shop"},
    )
    storage = cognitiveservices.ProjectConnection(
        "storage",
        connection_name="storage",
        account_name=project.account_name,
        project_name=project.project_name,
        resource_group_name=project.resource_group_name,
        properties=cognitiveservices.AADAuthTypeConnectionPropertiesArgs(
            auth_type="AAD", category="AzureBlob", target="https://shop.blob.core.windows.net"
        ),
        opts=ResourceOptions(deleted_with=project.project),
    )
    project.add_capability_host(storage=[storage.name], subnet_id=agent_subnet)
    registry = fa.AgentRegistry(
        "images",
        pulled_by=project,
        registry_name=registry_name,
        location=LOCATION,
        sku="Premium",
        retention_days=30,
        public_access=False,
        private_endpoint=fa.PrivateEndpoint(endpoint_subnet, dns_zone_ids=zones[1:], location=LOCATION),
        connect=True,
        tags={"team": "shop"},
    )
    registry.grant_push(PIPELINE, name="pipeline")
    project.grant_invoke(TEAM, principal_type="Group", name="team")
    agents = {
        name: fa.HostedAgent(
            name,
            project=project,
            image=fa.AgentImage.pinned(f"support@{image}", registry=registry),
            rollout=fa.Rollout.all_at_once(keep_versions=2),
            force_delete=True,
            timeout_s=60,
            pull_role_budget_s=0,
        )
        for name in ("support", "returns")
    }
    agents["support"].grant_invoke(CALLER)
    agents["support"].grant_invoke(CALLER)
    agents["support"].grant_pull(registry)
    return {
        "endpoint": project.endpoint,
        "resource_id": project.resource_id,
        "app_insights_id": project.app_insights_id,
        "registry": registry.resource_id,
        "agents": pulumi.Output.all(**{name: agent.endpoint for name, agent in agents.items()}),
    }
