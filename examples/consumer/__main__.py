"""An app of another team that reads the contract of the agents' stack and may call one agent."""

import pulumi
from pulumi_azure_native import authorization

import foundry_agents as fa

FOUNDRY_AGENT_CONSUMER = "eed3b665-ab3a-47b6-8f48-c9382fb1dad6"
"""The role that may only invoke; by GUID, because names of roles have changed before."""

config = pulumi.Config()
contract = fa.AgentContract.from_stack(config.require("agents"))
support = contract.agent("support")


def scope(found: list[str | None]) -> str:
    """Return the id of the agent in Resource Manager."""
    project, agent = found
    if project is None:
        raise pulumi.RunError(
            f'the contract of stack "{contract.stack}" has no ARM id of its project, so no role can be assigned on it\n'
            "  Do: ask its owners to set project.resource_id in their stack's file"
        )
    return f"{project}/agents/{agent}"


authorization.RoleAssignment(
    "call-support",
    scope=pulumi.Output.all(contract.project.resource_id, support.agent_name).apply(scope),
    principal_id=config.require("callerPrincipal"),
    principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
    role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{FOUNDRY_AGENT_CONSUMER}",
)

# The app needs these for its own deployment.
pulumi.export("responses_url", support.responses_url)
pulumi.export("version", support.version)
