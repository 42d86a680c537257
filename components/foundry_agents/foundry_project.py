"""FoundryProject: an account and a project to put agents in, or one that exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import cognitiveservices, resources

from foundry_agents.naming import unique_name

ENDPOINT_KEY = "AI Foundry API"
"""Name of the data-plane endpoint among a project's endpoints in ARM [azd]."""


class Project(Protocol):
    """What others need to know of a project, whether this stack makes it or not."""

    @property
    def endpoint(self) -> Output[str]:
        """The data plane: ``https://….services.ai.azure.com/api/projects/NAME``."""
        ...

    @property
    def principal_id(self) -> Output[str | None]:
        """Object id of the project's own identity, which pulls images; None when not known."""
        ...

    @property
    def resource_id(self) -> Output[str | None]:
        """Its ARM id; None when not known."""
        ...


@dataclass(frozen=True)
class ExistingProject:
    """A project that somebody else manages; nothing of it is created, changed or deleted."""

    endpoint: Output[str]
    principal_id: Output[str | None]
    resource_id: Output[str | None]


class FoundryProject(pulumi.ComponentResource):
    """A Foundry account with one project, ready for hosted agents.

    The account has a host name of its own, project management switched on, a system-assigned identity, and keys
    switched off: callers sign in with Entra.

    Args:
        name: Name of the component; its children are ``{name}-group``, ``{name}-account`` and ``{name}-project``.
        location: Azure region.
        resource_group_name: Where to put it; None makes a resource group.
        account_name: Name and host name of the account, unique in all of Azure; None makes one from the stack.
        project_name: Name of the project in its account; None takes ``name``.
        tags: Tags for everything made here.

    Attributes:
        endpoint: The project's data plane, as ARM reports it.
        principal_id: Object id of the project's identity: the one that pulls images [docs].
        resource_id: ARM id of the project.
        resource_group_name: Where it is.
    """

    endpoint: Output[str]
    principal_id: Output[str | None]
    resource_id: Output[str | None]
    resource_group_name: Output[str]

    def __init__(
        self,
        name: str,
        *,
        location: Input[str],
        resource_group_name: Input[str] | None = None,
        account_name: str | None = None,
        project_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("foundry-agents:index:FoundryProject", name, None, opts)
        child = ResourceOptions(parent=self)
        if resource_group_name is None:
            group = resources.ResourceGroup(f"{name}-group", location=location, tags=tags, opts=child)
            resource_group_name = group.name
        self.resource_group_name = Output.from_input(resource_group_name)
        account_name = account_name or unique_name(name, most=24)
        account = cognitiveservices.Account(
            f"{name}-account",
            account_name=account_name,
            resource_group_name=self.resource_group_name,
            location=location,
            kind="AIServices",
            sku=cognitiveservices.SkuArgs(name="S0"),
            identity=cognitiveservices.IdentityArgs(type=cognitiveservices.ResourceIdentityType.SYSTEM_ASSIGNED),
            properties=cognitiveservices.AccountPropertiesArgs(
                allow_project_management=True,
                custom_sub_domain_name=account_name,
                disable_local_auth=True,
                public_network_access=cognitiveservices.PublicNetworkAccess.ENABLED,
            ),
            tags=tags,
            opts=child,
        )
        project = cognitiveservices.Project(
            f"{name}-project",
            account_name=account.name,
            project_name=project_name or name,
            resource_group_name=self.resource_group_name,
            location=location,
            identity=cognitiveservices.IdentityArgs(type=cognitiveservices.ResourceIdentityType.SYSTEM_ASSIGNED),
            properties=cognitiveservices.ProjectPropertiesArgs(),
            tags=tags,
            opts=child,
        )
        # The host name is not always the account's name [observed]: take what ARM says, never build it.
        self.endpoint = project.properties.apply(lambda properties: properties.endpoints[ENDPOINT_KEY].rstrip("/"))
        self.principal_id = project.identity.apply(lambda identity: identity.principal_id if identity else None)
        self.resource_id = project.id.apply(lambda resource_id: resource_id)
        self.register_outputs(
            {"endpoint": self.endpoint, "principal_id": self.principal_id, "resource_id": self.resource_id}
        )

    @staticmethod
    def existing(
        *,
        endpoint: Input[str],
        principal_id: Input[str | None] = None,
        resource_id: Input[str | None] = None,
    ) -> ExistingProject:
        """A project that is there already.

        Args:
            endpoint: Its data plane; from the portal, or the project's ARM output.
            principal_id: Object id of its identity; needed by AgentRegistry, and named in errors of a failed pull.
            resource_id: Its ARM id; needed to grant roles on it.
        """
        return ExistingProject(
            Output.from_input(endpoint), Output.from_input(principal_id), Output.from_input(resource_id)
        )
