"""The inputs of ``AgentIdentity``: whose identity, and what the agent's newest version says of it."""

from __future__ import annotations

from foundry_agents.lifecycle.inputs.version import IDENTITY_FIELDS
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, OnChange, text

AGENT_IDENTITY_FIELDS = FieldTable(
    "the agent's identity",
    (
        *IDENTITY_FIELDS,
        Field(
            "principal_id",
            text(),
            "Object id of the agent's identity, `principal_id` of its HostedAgentVersion. While a new version is only "
            "planned, and this not known, it is taken to stay.",
            "recorded: one identity for all versions",
            on_change=OnChange.UPDATE,
            required=True,
        ),
    ),
)
"""Inputs of AgentIdentity."""
