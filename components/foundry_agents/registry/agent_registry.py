"""AgentRegistry: a container registry that projects' identities can pull from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization, cognitiveservices, containerregistry

from foundry_agents.grants.naming import chosen_once, unique_name
from foundry_agents.grants.role_assignment import Grants, PrincipalType, Role, principal_suffix
from foundry_agents.project.arm_id import ProjectPath
from foundry_agents.project.foundry_project import ExistingProject, FoundryProject, Project, gone_with
from foundry_agents.project.known_values import Getter, in_previews_too
from foundry_agents.project.private_endpoint import PrivateEndpoint, create_private_endpoint

Permissions = Literal["registry", "repository"]
"""How a registry reads role assignments: for all of it, or by repository (``AbacRepositoryPermissions``)."""

_REGISTRY = Getter(
    "azure-native:containerregistry:getRegistry",
    {"resourceGroups": "resourceGroupName", "registries": "registryName"},
)

_PULL: Mapping[Permissions, Role] = {"registry": Role.ACR_PULL, "repository": Role.REPOSITORY_READER}
_PUSH: Mapping[Permissions, Role] = {"registry": Role.ACR_PUSH, "repository": Role.REPOSITORY_WRITER}


class AgentRegistry(pulumi.ComponentResource):
    """An Azure container registry, and the right to pull from it for the identities of projects.

    The policy that accepts ARM-audience tokens is switched on: without it every pull fails in spite of the right
    roles [observed]. The admin user is off.

    Args:
        name: Name of the component; its children are called ``{name}-…``.
        pulled_by: The project, or projects, whose agents run images from here. A project whose agent is given an
            image of this registry gets the right then, if it is not among them.
        resource_group_name: Where to put it; None takes the first project's own group.
        location: Azure region; None takes the resource group's.
        registry_name: 5 to 50 lower-case letters and digits, unique in all of Azure; None makes one from the stack,
            once.
        sku: Basic, Standard or Premium.
        permissions: ``registry`` grants AcrPull and AcrPush; ``repository`` grants Container Registry Repository Reader
            and Writer, the only ones that count in a registry of that mode [docs]. azure-native 3.29 can't set the mode
            of a registry (its API version has none): ``az acr update --role-assignment-mode`` does.
        retention_days: Days after which images without a tag are deleted; Premium alone [docs]. An agent's version
            pulls by digest, so keep a tag on every image that a kept version runs. None keeps everything.
        public_access: The registry answers on the public network; only Premium can do without [docs].
        private_endpoint: An address in your own network; Premium alone [docs].
        connect: Make a connection of category ContainerRegistry in each project; not needed where the project's
            identity can pull [azd].
        grants: Assign roles. False where somebody else does, as when the deployer may not: no assignment is made.
        tags: Tags for the registry.

    Attributes:
        login_server: Host that images are named by.
        resource_id: ARM id of the registry.
        permissions: How it reads role assignments.
        pull_role: The first project's role assignment; None without projects or grants.
        before_the_pull: What has to be there before any pull, beside the role: private endpoint and connections.
    """

    login_server: Output[str]
    resource_id: Output[str]
    permissions: Permissions
    pull_role: authorization.RoleAssignment | None
    _first: object | None

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
        private_endpoint: PrivateEndpoint | None = None,
        connect: bool = False,
        grants: bool = True,
        tags: Mapping[str, str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("foundry-agents:index:AgentRegistry", name, None, opts)
        projects = _listed(pulled_by)
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
        reached: list[pulumi.Resource] = []
        if private_endpoint is not None:
            reached = create_private_endpoint(
                private_endpoint,
                name,
                registry.id.apply(str),
                group_id="registry",
                resource_group_name=resource_group_name,
                opts=ResourceOptions(parent=self),
            )
        self._take_up(
            name,
            login_server=in_previews_too(
                registry.login_server, registry, _REGISTRY, lambda found: str(found["loginServer"])
            ),
            resource_id=registry.id.apply(str),
            permissions=permissions,
            grants=grants,
            before_the_pull=reached,
        )
        self._serve(projects, connect=connect)

    @staticmethod
    def existing(
        name: str,
        *,
        login_server: Input[str],
        resource_id: Input[str],
        pulled_by: Project | Sequence[Project] = (),
        permissions: Permissions = "registry",
        connect: bool = False,
        grants: bool = True,
        opts: ResourceOptions | None = None,
    ) -> AgentRegistry:
        """A registry that is there already, in any resource group or subscription; only roles on it are made.

        Args:
            name: Name of the component; the grants are called ``{name}-…``.
            login_server: Its host, as ARM reports it: it is not always its name and ``.azurecr.io`` [docs].
            resource_id: Its ARM id.
            pulled_by: See AgentRegistry.
            permissions: The mode that it is in; see AgentRegistry.
            connect: See AgentRegistry.
            grants: See AgentRegistry.
            opts: Options.
        """
        return _ExistingRegistry(
            name,
            login_server=login_server,
            resource_id=resource_id,
            pulled_by=pulled_by,
            permissions=permissions,
            connect=connect,
            grants=grants,
            opts=opts,
        )

    def grant_pull(self, project: Project) -> authorization.RoleAssignment | None:
        """Lets a project's identity pull; asked for again, the grant that is there is returned.

        Returns:
            The assignment, to depend on before the first pull; None with ``grants`` off.
        """
        if not self._grants_on:
            return None
        who = _identity(project)
        self._first = self._first or who
        suffix = "pull" if who == self._first else f"pull-{_label(project)}"
        return self._grants.give(
            suffix,
            _PULL[self.permissions],
            scope=self.resource_id,
            principal_id=project.principal_id.apply(lambda known: _needed(known, self.pulumi_resource_name, project)),
            to=who,
            opts=self._called_before(project, suffix, "pull-"),
        )

    def grant_push(
        self, principal_id: Input[str], *, principal_type: PrincipalType = "ServicePrincipal", name: str | None = None
    ) -> authorization.RoleAssignment | None:
        """Lets a principal, such as a build pipeline's, push images.

        Args:
            principal_id: Object id of who may push; asked for again, the grant that is there is returned.
            principal_type: What that is.
            name: The assignment is called ``{registry}-push-{name}``; default the principal's id. A second principal
                that is known only after the update needs one.

        Returns:
            The assignment; None with ``grants`` off.
        """
        return self._let(_PUSH, "push", principal_id, principal_type, name)

    def grant_pull_to(
        self,
        principal_id: Input[str],
        *,
        principal_type: PrincipalType = "ServicePrincipal",
        name: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> authorization.RoleAssignment | None:
        """Lets any principal pull, such as an agent's own identity; see ``grant_push``."""
        return self._let(_PULL, "pull", principal_id, principal_type, name, opts=opts)

    @property
    def before_the_pull(self) -> Sequence[pulumi.Resource]:
        """What has to be there before any pull, beside the role."""
        return tuple(self._before_the_pull)

    def _take_up(
        self,
        name: str,
        *,
        login_server: Input[str],
        resource_id: Input[str],
        permissions: Permissions,
        grants: bool,
        before_the_pull: Sequence[pulumi.Resource] = (),
    ) -> None:
        self._grants = Grants(self, name)
        self._grants_on = grants
        self._first = None
        self._before_the_pull = before_the_pull
        self.permissions = permissions
        self.login_server = Output.from_input(login_server)
        self.resource_id = Output.from_input(resource_id)

    def _serve(self, projects: Sequence[Project], *, connect: bool) -> None:
        given = [self.grant_pull(project) for project in projects]
        self.pull_role = given[0] if given else None
        for number, project in enumerate(projects):
            if connect:
                self._connect(project, "connection" if number == 0 else f"connection-{_label(project)}")
        self.register_outputs({"login_server": self.login_server, "resource_id": self.resource_id})

    def _let(
        self,
        roles: Mapping[Permissions, Role],
        verb: str,
        principal_id: Input[str],
        principal_type: PrincipalType,
        name: str | None,
        *,
        opts: ResourceOptions | None = None,
    ) -> authorization.RoleAssignment | None:
        if not self._grants_on:
            return None
        return self._grants.give(
            principal_suffix(verb, principal_id, name),
            roles[self.permissions],
            scope=self.resource_id,
            principal_id=principal_id,
            principal_type=principal_type,
            opts=opts,
        )

    def _connect(self, project: Project, suffix: str) -> None:
        where = project.resource_id.apply(
            lambda known: ProjectPath.of(known, needed_for=f'AgentRegistry "{self.pulumi_resource_name}", connect')
        )
        connection = cognitiveservices.ProjectConnection(
            f"{self.pulumi_resource_name}-{suffix}",
            connection_name=self.pulumi_resource_name,
            resource_group_name=where.apply(lambda path: path.resource_group_name),
            account_name=where.apply(lambda path: path.account_name),
            project_name=where.apply(lambda path: path.project_name),
            properties=cognitiveservices.ManagedIdentityAuthTypeConnectionPropertiesArgs(
                auth_type="ManagedIdentity",
                category=cognitiveservices.ConnectionCategory.CONTAINER_REGISTRY,
                target=self.login_server,
                credentials=cognitiveservices.ConnectionManagedIdentityArgs(
                    client_id=project.principal_id.apply(
                        lambda known: _needed(known, self.pulumi_resource_name, project)
                    ),
                    resource_id=self.resource_id,
                ),
            ),
            opts=ResourceOptions.merge(
                ResourceOptions.merge(
                    ResourceOptions(parent=self, deleted_with=gone_with(project)), chosen_once({"connectionName": None})
                ),
                self._called_before(project, suffix, "connection-"),
            ),
        )
        self._before_the_pull = [*self._before_the_pull, connection]

    def _called_before(self, project: Project, suffix: str, before: str) -> ResourceOptions:
        """Aliases of what is called after a project, ``{registry}-pull-{project}``: it follows a renamed project."""
        if not suffix.startswith(before) or not isinstance(project, FoundryProject):
            return ResourceOptions()
        names = (f"{self.pulumi_resource_name}-{before}{former}" for former in project.former_names)
        return ResourceOptions(aliases=[pulumi.Alias(name=name) for name in names])


