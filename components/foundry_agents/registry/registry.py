"""Registry: what agents and images need of a container registry, whether this stack manages it or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native import authorization, cognitiveservices

from foundry_agents.grants.naming import chosen_once
from foundry_agents.grants.role_assignment import Grants, PrincipalType, Role, principal_suffix
from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.lifecycle.schema.lists import is_list
from foundry_agents.lifecycle.schema.report import shown
from foundry_agents.project.arm_id import ProjectPath
from foundry_agents.project.project import Project
from foundry_agents.resources._plugin import plain_arguments as plain

Permissions = Literal["registry", "repository"]
"""How a registry reads role assignments: for all of it, or by repository (``AbacRepositoryPermissions``)."""

_PULL: Mapping[Permissions, Role] = {"registry": Role.ACR_PULL, "repository": Role.REPOSITORY_READER}
_PUSH: Mapping[Permissions, Role] = {"registry": Role.ACR_PUSH, "repository": Role.REPOSITORY_WRITER}


class Registry(pulumi.ComponentResource):
    """A container registry that projects' identities can pull from: an ``AgentRegistry``, or an existing one.

    Args:
        name: Name of the component; its children are called ``{name}-…``.
        permissions: How it reads role assignments.
        grants: Assign roles.
        opts: Options of the component.

    Attributes:
        login_server: Host in the names of its images.
        resource_id: ARM id of the registry.
        permissions: How it reads role assignments.
        pull_role: The first project's role assignment; None without projects or grants.
        before_the_pull: Resources besides the role that must exist before any pull: private endpoint and connections.
        admits_tasks: Its own tasks, which ``AgentImage.remote_build`` uses, can reach it; True where that is not known.
    """

    login_server: Output[str]
    resource_id: Output[str]
    permissions: Permissions
    pull_role: authorization.RoleAssignment | None
    before_the_pull: Sequence[pulumi.Resource]
    admits_tasks: bool

    def __init__(self, name: str, *, permissions: Permissions, grants: bool, opts: ResourceOptions | None) -> None:
        plain.reject_problems(plain.subject_of("AgentRegistry", name), plain.texts(name=name))
        super().__init__("foundry-agents:index:AgentRegistry", name, None, opts)
        self.permissions = permissions
        self.pull_role = None
        self.before_the_pull = ()
        self.admits_tasks = True
        self._grants = Grants(self, name)
        self._grants_on = grants
        self._first: object | None = None

    def grant_pull(self, project: Project) -> authorization.RoleAssignment | None:
        """Allow a project's identity to pull; a second call for the same project returns the same grant.

        Returns:
            The assignment, to depend on before the first pull; None with ``grants`` off.
        """
        if not self._grants_on:
            return None
        who = project.identity_key
        self._first = self._first or who
        suffix = "pull" if who == self._first else f"pull-{project.label}"
        return self._grants.give(
            suffix,
            _PULL[self.permissions],
            scope=self.resource_id,
            principal_id=self._principal_of(project),
            to=who,
            opts=self._alias_options(project, suffix, "pull-"),
        )

    def grant_push(
        self, principal_id: Input[str], *, principal_type: PrincipalType = "ServicePrincipal", name: str | None = None
    ) -> authorization.RoleAssignment | None:
        """Allow a principal, such as a build pipeline's, to push images.

        Args:
            principal_id: Object id of the principal; a second call for it returns the same grant.
            principal_type: What kind of principal it is.
            name: The assignment is called ``{registry}-push-{name}``; default the principal's id. A second principal
                that is known only after the update needs one.

        Returns:
            The assignment; None with ``grants`` off.
        """
        return self._grant_role(_PUSH, "push", principal_id, principal_type, name)

    def grant_pull_to(
        self,
        principal_id: Input[str],
        *,
        principal_type: PrincipalType = "ServicePrincipal",
        name: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> authorization.RoleAssignment | None:
        """Allow any principal, such as an agent's own identity, to pull; see ``grant_push``."""
        return self._grant_role(_PULL, "pull", principal_id, principal_type, name, opts=opts)

    def _grant_to(self, projects: Sequence[Project], *, connect: bool) -> None:
        given = [self.grant_pull(project) for project in projects]
        self.pull_role = given[0] if given else None
        for number, project in enumerate(projects):
            if connect:
                self._connect(project, "connection" if number == 0 else f"connection-{project.label}")
        self.register_outputs({"login_server": self.login_server, "resource_id": self.resource_id})

    def _grant_role(
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
                    client_id=self._principal_of(project),
                    resource_id=self.resource_id,
                ),
            ),
            opts=ResourceOptions.merge(
                ResourceOptions.merge(
                    ResourceOptions(parent=self, deleted_with=project.deleted_with),
                    chosen_once({"connectionName": None}),
                ),
                self._alias_options(project, suffix, "connection-"),
            ),
        )
        self.before_the_pull = [*self.before_the_pull, connection]

    def _alias_options(self, project: Project, suffix: str, before: str) -> ResourceOptions:
        """Return aliases for a resource named after a project, ``{registry}-pull-{project}``: it follows a rename."""
        if not suffix.startswith(before):
            return ResourceOptions()
        names = (f"{self.pulumi_resource_name}-{before}{former}" for former in project.former_names)
        return ResourceOptions(aliases=[pulumi.Alias(name=name) for name in names])

    def _principal_of(self, project: Project) -> Output[str]:
        def known(principal_id: str | None) -> str:
            if not principal_id:
                raise pulumi.RunError(
                    f'AgentRegistry "{self.pulumi_resource_name}": the project\'s identity is not known; '
                    f"{project.unknown_identity_remedy}"
                )
            return principal_id

        return project.principal_id.apply(known)


def puller_problems(pulled_by: object) -> Iterator[Problem]:
    """Return what makes the argument ``pulled_by`` of a registry unusable: a project, or a list of projects."""
    if not is_list(pulled_by):
        yield from plain.projects("pulled_by", pulled_by)
        return
    for position, project in enumerate(pulled_by):
        yield from plain.projects(f"pulled_by[{position}]", project)


def mode_problems(permissions: object) -> Iterator[Problem]:
    """Return a problem unless ``permissions`` is one of the registry's two modes."""
    if not isinstance(permissions, str) or permissions not in _PULL:
        yield Problem("permissions", f"{shown(permissions)}: one of {', '.join(_PULL)}")


def listed(projects: Project | Sequence[Project]) -> Sequence[Project]:
    """Return a list, also of a single project."""
    return projects if isinstance(projects, Sequence) else [projects]
