"""AppInsights: the Application Insights component that a project's agents send traces to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import applicationinsights, cognitiveservices, operationalinsights

from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.project.known_values import Getter, in_previews_too
from foundry_agents.resources._plugin import plain_arguments as plain

_SECRETS = ["connectionString", "instrumentationKey"]
_COMPONENT = Getter(
    "azure-native:applicationinsights:getComponent",
    {"resourceGroups": "resourceGroupName", "components": "resourceName"},
)


class Insights(Protocol):
    """Application Insights for a project, whether this stack creates it or not."""

    def resolve(
        self,
        name: str,
        *,
        location: Input[str],
        resource_group_name: Input[str],
        tags: Mapping[str, str] | None,
        opts: ResourceOptions,
    ) -> ExistingAppInsights:
        """Return the component to connect a project to; declare it first where this stack creates it.

        Args:
            name: Name of the project's component in Pulumi.
            location: Azure region.
            resource_group_name: The resource group.
            tags: Tags for what is created.
            opts: Options of what is created.
        """
        ...


@dataclass(frozen=True)
class ExistingAppInsights:
    """An Application Insights component that this stack does not manage.

    Attributes:
        resource_id: Its ARM id.
        connection_string: Anyone who has it can send data in its name: pass it as a secret.
    """

    resource_id: Input[str]
    connection_string: Input[str]

    def resolve(
        self,
        name: str,
        *,
        location: Input[str],
        resource_group_name: Input[str],
        tags: Mapping[str, str] | None,
        opts: ResourceOptions,
    ) -> ExistingAppInsights:
        """Return itself; declare nothing."""
        del name, location, resource_group_name, tags, opts
        return self


@dataclass(frozen=True)
class AppInsights:
    """A workspace-based Application Insights component, created with its workspace.

    Agents of the project get its connection string as ``APPLICATIONINSIGHTS_CONNECTION_STRING`` [docs].

    Attributes:
        workspace_id: ARM id of an existing Log Analytics workspace; None creates one.
        retention_days: Days that the new workspace keeps data, 30 to 730 [docs].
    """

    workspace_id: Input[str] | None = None
    retention_days: Input[int] = 30

    @staticmethod
    def existing(*, resource_id: Input[str], connection_string: Input[str]) -> ExistingAppInsights:
        """Use a component that exists; only the project's connection to it is created."""
        return ExistingAppInsights(resource_id, connection_string)

    def resolve(
        self,
        name: str,
        *,
        location: Input[str],
        resource_group_name: Input[str],
        tags: Mapping[str, str] | None,
        opts: ResourceOptions,
    ) -> ExistingAppInsights:
        """Declare ``{name}-insights`` and, without ``workspace_id``, ``{name}-workspace``."""
        workspace_id = self.workspace_id
        if workspace_id is None:
            workspace = operationalinsights.Workspace(
                f"{name}-workspace",
                resource_group_name=resource_group_name,
                location=location,
                sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
                retention_in_days=self.retention_days,
                tags=tags,
                opts=opts,
            )
            workspace_id = workspace.id
        component = applicationinsights.Component(
            f"{name}-insights",
            resource_group_name=resource_group_name,
            location=location,
            kind="web",
            application_type=applicationinsights.ApplicationType.WEB,
            ingestion_mode=applicationinsights.IngestionMode.LOG_ANALYTICS,
            workspace_resource_id=workspace_id,
            # Defaults that azure-native 3.14 does not send and later releases do: an upgrade of it changes nothing.
            public_network_access_for_ingestion=applicationinsights.PublicNetworkAccessType.ENABLED,
            public_network_access_for_query=applicationinsights.PublicNetworkAccessType.ENABLED,
            tags=tags,
            opts=ResourceOptions.merge(opts, ResourceOptions(additional_secret_outputs=_SECRETS)),
        )
        connection_string = in_previews_too(
            component.connection_string, component, _COMPONENT, lambda found: str(found["connectionString"])
        )
        return ExistingAppInsights(component.id.apply(str), Output.secret(connection_string))


def insights_problems(wanted: object) -> Iterator[Problem]:
    """Return what makes the argument ``app_insights`` of a project unusable."""
    if wanted is not None and (isinstance(wanted, type | Output) or not hasattr(wanted, "resolve")):
        yield from plain.one_of("app_insights", wanted, AppInsights, "AppInsights()")


def connect_insights(
    name: str,
    insights: ExistingAppInsights,
    *,
    account_name: Input[str],
    project_name: Input[str],
    resource_group_name: Input[str],
    opts: ResourceOptions,
) -> cognitiveservices.ProjectConnection:
    """Declare ``{name}-insights-connection``: the project's connection to its Application Insights."""
    return cognitiveservices.ProjectConnection(
        f"{name}-insights-connection",
        connection_name="app-insights",
        account_name=account_name,
        project_name=project_name,
        resource_group_name=resource_group_name,
        properties=cognitiveservices.ApiKeyAuthConnectionPropertiesArgs(
            auth_type="ApiKey",
            category="AppInsights",
            target=insights.resource_id,
            credentials=cognitiveservices.ConnectionApiKeyArgs(key=Output.secret(insights.connection_string)),
            metadata={"ApiType": "Azure", "ResourceId": insights.resource_id},
        ),
        opts=opts,
    )
