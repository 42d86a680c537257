"""Reads the inputs of a version back from the service: what a program would have to say to describe it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundry_agents.lifecycle.definition import VERSION_FIELDS
from foundry_agents.lifecycle.errors import InputError
from foundry_agents.lifecycle.fields import Values
from foundry_agents.lifecycle.ports import VersionView
from foundry_agents.lifecycle.rules import RESERVED_METADATA_PREFIX


def inputs_of(version: VersionView, *, project_endpoint: str, owner: str) -> Values:
    """The canonical inputs that describe a version that exists.

    What the service adds (empty lists, a blank description, the shape of earlier releases) is undone, so that these
    inputs and a program that says the same have no difference.

    Raises:
        InputError: The version can't be described: its image is not pinned by digest, or it is no image agent.
    """
    definition = version.definition
    container = definition.get("container_configuration") or {}
    idle = (definition.get("session_configuration") or {}).get("idle_timeout_seconds")
    props: dict[str, object] = {
        "project_endpoint": project_endpoint,
        "agent_name": version.agent,
        "image": container.get("image") or definition.get("image"),
        "registry_connection": container.get("registry_connection_id"),
        "cpu": definition.get("cpu"),
        "memory": definition.get("memory"),
        "protocols": _protocols(definition),
        "environment": definition.get("environment_variables"),
        "session_idle_timeout_s": idle,
        "memory_snapshot": definition.get("enable_memory_snapshot"),
        "rai_policy": (definition.get("rai_config") or {}).get("rai_policy_name"),
        "description": version.description,
        "metadata": {k: v for k, v in version.metadata.items() if not k.startswith(RESERVED_METADATA_PREFIX)},
        "owner": owner,
        # Whatever size it has, the service has accepted it.
        "accept_new_tier": True,
    }
    values, problems = VERSION_FIELDS.normalise(props)
    if problems:
        raise InputError(f"version {version.id}, which can't be described as a HostedAgentVersion", problems)
    return values


def _protocols(definition: Mapping[str, Any]) -> dict[str, str]:
    """Both shapes: today's list, and the one of earlier releases, which is echoed as it was [recorded]."""
    records = definition.get("protocol_versions") or definition.get("container_protocol_versions") or []
    return {record["protocol"]: record["version"] for record in records}
