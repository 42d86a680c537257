"""The inputs that a program would need to describe a version that exists in the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.lifecycle.inputs.rules import RESERVED_METADATA_PREFIX
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.schema.enums import AgentProtocol, Runtime, known
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.lifecycle.views import VersionView


def inputs_of(version: VersionView, *, project_endpoint: str, owner: str) -> Values:
    """Return the canonical inputs that describe an existing version.

    What the service adds (empty lists, a blank description, the format of earlier releases) is removed, so that a
    preview of a program with the same inputs shows no difference.

    Raises:
        InputError: The version can't be described: its image is not pinned by digest, or it has something that this
            release has no input for.
    """
    definition = version.definition
    container = definition.get("container_configuration") or {}
    rai = definition.get("rai_config") or {}
    protocols = _protocols(definition)
    code = _code(definition.get("code_configuration") or {})
    idle = (definition.get("session_configuration") or {}).get("idle_timeout_seconds")
    props: dict[str, object] = {
        "project_endpoint": project_endpoint,
        "agent_name": version.agent,
        "image": container.get("image") or definition.get("image"),
        "code": code,
        "registry_connection": container.get("registry_connection_id"),
        "cpu": definition.get("cpu"),
        "memory": definition.get("memory"),
        "protocols": protocols,
        "environment": definition.get("environment_variables"),
        "session_idle_timeout_s": idle,
        "memory_snapshot": definition.get("enable_memory_snapshot"),
        "rai_policy": rai.get("rai_policy_name"),
        "rai_moderation": rai.get("invocations_moderation"),
        "telemetry": [_collector(one) for one in (definition.get("telemetry_config") or {}).get("endpoints") or []],
        "description": version.description,
        "metadata": {k: v for k, v in version.metadata.items() if not k.startswith(RESERVED_METADATA_PREFIX)},
        "owner": owner,
        # The service has accepted any value that it has.
        "accept_new_tier": True,
        "accept_new": _newer(protocols, code),
    }
    values, problems = VERSION_FIELDS.normalise(props)
    if problems:
        raise InputError(f"version {version.id}, which can't be described as a HostedAgentVersion", problems)
    return values


def _protocols(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the protocols from today's list, or from that of earlier releases, which is echoed [recorded]."""
    records = definition.get("protocol_versions") or definition.get("container_protocol_versions") or []
    return {record["protocol"]: record["version"] for record in records}


def _code(configuration: Mapping[str, Any]) -> dict[str, object]:
    """Return the code with our name for the digest, which the service reports as ``content_hash`` [recorded]."""
    return {"sha256" if name == "content_hash" else name: value for name, value in configuration.items()}


def _collector(endpoint: Mapping[str, Any]) -> dict[str, object]:
    auth = endpoint.get("auth")
    # An unknown kind stays as it is, and is refused by its name.
    known = {name: value for name, value in endpoint.items() if (name, value) != ("kind", "OTLP") and name != "auth"}
    if not auth:
        return known
    header = {"name" if name == "header_name" else name: value for name, value in auth.items()}
    if header.get("type") == "header":
        del header["type"]
    return {**known, "header": header}


def _newer(protocols: Mapping[str, str], code: Mapping[str, object]) -> list[str]:
    runtime = str(code.get("runtime") or "")
    newer = {name for name in protocols if name not in known(AgentProtocol)}
    return sorted(newer | ({runtime} if runtime and runtime not in known(Runtime) else set()))
