"""The inputs of ``AgentIdentity``: which agent, and the principal id that its newest version reports."""

from __future__ import annotations

from dataclasses import dataclass

from foundry_agents.lifecycle.inputs.shared import OfAgent
from foundry_agents.lifecycle.schema.fields import FieldTable, NoOutputs, OnChange, row
from foundry_agents.lifecycle.schema.parsers import text


@dataclass(frozen=True, kw_only=True)
class IdentityInputs(OfAgent):
    """Inputs of AgentIdentity."""

    principal_id: str = row(
        text(),
        "Object id of the agent's identity, `principal_id` of its HostedAgentVersion. While a new version is only "
        "planned and this is not known yet, it is expected to stay the same.",
        "recorded: one identity for all versions",
        on_change=OnChange.UPDATE,
        required=True,
        empty="",
    )


AGENT_IDENTITY_FIELDS = FieldTable("the agent's identity", IdentityInputs, NoOutputs)
"""Inputs of AgentIdentity."""
