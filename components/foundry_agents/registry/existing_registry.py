"""ExistingRegistry: a container registry that this stack uses and does not manage."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi import Input, Output, ResourceOptions

from foundry_agents.project.project import Project
from foundry_agents.registry.registry import Permissions, Registry, listed, mode_problems, puller_problems
from foundry_agents.resources._plugin import plain_arguments as plain


class ExistingRegistry(Registry):
    """A registry that exists, in any resource group or subscription; only roles on it and connections are created.

    Args:
        name: Name of the component; the grants are called ``{name}-…``.
        login_server: Its host, as ARM reports it: it is not always its name and ``.azurecr.io`` [docs].
        resource_id: Its ARM id.
        pulled_by: See AgentRegistry.
        permissions: Its mode; see AgentRegistry.
        connect: See AgentRegistry.
        grants: See AgentRegistry.
        opts: Options.
    """

    def __init__(
        self,
        name: str,
        *,
        login_server: Input[str],
        resource_id: Input[str],
        pulled_by: Project | Sequence[Project] = (),
        permissions: Permissions = "registry",
        connect: bool = False,
        grants: bool = True,
        opts: ResourceOptions | None = None,
    ) -> None:
        plain.reject_problems(
            plain.subject_of("AgentRegistry.existing", name),
            plain.texts(name=name),
            puller_problems(pulled_by),
            mode_problems(permissions),
            plain.flags(connect=connect, grants=grants),
        )
        super().__init__(name, permissions=permissions, grants=grants, opts=opts)
        self.login_server = Output.from_input(login_server)
        self.resource_id = Output.from_input(resource_id)
        self._grant_to(listed(pulled_by), connect=connect)
