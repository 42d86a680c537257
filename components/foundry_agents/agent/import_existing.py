"""Import an existing version into a stack: build the file that `pulumi import --file` reads."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from foundry_agents.lifecycle.existing import inputs_of
from foundry_agents.lifecycle.failure.deployment_errors import VersionNotFoundError
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.resources._plugin.boundary import PROVIDER_KEY
from foundry_agents.resources.hosted_agent_version import TYPE, HostedAgentVersionProvider, computed_outputs


def import_file(
    service: AgentService, *, project_endpoint: str, agent: str, version: str, owner: str, resource_name: str
) -> dict[str, Any]:
    """Return the content of an import file for one version; nothing is changed in the service.

    Write it as JSON, run ``pulumi import --file FILE --generate-code=false --protect=false``, and declare a
    HostedAgentVersion with the same inputs: the next preview shows no change. Needs Pulumi 3.254 or newer. The agent
    was not created by this stack, so its next version needs ``take_over=True``.

    The file holds the environment's values as they are: treat it as a secret and delete it after the import.

    Args:
        service: The project's data plane.
        project_endpoint: The project's endpoint, spelt as in the program.
        agent: Name of the agent.
        version: Number of the version.
        owner: ``organization/project/stack`` of the stack that imports it.
        resource_name: Name of the resource in the program.

    Raises:
        VersionNotFoundError: When the version does not exist.
        InputError: When inputs can't describe the version, for example because its image is not pinned by digest.
    """
    seen = service.get_version(agent, version)
    if seen is None:
        raise VersionNotFoundError(agent, version)
    inputs = inputs_of(seen, project_endpoint=project_endpoint, owner=owner)
    provider = {PROVIDER_KEY: serialize_provider(HostedAgentVersionProvider())}
    # The fingerprint is secret in state, which this file can't say; nothing needs it there.
    outputs = computed_outputs(seen, VERSION_FIELDS.read(inputs)).canonical()
    computed = {key: value for key, value in outputs.items() if key != "fingerprint"}
    entry = {
        "type": TYPE,
        "name": resource_name,
        "id": seen.id,
        "inputs": {**provider, **inputs},
        "outputs": {**provider, **inputs, **computed},
    }
    return {"resources": [entry]}