class _ExistingRegistry(AgentRegistry):
    """The component of a registry that is there already: its roles and connections alone."""

    def __init__(
        self,
        name: str,
        *,
        login_server: Input[str],
        resource_id: Input[str],
        pulled_by: Project | Sequence[Project],
        permissions: Permissions,
        connect: bool,
        grants: bool,
        opts: ResourceOptions | None,
    ) -> None:
        pulumi.ComponentResource.__init__(self, "foundry-agents:index:AgentRegistry", name, None, opts)
        self._take_up(name, login_server=login_server, resource_id=resource_id, permissions=permissions, grants=grants)
        self._serve(_listed(pulled_by), connect=connect)


def _listed(projects: Project | Sequence[Project]) -> Sequence[Project]:
    return projects if isinstance(projects, Sequence) else [projects]


def _group_of(registry: str, projects: Sequence[Project]) -> Output[str]:
    if projects and isinstance(projects[0], FoundryProject):
        return projects[0].resource_group_name
    raise pulumi.RunError(f'AgentRegistry "{registry}": resource_group_name is needed with an existing project')


def _check_sku(registry: str, sku: Input[str], wanted: Mapping[str, bool]) -> None:
    """Refuses what Azure has for Premium alone [docs], all of it at once; a SKU known later is Azure's to refuse."""
    refused = [option for option, is_wanted in wanted.items() if is_wanted]
    if refused and isinstance(sku, str) and sku.lower() != "premium":
        raise pulumi.RunError(
            f'AgentRegistry "{registry}": sku "Premium" is needed for {", ".join(refused)}, not "{sku}"'
        )


def _identity(project: Project) -> object:
    """What tells two mentions of one project from two projects."""
    return (project.address or project) if isinstance(project, ExistingProject) else project


def _label(project: Project) -> str:
    if isinstance(project, FoundryProject):
        return project.pulumi_resource_name
    return project.name if isinstance(project, ExistingProject) else "project"


def _needed(principal_id: str | None, registry: str, project: Project) -> str:
    if not principal_id:
        do = (
            "its system-assigned identity has to be on"
            if isinstance(project, FoundryProject)
            else "pass principal_id to FoundryProject.existing(…)"
        )
        raise pulumi.RunError(f'AgentRegistry "{registry}": the project\'s identity is not known; {do}')
    return principal_id
