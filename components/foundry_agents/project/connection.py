"""ProjectConnection: a target and its credential, which tools and agents use by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import cognitiveservices as native

from foundry_agents.grants.naming import chosen_once
from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.project.arm_id import ProjectPath
from foundry_agents.project.connection_secret import ConnectionSecret
from foundry_agents.project.project import Project
from foundry_agents.resources._plugin import plain_arguments as plain

REMOTE_TOOL = "RemoteTool"
"""Category of a connection to an MCP server or another agent [azd]."""


class ProjectConnection(pulumi.ComponentResource):
    """A connection of a project to something that its tools or agents call; its child is ``{name}-connection``.

    Azure stores the credential and never returns it; no toolbox, no version and no variable of an agent holds it. Take
    it from Pulumi's secrets (``config.require_secret``) or from Key Vault. A plain string is made a secret, so that it
    is encrypted in state.

    ``with_keys``, ``with_oauth`` and ``with_managed_identity`` create the usual kinds.

    Args:
        name: Name of the component and, unless ``connection_name`` says otherwise, of the connection.
        project: Project of the connection.
        properties: The connection's properties, as a type of azure-native.
        connection_name: Name in the project; letters, digits, _ and -. By default ``name`` is taken when the connection
            is created, and kept.

    Attributes:
        connection_name: Name in the project.
        connection_id: ARM id.

    Raises:
        pulumi.RunError: Arguments of the wrong type; the message names all of them.
    """

    connection_name: Output[str]
    connection_id: Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        properties: Any,
        connection_name: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        _reject_wrong_types(name, project)
        super().__init__("foundry-agents:index:ProjectConnection", name, None, opts)
        self._name = connection_name or name
        needed_for = f'ProjectConnection "{name}"'
        path = project.resource_id.apply(lambda known: ProjectPath.of(known, needed_for=needed_for))
        made = native.ProjectConnection(
            f"{name}-connection",
            connection_name=self._name,
            account_name=path.apply(lambda parts: parts.account_name),
            project_name=path.apply(lambda parts: parts.project_name),
            resource_group_name=path.apply(lambda parts: parts.resource_group_name),
            properties=properties,
            opts=ResourceOptions.merge(
                ResourceOptions(parent=self, deleted_with=project.deleted_with),
                chosen_once({"connectionName": connection_name}),
            ),
        )
        # From the id, so that whatever uses the name waits until the connection exists.
        self.connection_id = made.id.apply(lambda resource_id: resource_id)
        self.connection_name = made.id.apply(lambda known: _name_in(known) or self._name)
        self.register_outputs({"connection_id": self.connection_id})

    def secret(self, key: str) -> Output[str]:
        """Return a placeholder for one of its credentials, for an agent's environment.

        It is an Output, so that the agent's version is created after the connection: for a credential that does not
        exist yet, the first sessions would get an empty variable and no error [docs].

        Raises:
            pulumi.RunError: When a name would break the placeholder.
        """
        ConnectionSecret(self._name, key)  # report a bad name here, at the line of the program
        return self.connection_name.apply(lambda name: str(ConnectionSecret(name, key)))

    @classmethod
    def with_keys(
        cls,
        name: str,
        keys: Mapping[str, Input[str]],
        *,
        project: Project,
        target: Input[str],
        category: Input[str] = REMOTE_TOOL,
        metadata: Mapping[str, Input[str]] | None = None,
        connection_name: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> Self:
        """Create a connection with keys that are sent as headers: ``{"Authorization": "Bearer …"}``.

        Args:
            name: Name of the component.
            keys: Values by header name.
            project: Project of the connection.
            target: URL of the MCP server or API.
            category: "RemoteTool" for MCP servers and agents; "CustomKeys" for an API that an OpenApi tool calls.
            metadata: Pairs of your own.
            connection_name: Name in the project.
            opts: Options of the component.
        """
        _reject_wrong_types(name, project, plain.mappings(keys=keys, required=True))
        secret = {key: Output.secret(value) for key, value in keys.items()}
        properties = native.CustomKeysConnectionPropertiesArgs(
            auth_type="CustomKeys",
            category=category,
            target=target,
            metadata=metadata,
            credentials=native.CustomKeysArgs(keys=secret),
        )
        return cls(name, project=project, properties=properties, connection_name=connection_name, opts=opts)

    @classmethod
    def with_oauth(
        cls,
        name: str,
        *,
        project: Project,
        target: Input[str],
        client_id: Input[str],
        client_secret: Input[str],
        auth_url: Input[str],
        tenant_id: Input[str] | None = None,
        refresh_token: Input[str] | None = None,
        category: Input[str] = REMOTE_TOOL,
        metadata: Mapping[str, Input[str]] | None = None,
        connection_name: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> Self:
        """Create a connection that signs in as a client of an OAuth server.

        Args:
            name: Name of the component.
            project: Project of the connection.
            target: URL of the MCP server or API.
            client_id: Id of the client.
            client_secret: Secret of the client; made a Pulumi secret.
            auth_url: URL that issues tokens.
            tenant_id: Tenant that the client is registered in.
            refresh_token: Token of a user who has consented before; made a Pulumi secret.
            category: "RemoteTool", or the service's name for the kind of API.
            metadata: Pairs of your own.
            connection_name: Name in the project.
            opts: Options of the component.
        """
        credentials = native.ConnectionOAuth2Args(
            client_id=client_id,
            client_secret=Output.secret(client_secret),
            auth_url=auth_url,
            tenant_id=tenant_id,
            refresh_token=None if refresh_token is None else Output.secret(refresh_token),
        )
        properties = native.OAuth2AuthTypeConnectionPropertiesArgs(
            auth_type="OAuth2", category=category, target=target, metadata=metadata, credentials=credentials
        )
        return cls(name, project=project, properties=properties, connection_name=connection_name, opts=opts)

    @classmethod
    def with_managed_identity(
        cls,
        name: str,
        *,
        project: Project,
        target: Input[str],
        client_id: Input[str] | None = None,
        resource_id: Input[str] | None = None,
        category: Input[str] = REMOTE_TOOL,
        metadata: Mapping[str, Input[str]] | None = None,
        connection_name: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> Self:
        """Create a connection without a credential: a managed identity signs in. Grant it a role on the target.

        Args:
            name: Name of the component.
            project: Project of the connection.
            target: URL of the target.
            client_id: Id of the identity; default the project's own.
            resource_id: ARM id of the target, where Azure requires it.
            category: "RemoteTool", or for example "CognitiveSearch".
            metadata: Pairs of your own.
            connection_name: Name in the project.
            opts: Options of the component.
        """
        _reject_wrong_types(name, project)
        identity = client_id if client_id is not None else project.principal_id.apply(lambda known: known or "")
        properties = native.ManagedIdentityAuthTypeConnectionPropertiesArgs(
            auth_type="ManagedIdentity",
            category=category,
            target=target,
            metadata=metadata,
            credentials=native.ConnectionManagedIdentityArgs(client_id=identity, resource_id=resource_id),
        )
        return cls(name, project=project, properties=properties, connection_name=connection_name, opts=opts)


def _reject_wrong_types(name: object, project: object, *others: Iterator[Problem]) -> None:
    subject = plain.subject_of("ProjectConnection", name)
    plain.reject_problems(subject, plain.texts(name=name), plain.projects("project", project), *others)


def _name_in(connection_id: str) -> str:
    """Return the name in the ARM id of a connection; "" for any other id, as in unit tests."""
    return connection_id.rpartition("/connections/")[2] if "/connections/" in connection_id else ""
