"""FoundryProject: an account with a project for hosted agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization, cognitiveservices, resources

from foundry_agents.grants.naming import chosen_once, former_names, unique_name
from foundry_agents.grants.role_assignment import Grants, PrincipalType
from foundry_agents.lifecycle.failure.errors import message
from foundry_agents.project.app_insights import Insights, connect_insights, insights_problems
from foundry_agents.project.existing_project import ExistingProject
from foundry_agents.project.known_values import Getter, in_previews_too, name_of
from foundry_agents.project.model_deployment import ModelDeployment, deploy_models, model_problems
from foundry_agents.project.private_endpoint import PrivateEndpoint, create_private_endpoint, endpoint_problems
from foundry_agents.project.project import grant_agent_consumer
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources._plugin.outputs import once_made

ENDPOINT_KEY = "AI Foundry API"
"""Name of the data-plane endpoint among a project's endpoints in ARM [azd]."""

_PROJECT = Getter(
    "azure-native:cognitiveservices:getProject",
    {"resourceGroups": "resourceGroupName", "accounts": "accountName", "projects": "projectName"},
)

# Azure allows one at a time, so the old one is deleted first.
_NEVER_CHANGED = ResourceOptions(replace_on_changes=["*"], delete_before_replace=True)


class FoundryProject(pulumi.ComponentResource):
    """A Foundry account with one project, ready for hosted agents.

    The account has its own host name, project management, a system-assigned identity, and no keys: callers sign in with
    Entra.

    Args:
        name: Name of the component; its children are called ``{name}-…``.
        location: Azure region.
        resource_group_name: Its resource group; by default one is created.
        account_name: Name of the account, unique in all of Azure; by default a name is generated from the stack when
            the account is created, and kept.
        subdomain: Host name of the account, unique in all of Azure; default the account's name.
        project_name: Name of the project in its account; by default ``name`` is taken when the project is created, and
            kept.
        display_name: Name of the project in the portal.
        description: Purpose of the project.
        models: Models to deploy, one after the other, before the project; they are deleted before the account.
        app_insights: Application Insights for the agents' traces: ``AppInsights()`` creates a component and its
            workspace, ``AppInsights.existing(…)`` uses an existing one; by default no traces are sent.
        local_auth: Accept keys besides Entra tokens.
        public_access: The account answers on the public network. Without it and without a private endpoint every
            call fails with 403 [docs], this stack's too.
        allowed_ips: Addresses or CIDR ranges that may call over the public network; by default all may.
        private_endpoint: An address in your own network.
        agent_subnet_id: ARM id of a subnet, delegated to ``Microsoft.App/environments``, that agents run in. It is
            set when the account is created and can't change [docs]: for another one create another account.
        restore: Restore an account of this name that was deleted in the last 48 hours: Azure reserves its name for that
            long, and azure-native does not purge it. It has an effect only when the account is created.
        tags: Tags for every resource created here that supports them.

    Attributes:
        endpoint: The project's data plane, as ARM reports it.
        principal_id: Object id of the project's identity: the one that pulls images [docs].
        resource_id: ARM id of the project.
        resource_group_name: Its resource group.
        account_name: Name of the account.
        account_id: ARM id of the account.
        project_name: Name of the project.
        app_insights_id: ARM id of the Application Insights component; None without one.
        account: The account, to depend on.
        project: The project, to depend on.
        before_agents: Resources that must exist before the first agent: connections, private endpoint, capability
            hosts.
        former_names: Former names of the component, from its aliases.

    Raises:
        pulumi.RunError: Arguments of the wrong type; the message names all of them.
    """

    endpoint: Output[str]
    principal_id: Output[str | None]
    resource_id: Output[str | None]
    resource_group_name: Output[str]
    account_name: Output[str]
    account_id: Output[str]
    project_name: Output[str]
    app_insights_id: Output[str | None]
    account: cognitiveservices.Account
    project: cognitiveservices.Project
    before_agents: list[pulumi.Resource]
    former_names: list[str]

    def __init__(
        self,
        name: str,
        *,
        location: Input[str],
        resource_group_name: Input[str] | None = None,
        account_name: str | None = None,
        subdomain: Input[str] | None = None,
        project_name: str | None = None,
        display_name: Input[str] | None = None,
        description: Input[str] | None = None,
        models: Sequence[ModelDeployment] = (),
        app_insights: Insights | None = None,
        local_auth: Input[bool] = False,
        public_access: bool = True,
        allowed_ips: Sequence[Input[str]] = (),
        private_endpoint: PrivateEndpoint | None = None,
        agent_subnet_id: Input[str] | None = None,
        restore: bool = False,
        tags: Mapping[str, str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        plain.reject_problems(
            plain.subject_of("FoundryProject", name),
            plain.texts(name=name),
            model_problems(models),
            insights_problems(app_insights),
            plain.flags(public_access=public_access),
            plain.lists(allowed_ips=allowed_ips),
            endpoint_problems(private_endpoint),
        )
        super().__init__("foundry-agents:index:FoundryProject", name, None, opts)
        self.former_names = former_names(opts)
        self._grants = Grants(self, name)
        child = ResourceOptions(parent=self)
        if resource_group_name is None:
            group = resources.ResourceGroup(f"{name}-group", location=location, tags=tags, opts=child)
            resource_group_name = name_of(group, group.name)
        self.resource_group_name = Output.from_input(resource_group_name)
        named = {
            "accountName": account_name,
            "properties.customSubDomainName": account_name if subdomain is None else subdomain,
        }
        account_name = account_name or unique_name(name, most=24)
        self.account = cognitiveservices.Account(
            f"{name}-account",
            account_name=account_name,
            resource_group_name=self.resource_group_name,
            location=location,
            kind="AIServices",
            sku=cognitiveservices.SkuArgs(name="S0"),
            identity=cognitiveservices.IdentityArgs(type=cognitiveservices.ResourceIdentityType.SYSTEM_ASSIGNED),
            properties=cognitiveservices.AccountPropertiesArgs(
                allow_project_management=True,
                custom_sub_domain_name=account_name if subdomain is None else subdomain,
                disable_local_auth=Output.from_input(local_auth).apply(lambda keys: not keys),
                public_network_access=_access(public=public_access),
                network_acls=_only_from(allowed_ips),
                network_injections=_injected_into(agent_subnet_id),
                restore=restore or None,
            ),
            tags=tags,
            opts=ResourceOptions.merge(
                ResourceOptions.merge(child, ResourceOptions(ignore_changes=["properties.restore"])), chosen_once(named)
            ),
        )
        self.account_name = name_of(self.account, self.account.name)
        self.account_id = self.account.id.apply(str)
        deployed = deploy_models(
            name,
            models,
            account_name=self.account_name,
            resource_group_name=self.resource_group_name,
            tags=tags,
            parent=self,
        )
        self.project = cognitiveservices.Project(
            f"{name}-project",
            account_name=self.account_name,
            project_name=project_name or name,
            resource_group_name=self.resource_group_name,
            location=location,
            identity=cognitiveservices.IdentityArgs(type=cognitiveservices.ResourceIdentityType.SYSTEM_ASSIGNED),
            properties=cognitiveservices.ProjectPropertiesArgs(display_name=display_name, description=description),
            tags=tags,
            opts=ResourceOptions.merge(
                ResourceOptions.merge(child, ResourceOptions(depends_on=deployed)),
                chosen_once({"projectName": project_name}),
            ),
        )
        self.project_name = name_of(self.project, self.project.name)
        # The host name is not always the account's name [observed]: take what ARM says, never build it.
        self.endpoint = in_previews_too(
            once_made(self.project.properties, self.project).apply(
                lambda properties: _data_plane(name, properties.endpoints)
            ),
            self.project,
            _PROJECT,
            lambda found: _data_plane(name, found["properties"]["endpoints"]),
        )
        self.principal_id = in_previews_too(
            once_made(self.project.identity, self.project).apply(
                lambda identity: identity.principal_id if identity else None
            ),
            self.project,
            _PROJECT,
            lambda found: found["identity"]["principalId"],
        )
        self.resource_id = self.project.id.apply(str)
        self.before_agents = []
        if private_endpoint is not None:
            self.before_agents += create_private_endpoint(
                private_endpoint,
                name,
                self.account_id,
                group_id="account",
                resource_group_name=self.resource_group_name,
                opts=child,
            )
        self.app_insights_id = self._traced_by(app_insights, location, tags)
        self.register_outputs(
            {"endpoint": self.endpoint, "principal_id": self.principal_id, "resource_id": self.resource_id}
        )

    @staticmethod
    def existing(
        *,
        endpoint: Input[str],
        principal_id: Input[str | None] = None,
        resource_id: Input[str | None] = None,
        name: str | None = None,
    ) -> ExistingProject:
        """Use a project that this stack does not manage.

        Args:
            endpoint: Its data plane; from the portal, or the project's ARM output.
            principal_id: Object id of its identity; needed by AgentRegistry, and named in errors of a failed pull.
            resource_id: Its ARM id; needed to grant roles on it and to connect a registry to it.
            name: Its part in the names of grants in Pulumi; default the last part of ``endpoint`` where that is a
                plain string, else "project".

        Raises:
            pulumi.RunError: ``endpoint`` is neither text nor an Output, or ``name`` is no text.
        """
        plain.reject_problems(
            "FoundryProject.existing",
            () if isinstance(endpoint, Output) else plain.texts(endpoint=endpoint),
            plain.optional_texts(name=name),
        )
        address = endpoint.rstrip("/") if isinstance(endpoint, str) else None
        return ExistingProject(
            Output.from_input(endpoint),
            Output.from_input(principal_id),
            Output.from_input(resource_id),
            name or (address or "project").rpartition("/")[2],
            address,
        )

    @property
    def label(self) -> str:
        """The name of the component."""
        return self.pulumi_resource_name

    @property
    def identity_key(self) -> object:
        """The component itself: it is one object in a program."""
        return self

    @property
    def deleted_with(self) -> pulumi.Resource:
        """The ARM project: deleting it deletes everything in it."""
        return self.project

    @property
    def replacement_trigger(self) -> Output[str | None]:
        """The project's identity: a project that was created again has another one."""
        return self.principal_id

    @property
    def unknown_identity_remedy(self) -> str:
        """A project without a principal has its identity switched off."""
        return "its system-assigned identity has to be on"

    def grant_invoke(
        self, principal_id: Input[str], *, principal_type: PrincipalType = "ServicePrincipal", name: str | None = None
    ) -> authorization.RoleAssignment:
        """Allow a principal to call every agent of the project and nothing else: Foundry Agent Consumer [docs].

        Args:
            principal_id: Object id of the principal; a second call for it returns the same grant.
            principal_type: What kind of principal it is.
            name: The assignment is called ``{project}-invoke-{name}``; default the principal's id. A second principal
                that is known only after the update needs one.
        """
        return grant_agent_consumer(self._grants, self, principal_id, principal_type, name)

    def add_capability_host(
        self,
        *,
        storage: Sequence[Input[str]] = (),
        threads: Sequence[Input[str]] = (),
        vectors: Sequence[Input[str]] = (),
        ai_services: Sequence[Input[str]] = (),
        subnet_id: Input[str] | None = None,
        account_host: bool = True,
    ) -> cognitiveservices.ProjectCapabilityHost:
        """Add capability hosts to account and project: they keep agents' data in your own storage [docs].

        Since April 2026 hosted agents need none; it is only for your own storage, Cosmos DB and Search, and for older
        accounts. A host can't be changed, so a change replaces it [docs].

        Args:
            storage: Names of connections to storage accounts.
            threads: Names of connections to Cosmos DB.
            vectors: Names of connections to AI Search.
            ai_services: Names of connections to models of another account.
            subnet_id: ARM id of the subnet that agents run in, where the account has one.
            account_host: Create the account's host as well; False where Azure has created it [observed].
        """
        at = {"account_name": self.account_name, "resource_group_name": self.resource_group_name}
        made: list[pulumi.Resource] = [self.project]
        if account_host:
            made.append(
                cognitiveservices.AccountCapabilityHost(
                    f"{self.pulumi_resource_name}-account-capability-host",
                    capability_host_name="agents",
                    capability_host_properties=cognitiveservices.CapabilityHostArgs(
                        capability_host_kind=cognitiveservices.CapabilityHostKind.AGENTS, customer_subnet=subnet_id
                    ),
                    opts=ResourceOptions.merge(_NEVER_CHANGED, ResourceOptions(parent=self, depends_on=[self.project])),
                    **at,
                )
            )
        host = cognitiveservices.ProjectCapabilityHost(
            f"{self.pulumi_resource_name}-project-capability-host",
            capability_host_name="agents",
            project_name=self.project_name,
            project_capability_host_properties=cognitiveservices.ProjectCapabilityHostArgs(
                storage_connections=list(storage) or None,
                thread_storage_connections=list(threads) or None,
                vector_store_connections=list(vectors) or None,
                ai_services_connections=list(ai_services) or None,
            ),
            opts=ResourceOptions.merge(_NEVER_CHANGED, ResourceOptions(parent=self, depends_on=made)),
            **at,
        )
        self.before_agents.append(host)
        return host

    def _traced_by(
        self,
        wanted: Insights | None,
        location: Input[str],
        tags: Mapping[str, str] | None,
    ) -> Output[str | None]:
        if wanted is None:
            return Output.from_input(None)
        child = ResourceOptions(parent=self)
        insights = wanted.resolve(
            self.pulumi_resource_name,
            location=location,
            resource_group_name=self.resource_group_name,
            tags=tags,
            opts=child,
        )
        connection = connect_insights(
            self.pulumi_resource_name,
            insights,
            account_name=self.account_name,
            project_name=self.project_name,
            resource_group_name=self.resource_group_name,
            opts=ResourceOptions.merge(child, ResourceOptions(deleted_with=self.project)),
        )
        self.before_agents.append(connection)
        return Output.from_input(insights.resource_id)


def _data_plane(name: str, endpoints: Mapping[str, str] | None) -> str:
    found = (endpoints or {}).get(ENDPOINT_KEY)
    if not found:
        raise pulumi.RunError(
            message(
                f'FoundryProject "{name}": Resource Manager returned no endpoint "{ENDPOINT_KEY}" of the project',
                why=f"its endpoints: {', '.join(sorted(endpoints or {})) or 'none'}",
                do="wait until the project is provisioned, then `pulumi refresh` and `pulumi up`",
            )
        )
    return found.rstrip("/")


def _access(*, public: bool) -> cognitiveservices.PublicNetworkAccess:
    return cognitiveservices.PublicNetworkAccess.ENABLED if public else cognitiveservices.PublicNetworkAccess.DISABLED


def _only_from(addresses: Sequence[Input[str]]) -> cognitiveservices.NetworkRuleSetArgs | None:
    if not addresses:
        return None
    return cognitiveservices.NetworkRuleSetArgs(
        default_action=cognitiveservices.NetworkRuleAction.DENY,
        ip_rules=[cognitiveservices.IpRuleArgs(value=address) for address in addresses],
    )


def _injected_into(subnet_id: Input[str] | None) -> list[cognitiveservices.NetworkInjectionArgs] | None:
    if subnet_id is None:
        return None
    return [
        cognitiveservices.NetworkInjectionArgs(
            scenario=cognitiveservices.ScenarioType.AGENT,
            subnet_arm_id=subnet_id,
            use_microsoft_managed_network=False,
        )
    ]
