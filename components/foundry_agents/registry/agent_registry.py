"""AgentRegistry: a container registry that projects' identities can pull from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import containerregistry

from foundry_agents.grants.naming import chosen_once, unique_name
from foundry_agents.project.known_values import Getter, in_previews_too
from foundry_agents.project.private_endpoint import PrivateEndpoint, create_private_endpoint, endpoint_problems
from foundry_agents.project.project import Project
from foundry_agents.registry.existing_registry import ExistingRegistry
from foundry_agents.registry.registry import Permissions, Registry, listed, mode_problems, puller_problems
from foundry_agents.resources._plugin import plain_arguments as plain

_REGISTRY = Getter(
    "azure-native:containerregistry:getRegistry",
    {"resourceGroups": "resourceGroupName", "registries": "registryName"},
)


class AgentRegistry(Registry):
    """An Azure container registry, and the right to pull from it for the identities of projects.

    The policy that accepts ARM-audience tokens is switched on: without it every pull fails in spite of the right
    roles [observed]. The admin user is off. ``AgentRegistry.existing(…)`` uses a registry that this stack does not
    manage (``ExistingRegistry``); the grants of both are those of ``Registry``.

    Args:
        name: Name of the component; its children are called ``{name}-…``.
        pulled_by: The project, or projects, whose agents run images from here. The project of any other agent with an
            image of this registry is granted the right when that agent is declared.
        resource_group_name: Its resource group; default the first project's.
        location: Azure region; default the resource group's.
        registry_name: 5 to 50 lower-case letters and digits, unique in all of Azure; by default a name is generated
            from the stack when the registry is created, and kept.
        sku: Basic, Standard or Premium.
        permissions: ``registry`` grants AcrPull and AcrPush; ``repository`` grants Container Registry Repository Reader
            and Writer, the only roles that have an effect in a registry of that mode [docs]. azure-native 3.29 can't
            set the mode of a registry (its API version lacks it): ``az acr update --role-assignment-mode`` does.
        retention_days: Days after which images without a tag are deleted; Premium only [docs]. An agent's version
            pulls by digest, so keep a tag on every image that a kept version runs. Default: all are kept.
        public_access: The registry answers on the public network; False requires Premium [docs].
        tasks_bypass_network: Says that ``networkRuleBypassAllowedForTasks`` is on, so that ``AgentImage.remote_build``
            can push in spite of ``public_access=False`` [docs]. azure-native 3.29 can't set it (its API version lacks
            it): ``az resource update`` does, as the error of ``remote_build`` and docs/images.md show.
        private_endpoint: An address in your own network; Premium only [docs].
        connect: Create a connection of category ContainerRegistry in each project; not needed where the project's
            identity can pull [azd].
        grants: Assign roles. With False no assignment is created, for deployers who may not assign roles.
        tags: Tags for the registry.

    Attributes:
        login_server: Host in the names of its images.
        resource_id: ARM id of the registry.
        permissions: How it reads role assignments.
        pull_role: The first project's role assignment; None without projects or grants.
        before_the_pull: Resources besides the role that must exist before any pull: private endpoint and connections.
        admits_tasks: Its own tasks, which ``AgentImage.remote_build`` uses, can reach it.
    """

    def __init__(
        self,
        name: str,
        *,
        pulled_by: Project | Sequence[Project],
        resource_group_name: Input[str] | None = None,
        location: Input[str] | None = None,
        registry_name: str | None = None,
        sku: Input[str] = "Basic",
        permissions: Permissions = "registry",
        retention_days: Input[int] | None = None,
        public_access: bool = True,
        tasks_bypass_network: bool = False,
        private_endpoint: PrivateEndpoint | None = None,
        connect: bool = False,
        grants: bool = True,
        tags: Mapping[str, str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        plain.reject_problems(
            plain.subject_of("AgentRegistry", name),
            plain.texts(name=name),
            puller_problems(pulled_by),
            mode_problems(permissions),
            plain.flags(public_access=public_access, connect=connect, grants=grants),
            endpoint_problems(private_endpoint),
        )
        super().__init__(name, permissions=permissions, grants=grants, opts=opts)
        self.admits_tasks = public_access or tasks_bypass_network
        projects = listed(pulled_by)
        if resource_group_name is None:
            resource_group_name = _group_of(name, projects)
        _check_sku(
            name,
            sku,
            {
                "retention_days": retention_days is not None,
                "public_access=False": not public_access,
                "private_endpoint": private_endpoint is not None,
            },
        )
        registry = containerregistry.Registry(
            f"{name}-registry",
            registry_name=registry_name or unique_name(name, most=50, hyphens=False),
            resource_group_name=resource_group_name,
            location=location,
            sku=containerregistry.SkuArgs(name=sku),
            admin_user_enabled=False,
            public_network_access=None if public_access else containerregistry.PublicNetworkAccess.DISABLED,
            policies=containerregistry.PoliciesArgs(
                azure_ad_authentication_as_arm_policy=containerregistry.AzureADAuthenticationAsArmPolicyArgs(
                    status=containerregistry.AzureADAuthenticationAsArmPolicyStatus.ENABLED,
                ),
                retention_policy=None
                if retention_days is None
                else containerregistry.RetentionPolicyArgs(
                    days=retention_days, status=containerregistry.PolicyStatus.ENABLED
                ),
            ),
            tags=tags,
            opts=ResourceOptions.merge(ResourceOptions(parent=self), chosen_once({"registryName": registry_name})),
        )
        self.login_server = in_previews_too(
            registry.login_server, registry, _REGISTRY, lambda found: str(found["loginServer"])
        )
        self.resource_id = registry.id.apply(str)
        if private_endpoint is not None:
            self.before_the_pull = create_private_endpoint(
                private_endpoint,
                name,
                self.resource_id,
                group_id="registry",
                resource_group_name=resource_group_name,
                opts=ResourceOptions(parent=self),
            )
        self._grant_to(projects, connect=connect)

    existing = ExistingRegistry
    """Use a registry that this stack does not manage: ``AgentRegistry.existing("shared", login_server=…)``."""


def _group_of(registry: str, projects: Sequence[Project]) -> Output[str]:
    group = projects[0].resource_group_name if projects else None
    if group is None:
        raise pulumi.RunError(f'AgentRegistry "{registry}": resource_group_name is needed with an existing project')
    return group


def _check_sku(registry: str, sku: Input[str], wanted: Mapping[str, bool]) -> None:
    """Refuse options that require Premium [docs], all together; Azure refuses them for a SKU that is known later."""
    refused = [option for option, is_wanted in wanted.items() if is_wanted]
    if refused and isinstance(sku, str) and sku.lower() != "premium":
        raise pulumi.RunError(
            f'AgentRegistry "{registry}": sku "Premium" is needed for {", ".join(refused)}, not "{sku}"'
        )
