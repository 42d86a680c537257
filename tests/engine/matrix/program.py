"""The program of every stack of the matrix: the six kinds, with the settings of `given.json` in its folder.

It does not import tests, so that it can be copied into a project of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi import Alias, ResourceOptions

import foundry_agents as fa

KINDS = ("agent", "pair", "toolbox", "store", "project", "registry")
"""Agent by component, agent by two resources, toolbox, vector store, Foundry project, registry."""
RENAMED = {
    "support": "helper",
    "pair": "couple",
    "pair-rollout": "couple-rollout",
    "box": "kit",
    "faq": "pages",
    "shop": "market",
    "images": "pictures",
}
"""What the resources are called after a rename."""
FILE = "faq.md"


@dataclass(frozen=True)
class Settings:
    """What a stack's program is given.

    Attributes:
        endpoint: Data plane of the Foundry project that agents, toolboxes and stores live in.
        principal: Its identity.
        resource: Its ARM id.
        image: What the agents run.
        declares: Kinds that the program has.
        rollout: The agent by two resources has the second one.
        greeting: A variable of both agents.
        role: The agent by component is given the role that toolboxes ask for.
        search: Both toolboxes have one tool more.
        moved: Kinds that a rename, an alias, another parent or another provider instance are about.
        renamed: They have other names in Pulumi.
        aliases: They name what they were called before, or whose children they were.
        names: Names in Azure that are given; one that is missing is left to the component.
        parent: Name of a component above them.
        instance: Name of an explicit provider instance for our resources.
        organization: What Pulumi says the organisation is.
        take_over: Take over what other stacks made.
        delete_before_replace: On every resource.
        retain: `retain_on_delete` on every resource.
        protect: On every resource.
    """

    endpoint: str
    principal: str
    resource: str
    image: str
    declares: tuple[str, ...] = KINDS
    rollout: bool = True
    greeting: str = "Hello"
    role: bool = True
    search: bool = False
    moved: tuple[str, ...] = KINDS
    renamed: bool = False
    aliases: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    instance: str = ""
    organization: str = ""
    take_over: bool = False
    delete_before_replace: bool = False
    retain: bool = False
    protect: bool = False


class Team(pulumi.ComponentResource):
    """A component of the user's own, above ours."""

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Team", name)


class Program:
    """Declares what the settings say."""

    def __init__(self, given: Settings) -> None:
        self._given = given
        self._parent = Team(given.parent) if given.parent else None
        self._mine = pulumi.ProviderResource("pulumi-python", given.instance, {}) if given.instance else None
        self._project = fa.FoundryProject.existing(
            endpoint=given.endpoint, principal_id=given.principal, resource_id=given.resource
        )

    def declare(self) -> None:
        """All of it."""
        given = self._given
        store = self._store() if "store" in given.declares else None
        if "toolbox" in given.declares:
            self._toolbox(store)
        if "agent" in given.declares:
            self._agent()
        if "pair" in given.declares:
            self._pair()
        project = self._foundry() if {"project", "registry"} & {*given.declares} else None
        if project and "registry" in given.declares:
            name = self._name("registry", "images")
            fa.AgentRegistry(
                name,
                pulled_by=project,
                registry_name=given.names.get("registry"),
                opts=self._options("registry", "images", component=True),
            )

    def _store(self) -> fa.VectorStore:
        return fa.VectorStore(
            self._name("store", "faq"),
            project_endpoint=self._given.endpoint,
            store_name=self._given.names.get("store"),
            files=[FILE],
            poll_interval_s=0.2,
            opts=self._options("store", "faq"),
        )

    def _toolbox(self, store: fa.VectorStore | None) -> None:
        tools: list[dict[str, Any]] = [{"type": "code_interpreter"}]
        if store is not None:
            tools.append({"type": "file_search", "vector_store_ids": [store.vector_store_id]})
        if self._given.search:
            tools.append({"type": "web_search"})
        fa.ToolboxVersion(
            self._name("toolbox", "box"),
            project_endpoint=self._given.endpoint,
            toolbox_name="box",
            tools=tools,
            take_over=self._given.take_over,
            opts=self._options("toolbox", "box"),
        )

    def _agent(self) -> None:
        given = self._given
        fa.HostedAgent(
            self._name("agent", "support"),
            project=self._project,
            agent_name=given.names.get("agent"),
            image=fa.AgentImage.pinned(given.image, check=False),
            environment={"GREETING": given.greeting},
            tools=[fa.CodeInterpreter(), *([fa.WebSearch()] if given.search else [])],
            grant_toolbox_role=given.role,
            take_over=given.take_over,
            force_delete=True,
            timeout_s=60,
            poll_interval_s=0.2,
            opts=self._options("agent", "support", component=True),
        )

    def _pair(self) -> None:
        given = self._given
        version = fa.HostedAgentVersion(
            self._name("pair", "pair"),
            project_endpoint=given.endpoint,
            agent_name="pair",
            image=given.image,
            check_image=False,
            environment={"GREETING": given.greeting},
            kept_by_rollout=True,
            take_over=given.take_over,
            force_delete=True,
            timeout_s=60,
            poll_interval_s=0.2,
            opts=self._options("pair", "pair"),
        )
        if given.rollout:
            fa.AgentRollout(
                self._name("pair", "pair-rollout"),
                project_endpoint=given.endpoint,
                agent_name=version.agent_name,
                version=version.version,
                force_delete=True,
                poll_interval_s=0.2,
                opts=self._options("pair", "pair-rollout"),
            )

    def _foundry(self) -> fa.FoundryProject:
        names = self._given.names
        return fa.FoundryProject(
            self._name("project", "shop"),
            location="eastus2",
            resource_group_name="agents",
            account_name=names.get("account"),
            project_name=names.get("project"),
            opts=self._options("project", "shop", component=True),
        )

    def _name(self, kind: str, name: str) -> str:
        return RENAMED[name] if self._given.renamed and kind in self._given.moved else name

    def _options(self, kind: str, name: str, *, component: bool = False) -> ResourceOptions | None:
        given = self._given
        if kind not in given.moved:
            return None
        before: list[Alias] = []
        if given.aliases and given.renamed:
            before.append(Alias(name=name))
        if given.aliases and given.parent:
            before.append(Alias(parent=pulumi.ROOT_STACK_RESOURCE))
        options = ResourceOptions(parent=self._parent, aliases=list(before) or None)
        if self._mine is not None and component:
            return ResourceOptions.merge(options, ResourceOptions(providers=[self._mine]))
        if self._mine is not None:
            return ResourceOptions.merge(options, ResourceOptions(provider=self._mine))
        return options


def deploy(given: Settings) -> None:
    """Declare the stack."""
    if given.organization:
        pulumi.get_organization = lambda: given.organization
    if given.delete_before_replace or given.retain or given.protect:
        everywhere = ResourceOptions(
            delete_before_replace=given.delete_before_replace or None,
            retain_on_delete=given.retain or None,
            protect=given.protect or None,
        )
        pulumi.runtime.register_stack_transformation(
            lambda made: pulumi.ResourceTransformationResult(made.props, ResourceOptions.merge(made.opts, everywhere))
        )
    Program(given).declare()


if __name__ == "__main__":
    deploy(Settings(**json.loads(Path("given.json").read_text(encoding="utf-8"))))
