"""AgentIdentity: who an agent is, known also while its next version is only planned."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.inputs.identity import AGENT_IDENTITY_FIELDS
from foundry_agents.resources._plugin.boundary import is_unknown, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.table_provider import TableProvider


class AgentIdentityProvider(TableProvider):
    """Keeps what it is told; makes no request. Its import path is in users' state: never move it."""

    table = AGENT_IDENTITY_FIELDS

    @readable_errors
    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """An identity that is not known yet is taken to stay: all versions of an agent have one [recorded].

        Without this every new version would show, in the preview, a role that is taken away and given anew. When the
        version is made, the identity is known and compared.
        """
        known = {**news, "principal_id": olds.get("principal_id")} if is_unknown(news.get("principal_id")) else news
        return super().diff(_id, olds, known)

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Keeps the identity."""
        values = self.values(props)
        return CreateResult(str(values["agent_name"]), self.outputs(values, {}))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The version's own read sees a changed identity; here nothing is looked up."""
        return ReadResult(id_, self.outputs(self.values(props), {}))

    @readable_errors
    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Keeps the new identity."""
        return UpdateResult(self.outputs(self.values(news), {}))

    @readable_errors
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing to do: the identity goes with the agent."""


class AgentIdentity(Resource, module="foundry", name="AgentIdentity"):
    """An agent's own Entra identity, to give roles to.

    Attributes:
        principal_id: Its object id.
    """

    principal_id: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        project_endpoint: Input[str],
        agent_name: Input[str],
        principal_id: Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the identity of an agent, as its version says it."""
        props: dict[str, Any] = {
            "project_endpoint": project_endpoint,
            "agent_name": agent_name,
            "principal_id": principal_id,
        }
        super().__init__(AgentIdentityProvider(), resource_name, props, opts)
        unknown_until_made(self, props)
