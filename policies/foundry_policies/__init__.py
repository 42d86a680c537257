"""The policy pack of stacks with hosted agents: rules for every preview and update of any program."""

from pulumi_policy import EnforcementLevel, PolicyPack

from foundry_policies import environment, images, production, regions, registries, roles, sizes, toolboxes

RULES = (
    images.PINNED,
    environment.NO_SECRETS,
    toolboxes.NO_SECRETS,
    registries.ADMIN_USER_OFF,
    registries.ACCEPTS_ARM_TOKENS,
    roles.LEAST_PRIVILEGE,
    roles.BELOW_THE_SUBSCRIPTION,
    production.KEEPS_VERSIONS,
    production.IS_PROTECTED,
    sizes.WITHIN_LIMIT,
    regions.ALLOWED,
)


def serve() -> None:
    """Serve the pack until the engine ends."""
    PolicyPack(
        "foundry-agents",
        policies=[rule.policy() for rule in RULES],
        enforcement_level=EnforcementLevel.MANDATORY,
        display_name="Foundry hosted agents",
        tags=["azure", "microsoft-foundry"],
    )
