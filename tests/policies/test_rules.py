"""Every rule refuses a violation and accepts everything else. Case 58."""

from __future__ import annotations

import random
import re
import string
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi_policy import ResourceValidationArgs
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from foundry_policies import RULES, environment, images, production, regions, registries, roles, sizes
from foundry_policies.environment import why_secret
from foundry_policies.rule import (
    ACCOUNT,
    PROJECT,
    REGISTRY,
    RESOURCE_GROUP,
    ROLE_ASSIGNMENT,
    ROLLOUT,
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
    }
    assert [_found(rule, kind, props, protect=True, stack="prod") for kind, props in inputs.items()] == [[]] * 4


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_a_policy_with_severity_and_remedy(rule: Rule) -> None:
    made = rule.policy()
    assert (made.name, made.severity, made.remediation_steps) == (rule.name, rule.severity, rule.do)
    assert re.fullmatch(r"[a-z-]+", rule.name)


# --- Credentials in variables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "db_pwd",
        "GITHUB_TOKEN",
        "API_KEY",
        "APIKEY",
        "storageKey",
        "AZURE_CLIENT_SECRET",
        "SERVICE_BUS_CONNECTION_STRING",
        "SECRET_2",
        "SAS",
        "AWS_SECRET_ACCESS_KEY",
        "GOOGLE_CREDENTIALS",
    ],
)
def test_a_variable_with_the_name_of_a_credential_is_refused(name: str) -> None:
    assert why_secret(name, "1234") == "by its name"


@pytest.mark.parametrize(
    "value",
    [
        "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=short=",
        "https://acme.blob.core.windows.net/c/f?sv=2024&sig=abc%3D",
        "postgres://app:hunter2@db.example/app",
        "-----BEGIN RSA PRIVATE KEY-----",
        "ghp_" + "abcd1234" * 4,
    ],
)
def test_a_value_in_the_form_of_a_credential_is_refused(value: str) -> None:
    assert why_secret("SETTING", value) == "by the form of its value"


def test_random_values_are_distinguished_from_text() -> None:
    """At least 99 % of 200 keys in each usual alphabet are found, whatever the name of the variable."""
    chance = random.Random(7)
    alphabets = {
        "base64": string.ascii_letters + string.digits + "+/",
        "base62": string.ascii_letters + string.digits,
        "hex": string.digits + "abcdef",
    }
    for name, alphabet in alphabets.items():
        values = ["".join(chance.choices(alphabet, k=chance.randint(40, 64))) for _ in range(200)]
        missed = [value for value in values if why_secret("SETTING", value) is None]
        assert len(missed) <= 2, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL", "gpt-5-mini-2025-08-07"),
        ("MODEL", "Meta-Llama-3.3-70B-Instruct-Q4"),
        ("PROJECT", f"{SUBSCRIPTION}/resourceGroups/rg-support-prod/providers/Microsoft.CognitiveServices/accounts/a1"),
        ("TENANT_ID", "72f988bf-86f1-41af-91ab-2d7cd011db47"),
        ("IMAGE", f"acme.azurecr.io/support@{DIGEST}"),
        ("ENDPOINT", "https://acme-support-prod-58b452.services.ai.azure.com/api/projects/support"),
        ("DEPLOYMENT", "ContosoSupportAgentV2DeploymentNorthEurope"),
        ("CONFIG_FILE", "/opt/Contoso2/SupportAgent/Settings.Production.json"),
        ("TOKEN_LIMIT", "4096"),
        ("MAX_TOKENS", "4096"),
        ("SECRET_NAME", "github"),
        ("PARTITION_KEY", "customerId"),
        ("KEYBOARD", "qwerty"),
        ("COMPASS", "north"),
        ("GITHUB_TOKEN", "${{connections.github.credentials.token}}"),
        ("API_KEY", ""),
        ("PROMPT", "Answer in one sentence, and never say more than you know about order 4711."),
        ("FLAGS", "a=1;b=2;long_option_name_without_secret=true"),
    ],
)
def test_an_ordinary_value_is_accepted(name: str, value: str) -> None:
    """Case 58: 0 false positives."""
    assert why_secret(name, value) is None


def test_no_message_shows_the_value() -> None:
    """Case 54."""
    values = {"DB_PASSWORD": "canary-4711", "A": "ghp_canary4711canary4711"}
    found = _found(environment.NO_SECRETS, VERSION, {"environment": values})
    assert len(found) == 2
    assert not any("canary" in text for text in found)


def test_a_variable_can_be_allowed_by_name() -> None:
    props = {"environment": {"DB_PASSWORD": "x"}}
    assert _found(environment.NO_SECRETS, VERSION, props, config={"allowed": ["DB_PASSWORD"]}) == []
