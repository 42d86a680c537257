"""Every rule refuses a violation and accepts everything else. Case 58."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi_policy import ResourceValidationArgs
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from foundry_policies import RULES, environment, images, production, regions, registries, roles, sizes, toolboxes
from foundry_policies.rule import (
    ACCOUNT,
    PROJECT,
    REGISTRY,
    RESOURCE_GROUP,
    ROLE_ASSIGNMENT,
    ROLLOUT,
    TOOLBOX,
    VERSION,
    Rule,
)

DIGEST = "sha256:" + "a1" * 32
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
REGISTRY_ID = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/images"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
ACR_PULL = f"{ROLES}/7f951dda-4ed3-4680-a7ca-43fe172d538d"
OWNER = f"{ROLES}/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = f"{ROLES}/B24988AC-6180-42A0-AB88-20F7382DD24C"
ARM_TOKENS = {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}}


def _found(
    rule: Rule,
    kind: str,
    props: dict[str, Any],
    *,
    stack: str = "dev",
    protect: bool = False,
    config: dict[str, Any] | None = None,
) -> list[str]:
    """Return the messages of a rule for one resource."""
    urn = f"urn:pulumi:{stack}::foundry-agents::{kind}::it"
    opts = SimpleNamespace(protect=protect)
    reported: list[str] = []
    args = ResourceValidationArgs(kind, unknown_checking_proxy(props), urn, "it", opts, None, config)  # type: ignore[arg-type]
    rule.check(args, lambda text, _urn: reported.append(text))
    return reported


GOOD: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        VERSION,
        {
            "image": f"acme.azurecr.io/support@{DIGEST}",
            "cpu": "1",
            "memory": "2Gi",
            "environment": {"GREETING": "Hello", "GITHUB_TOKEN": "${{connections.github.credentials.token}}"},
        },
    ),
    (ROLLOUT, {"keep_versions": 2.0}),
    (REGISTRY, {"location": "eastus2", "adminUserEnabled": False, "policies": ARM_TOKENS}),
    (ROLE_ASSIGNMENT, {"scope": REGISTRY_ID, "roleDefinitionId": ACR_PULL}),
    (ACCOUNT, {"location": "East US 2"}),
    (PROJECT, {"location": "swedencentral"}),
    (RESOURCE_GROUP, {"location": "eastus2"}),
    (
        TOOLBOX,
        {
            "toolbox_name": "support",
            "description": "Orders.",
            "metadata": {"commit": "9f2c1e7a4b8d3056c1f9e2a7b4d80365f1c2e9a7"},
            "tool:docs": {
                "type": "mcp",
                "server_label": "docs",
                "server_url": "https://x.example",
                "headers": {"a": "b"},
            },
            "tool:file_search": {"type": "file_search", "vector_store_ids": ["vs_68d1f2a3b4c59e8791a2b3c4d5e6f701"]},
        },
    ),
)


@pytest.mark.parametrize("stack", ["local", "dev", "staging", "prod"])
def test_a_stack_without_violations_passes(stack: str) -> None:
    """Case 58: 0 false positives."""
    found = [_found(rule, kind, props, stack=stack, protect=True) for rule in RULES for kind, props in GOOD]
    assert found == [[]] * (len(RULES) * len(GOOD))


BAD: tuple[tuple[Rule, str, dict[str, Any], str], ...] = (
    (images.PINNED, VERSION, {"image": "acme.azurecr.io/support:latest"}, "support:latest"),
    (images.PINNED, VERSION, {"image": f"support@{DIGEST[:-1]}"}, "is not pinned"),
    (environment.NO_SECRETS, VERSION, {"environment": {"DB_PASSWORD": "hunter2"}}, "environment.DB_PASSWORD"),
    (
        toolboxes.NO_SECRETS,
        TOOLBOX,
        {"tool:docs": {"type": "mcp", "headers": {"x-functions-key": "abc"}}},
        "tools.docs.headers.x-functions-key looks like a credential: by its name",
    ),
    (registries.ADMIN_USER_OFF, REGISTRY, {"adminUserEnabled": True}, "admin user is enabled"),
    (registries.ACCEPTS_ARM_TOKENS, REGISTRY, {}, "is not set"),
    (
        registries.ACCEPTS_ARM_TOKENS,
        REGISTRY,
        {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}},
        'is "disabled"',
    ),
    (roles.LEAST_PRIVILEGE, ROLE_ASSIGNMENT, {"roleDefinitionId": OWNER}, "the role Owner"),
    (roles.LEAST_PRIVILEGE, ROLE_ASSIGNMENT, {"roleDefinitionId": CONTRIBUTOR}, "the role Contributor"),
    (roles.BELOW_THE_SUBSCRIPTION, ROLE_ASSIGNMENT, {"scope": SUBSCRIPTION}, SUBSCRIPTION),
    (roles.BELOW_THE_SUBSCRIPTION, ROLE_ASSIGNMENT, {"scope": "/"}, "all of /"),
    (
        roles.BELOW_THE_SUBSCRIPTION,
        ROLE_ASSIGNMENT,
        {"scope": "/providers/Microsoft.Management/managementGroups/acme"},
        "managementGroups/acme",
    ),
    (production.KEEPS_VERSIONS, ROLLOUT, {"keep_versions": 1.0}, "keep_versions is 1"),
    (production.IS_PROTECTED, ROLLOUT, {}, "not protected"),
    (sizes.WITHIN_LIMIT, VERSION, {"cpu": "4", "memory": "8Gi"}, "more than 2/4Gi, the limit of stack prod"),
    (regions.ALLOWED, ACCOUNT, {"location": "antarctica"}, 'location "antarctica"'),
)


@pytest.mark.parametrize(("rule", "kind", "props", "message"), BAD, ids=lambda value: getattr(value, "name", None))
def test_a_rule_refuses_a_violation_with_its_remedy(rule: Rule, kind: str, props: dict[str, Any], message: str) -> None:
    """Case 58: each violation is reported once, with its remedy."""
    (found,) = _found(rule, kind, props, stack="prod")
    assert message in found
    assert found.endswith(f"Do: {rule.do}")


def test_every_rule_has_a_violating_example() -> None:
    assert {rule.name for rule, *_ in BAD} == {rule.name for rule in RULES}


def test_rules_of_production_do_not_apply_to_other_stacks() -> None:
    for rule in (production.KEEPS_VERSIONS, production.IS_PROTECTED):
        assert _found(rule, ROLLOUT, {"keep_versions": 1.0}, stack="dev") == []
        assert len(_found(rule, ROLLOUT, {"keep_versions": 1.0}, stack="live", config={"stacks": ["live"]})) == 1


def test_keeping_all_versions_is_accepted_in_production() -> None:
    assert _found(production.KEEPS_VERSIONS, ROLLOUT, {}, stack="prod") == []


def test_each_environment_has_its_own_size_limit() -> None:
    large = {"cpu": "2", "memory": "4Gi"}
    assert _found(sizes.WITHIN_LIMIT, VERSION, large, stack="prod") == []
    assert len(_found(sizes.WITHIN_LIMIT, VERSION, large, stack="dev")) == 1
    assert _found(sizes.WITHIN_LIMIT, VERSION, large, stack="dev", config={"limits": {"dev": "2/4Gi"}}) == []
    assert len(_found(sizes.WITHIN_LIMIT, VERSION, large, stack="x", config={"limits": {"*": "1/2Gi"}})) == 1


def test_regions_of_the_team_replace_the_default_ones() -> None:
    only = {"regions": ["Sweden Central"]}
    assert _found(regions.ALLOWED, ACCOUNT, {"location": "swedencentral"}, config=only) == []
    assert len(_found(regions.ALLOWED, ACCOUNT, {"location": "eastus2"}, config=only)) == 1


def test_more_roles_can_be_refused() -> None:
    guid = ACR_PULL.rpartition("/")[2].upper()
    assert len(_found(roles.LEAST_PRIVILEGE, ROLE_ASSIGNMENT, GOOD[3][1], config={"refused": [guid]})) == 1


def test_a_resource_with_an_explicit_api_version_is_checked_too() -> None:
    versioned = "azure-native:containerregistry/v20230701:Registry"
    assert len(_found(registries.ADMIN_USER_OFF, versioned, {"adminUserEnabled": True})) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_value_that_is_unknown_in_a_preview_is_no_violation(rule: Rule) -> None:
    """The name of a registry is known once it is created; the update checks it then."""
    unknown = UNKNOWN_STRING_VALUE
    inputs: dict[str, dict[str, Any]] = {
        VERSION: {"image": unknown, "cpu": unknown, "memory": unknown, "environment": {"A": unknown}},
        REGISTRY: {"location": unknown, "policies": {"azureADAuthenticationAsArmPolicy": {"status": unknown}}},
        ROLE_ASSIGNMENT: {"scope": unknown, "roleDefinitionId": unknown},
        ROLLOUT: {"keep_versions": unknown},
        TOOLBOX: {"tool:a": unknown, "tool:b": {"headers": {"x-key": unknown}, "l": [unknown]}, "description": unknown},
    }
    assert [_found(rule, kind, props, protect=True, stack="prod") for kind, props in inputs.items()] == [[]] * 5


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_a_policy_with_severity_and_remedy(rule: Rule) -> None:
    made = rule.policy()
    assert (made.name, made.severity, made.remediation_steps) == (rule.name, rule.severity, rule.do)
    assert re.fullmatch(r"[a-z-]+", rule.name)


# --- Credentials in variables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AZURE_OPENAI_KEY", "a" * 32),
        ("ClientSecret", "abc"),
        ("JDBC", "jdbc:sqlserver://x:1433;user=sa;password=hunter2"),
        ("HOOK", "https://hooks.slack.com/services/T000/B000/XXXX"),
        ("SETTING", "q7Rk2Zp9Xw4Tn8Lv3Bc6Hd1Jf5Gm0Ys"),
    ],
)
def test_a_variable_that_looks_like_a_credential_is_refused(name: str, value: str) -> None:
    """Finding B7. Every row of the detector has a test of its own in tests/core/test_credentials.py."""
    (found,) = _found(environment.NO_SECRETS, VERSION, {"environment": {name: value}})
    assert found.startswith(f"environment.{name} looks like a credential: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMMIT", "9f2c1e7a4b8d3056c1f9e2a7b4d80365f1c2e9a7"),
        ("STORE", "vs_68d1f2a3b4c59e8791a2b3c4d5e6f701"),
        ("USE_TOKEN", "true"),
        ("APPINSIGHTS_CONNECTION_STRING", "InstrumentationKey=72f988bf-86f1-41af-91ab-2d7cd011db47"),
        ("GITHUB_TOKEN", "${{connections.github.credentials.token}}"),
    ],
)
def test_an_ordinary_variable_is_accepted(name: str, value: str) -> None:
    """Case 58, finding B7: 0 false positives."""
    assert _found(environment.NO_SECRETS, VERSION, {"environment": {name: value}}) == []


def test_no_message_shows_the_value() -> None:
    """Case 54."""
    values = {"DB_PASSWORD": "canary-4711", "A": "ghp_canary4711canary4711"}
    found = _found(environment.NO_SECRETS, VERSION, {"environment": values})
    assert len(found) == 2
    assert not any("canary" in text for text in found)


def test_a_variable_can_be_allowed_by_name() -> None:
    props = {"environment": {"DB_PASSWORD": "x"}}
    assert _found(environment.NO_SECRETS, VERSION, props, config={"allowed": ["DB_PASSWORD"]}) == []


# --- Credentials in toolboxes -----------------------------------------------------------------------------------------


def test_every_text_of_a_toolbox_is_judged_and_none_is_shown() -> None:
    """Finding B5, case 54: in tools at any depth, in the description and in metadata."""
    canary = "canary-4711"
    props = {
        "description": f"call https://x.example/mcp?api_key={canary}",
        "metadata": {"api_key": canary},
        "tool:docs": {"type": "mcp", "server_url": f"https://x.example/mcp?code={canary}"},
        "tool:new": {"type": "new", "deep": [{"api_key": canary}, {"api_key": UNKNOWN_STRING_VALUE}]},
    }
    found = _found(toolboxes.NO_SECRETS, TOOLBOX, props)
    assert [text.partition(" ")[0] for text in found] == [
        "tools.docs.server_url",
        "tools.new.deep[0].api_key",
        "description",
        "metadata.api_key",
    ]
    assert not any(canary in text for text in found)


def test_a_text_of_a_toolbox_can_be_allowed_by_its_path() -> None:
    props = {"tool:docs": {"headers": {"x-key": "k-47"}}}
    path = "tools.docs.headers.x-key"
    assert len(_found(toolboxes.NO_SECRETS, TOOLBOX, props)) == 1
    assert _found(toolboxes.NO_SECRETS, TOOLBOX, props, config={"allowed": [path]}) == []
