"""AgentIdentity: the identity of an agent, known also while its next version is only planned.

Inputs are the rows of ``lifecycle/inputs/identity.py``; check and diff follow from them (``TableProvider``), except
that an identity that is not known yet is expected to stay. Another identity updates it.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.inputs.identity import AGENT_IDENTITY_FIELDS
from foundry_agents.resources._plugin.boundary import is_unknown, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.table_provider import TableProvider


class AgentIdentity(Resource, module="foundry", name="AgentIdentity"):
    """An agent's own Entra identity, to assign roles to.

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
        """Declare the identity of an agent, as its version reports it."""
        props: dict[str, Any] = {
            "project_endpoint": project_endpoint,
            "agent_name": agent_name,
            "principal_id": principal_id,
        }
        super().__init__(AgentIdentityProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class AgentIdentityProvider(TableProvider):
    """Keep the identity in state; make no request. The import path is in users' state: never move it."""

    table = AGENT_IDENTITY_FIELDS

    def planned(self, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        """Expect an identity that is not known yet to stay: all versions of an agent have one [recorded]. Pure.

        Without this every new version would show, in the preview, a role that is removed and assigned again. When the
        version exists, the identity is known and compared.
        """
        return {**news, "principal_id": olds.get("principal_id")} if is_unknown(news.get("principal_id")) else news

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Keep the identity."""
        inputs = AGENT_IDENTITY_FIELDS.read(props)
        return CreateResult(inputs.agent_name, self.state(inputs, {}))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return state as it is: the version's own read sees a changed identity."""
        return ReadResult(id_, self.state(AGENT_IDENTITY_FIELDS.read(props), {}))

    @readable_errors
    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Keep the new identity."""
        return UpdateResult(self.state(AGENT_IDENTITY_FIELDS.read(news), {}))

    @readable_errors
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Do nothing: the identity is deleted with the agent."""
