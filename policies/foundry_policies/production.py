"""Rules for production only."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_policies.rule import ACCOUNT, PROJECT, REGISTRY, RESOURCE_GROUP, ROLLOUT, STACKS, Rule, Seen

LEAST_KEPT = 2


def _keeps_too_few(seen: Seen) -> Iterator[str]:
    keep = seen.value("keep_versions")
    if seen.is_production and keep is not None and keep < LEAST_KEPT:
        yield f"keep_versions is {keep:g}: a rollback would not find the former version"


def _unprotected(seen: Seen) -> Iterator[str]:
    if seen.is_production and not seen.is_protected:
        yield "it is not protected: one wrong `pulumi destroy`, or one deleted line, would delete it"


KEEPS_VERSIONS = Rule(
    "production-keeps-versions",
    "In production an agent keeps two versions or more.",
    Severity.MEDIUM,
    "set keep_versions to 2 or more, or leave it out to keep all",
    (ROLLOUT,),
    _keeps_too_few,
    STACKS,
)

IS_PROTECTED = Rule(
    "production-is-protected",
    "In production accounts, projects, registries and agents are protected.",
    Severity.MEDIUM,
    "set protect=True on the component, or `production: true` in the stack's file",
    (ACCOUNT, PROJECT, REGISTRY, RESOURCE_GROUP, ROLLOUT),
    _unprotected,
    STACKS,
)
