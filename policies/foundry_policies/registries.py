"""Container registries."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_policies.rule import REGISTRY, Rule, Seen

_POLICY = ("policies", "azureADAuthenticationAsArmPolicy", "status")


def _admin_user(seen: Seen) -> Iterator[str]:
    if seen.value("adminUserEnabled") is True:
        yield "the admin user is enabled: everyone shares one password that can push"


def _refuses_arm_tokens(seen: Seen) -> Iterator[str]:
    status = seen.value(*_POLICY)
    if str(status).lower() != "enabled" and seen.is_known(*_POLICY):
        stated = "is not set" if status is None else f'is "{status}"'
        yield f"policies.azureADAuthenticationAsArmPolicy.status {stated}: agents can't pull without it"


ADMIN_USER_OFF = Rule(
    "registry-admin-user-off",
    "A registry has no admin user.",
    Severity.HIGH,
    "set admin_user_enabled=False, and assign AcrPush to everyone who pushes",
    (REGISTRY,),
    _admin_user,
)

ACCEPTS_ARM_TOKENS = Rule(
    "registry-accepts-arm-tokens",
    "A registry accepts tokens for Azure Resource Manager, which Foundry uses to pull.",
    Severity.HIGH,
    "use fa.AgentRegistry, or set the policy's status to enabled",
    (REGISTRY,),
    _refuses_arm_tokens,
)
