"""The detector of credentials: a row of each table, no false alarm and no miss. Finding B7."""

from __future__ import annotations

import base64
import json
import random
import string
import subprocess
import sys
from collections.abc import Callable

import pytest

from foundry_agents.lifecycle.credentials import (
    BY_FORM,
    BY_NAME,
    FORMS,
    NAMES,
    RANDOM,
    is_credential_name,
    is_filled_in_later,
    why_credential,
    why_form,
)

GUID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
HEX32, HEX40 = "9f2c1e7a4b8d3056c1f9e2a7b4d80365", "9f2c1e7a4b8d3056c1f9e2a7b4d80365f1c2e9a7"
HEX64 = (HEX40 + HEX40)[:64]
INSIGHTS = f"InstrumentationKey={GUID};IngestionEndpoint=https://swedencentral-1.in.applicationinsights.azure.com/"
VAULT = "https://acme.vault.azure.net/secrets/orders"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# --- Forms -----------------------------------------------------------------------------------------------------------

FORM_EXAMPLES = {
    "a private key": "-----BEGIN RSA PRIVATE KEY-----",
    "a password in a URL": "redis://:hunter2@cache:6379",
    "a password on a command line": "serve --port 8088 --api-key abc",
    "a JSON Web Token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "an Authorization header": "Bearer 0123456789abcdef",
    "an Entra client secret": "abc8Q~" + "dEfGhIjKlMnOpQrStUvWxYz012345678",
    "a key of an Azure service": "A1b2" * 10 + "JQQJ99" + "BCAC",
    "a GitHub token": "ghs_" + "abcd1234" * 2,
    "a GitLab token": "glpat-" + "abcDEF123456789",
    "an OpenAI or Anthropic key": "sk-proj-" + "abc123def456ghi789",
    "a Stripe key": "sk_live_" + "51AbCdEfGh",
    "an AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a Google key": "AIza" + "SyD-abcdefghijklmnopqrstuvwxyz1234",
    "a Slack token": "xoxb-" + "123456789-abcdef",
    "a Hugging Face token": "hf_" + "AbCdEfGhIjKlMnOpQr",
    "an npm or PyPI token": "npm_" + "AbCdEfGhIjKlMnOpQr",
    "a key of a model or search service": "tvly-" + "dev-abcdefghij1234567890",
    "a token of a code or document service": "lin_api_" + "abcdefgh12345678",
    "a token of an operations service": "dapi" + HEX32,
    "a token of a mail or shop service": "SG." + "abcdefghijklmnop12." + "abcdefghijklmnop1234",
    "a Telegram token": "bot123456789:AA" + "abcdefghijklmnopqrstuvwxyz0123456",
    "a chat webhook": "https://hooks.slack.com/services/T000/B000/XXXX",
    "a password hash": "$2b$12$" + "abcdefghijklmnopqrstuv",
}


def test_every_form_has_an_example() -> None:
    assert set(FORM_EXAMPLES) == set(FORMS)


@pytest.mark.parametrize("what", FORMS)
def test_each_form_is_found_whatever_the_text_is_called_and_whatever_is_around_it(what: str) -> None:
    """Finding B7."""
    example = FORM_EXAMPLES[what]
    for text in (example, f"see {example} there", f'{{"note": {json.dumps(example)}}}'):
        assert why_credential("NOTE", text) == f"{BY_FORM}: {what}"
    assert why_form(example) == f"{BY_FORM}: {what}"


@pytest.mark.parametrize(
    "value",
    [
        "https://hooks.slack.com/workflows/T0/A0/1",
        "https://acme.webhook.office.com/webhookb2/abc@def/IncomingWebhook/x/y",
        "https://discord.com/api/webhooks/123/abc",
        "https://prod-01.westeurope.logic.azure.com/workflows/x?api-version=2016-06-01&sv=1.0&sig=abcDEF",
        "https://a.blob.core.windows.net/c?sv=1&sig=abc%3D",
        "https://x.azurewebsites.net/api/run?code=abc123DEF==",
        "https://api.example.com/v1?appid=1&api_key=abc",
        "https://maps.googleapis.com/maps/api?key=AbC123",
        "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=short=",
        "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=abc123==;EndpointSuffix=core.windows.net",
        "jdbc:sqlserver://x.database.windows.net:1433;database=o;user=sa;password=hunter2;encrypt=true",
        "Driver={ODBC Driver 18};Server=x;Uid=sa;Pwd=hunter2;",
        "host=localhost password=hunter2 dbname=a",
        'PlainLoginModule required username="$ConnectionString" password="hunter2";',
        "api-key=abc123",
        "Authorization: Bearer abc12345",
        "//registry.example.com/:_authToken=abc123",
        '{"openai": {"api_key": "abc"}}',
        '[{"headers": {"x-api-key": ["abc"]}}]',
        _base64('{"openai": {"api_key": "abc"}}'),
    ],
)
def test_a_credential_in_a_part_of_a_text_is_found(value: str) -> None:
    """Finding B7: connection strings of every kind, queries, headers, JSON."""
    why = why_credential("SETTING", value)
    assert why is not None
    assert why.startswith((BY_FORM, BY_NAME))


# --- Names -----------------------------------------------------------------------------------------------------------

NAME_EXAMPLES = {
    "password": ["PASSWORD", "DB_PASSWORD", "db_pwd", "dbPassword", "PGPASSWORD", "DB_PASS", "smtp-passphrase"],
    "secret": ["AZURE_CLIENT_SECRET", "client-secret", "ClientSecret", "SECRET_2", "STRIPE_WEBHOOK_SECRET"],
    "token": ["GITHUB_TOKEN", "refreshToken", "ADMIN_API_TOKEN_V2", "authtoken", "x-auth-token"],
    "key": [
        "API_KEY",
        "APIKEY",
        "x-api-key",
        "x-functions-key",
        "Ocp-Apim-Subscription-Key",
        "storageKey",
        "AZURE_STORAGE_KEY1",
        "AZURE_OPENAI_KEY",
        "OPENAI_KEY",
        "SEARCH_ADMIN_KEY",
        "COSMOS_KEY",
        "COSMOS_PRIMARY_KEY",
        "SECRET_KEY_BASE",
        "API_KEYS",
        "apiKeyProd",
        "AWS_SECRET_ACCESS_KEY",
        "private_key",
    ],
    "key of something": ["KEY", "FRAUD_MODEL_KEY", "LANGUAGE_KEY"],
    "credential": ["Authorization", "GOOGLE_CREDENTIALS", "COOKIE", "SAS", "GITHUB_PAT", "BASIC_AUTH"],
    "connection string": ["SERVICE_BUS_CONNECTION_STRING", "sqlConnectionString", "DB_CONN_STR"],
}


def test_every_form_of_a_name_has_examples() -> None:
    assert set(NAME_EXAMPLES) == set(NAMES)


@pytest.mark.parametrize("name", [name for names in NAME_EXAMPLES.values() for name in names])
def test_a_name_of_a_credential_is_found_in_any_case_and_style(name: str) -> None:
    """Finding B7: camel, kebab and snake case."""
    assert why_credential(name, "ab12-cd34") == BY_NAME
    assert is_credential_name(name)


@pytest.mark.parametrize("name", ["DB_PASSWORD", "CLIENT_SECRET", "API_KEY", "GITHUB_TOKEN", "OPENAI_KEY"])
def test_a_name_that_has_no_other_use_counts_with_a_plain_word_too(name: str) -> None:
    assert why_credential(name, "hunter") == BY_NAME


def test_a_word_after_a_scheme_is_a_credential() -> None:
    assert why_credential("Authorization", "Bearer abc") == BY_NAME
    assert why_credential("AUTHORIZATION", "entra") is None


def test_json_under_the_name_of_a_credential_is_judged_by_its_parts() -> None:
    """A configuration of workload identity holds no key, the file of a service account does."""
    assert why_credential("GOOGLE_CREDENTIALS", '{"type": "external_account", "audience": "//iam.x.example"}') is None
    assert why_credential("GOOGLE_CREDENTIALS", '{"type": "service_account", "private_key": "a1"}') == BY_NAME


@pytest.mark.parametrize("value", ["1234", "0000"])
def test_a_number_is_a_password_and_no_token(value: str) -> None:
    assert why_credential("DB_PASSWORD", value) == BY_NAME
    assert why_credential("TOKEN", value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "true",
        "No",
        "none",
        "managed-identity",
        "${{connections.github.credentials.token}}",
        "${TOKEN}",
        "$(TOKEN)",
        "$TOKEN",
        "{{ token }}",
        "{token}",
        "<your-token>",
        "%TOKEN%",
        "***",
        "your-api-key",
        "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/a/)",
        "secretref:token",
        "#/components/schemas/Token",
        "Bearer ${TOKEN}",
    ],
)
def test_a_placeholder_or_a_switch_is_never_a_credential(value: str) -> None:
    assert is_filled_in_later(value)
    for name in ("API_KEY", "DB_PASSWORD", "GITHUB_TOKEN", "CLIENT_SECRET", "Authorization", "SETTING"):
        assert why_credential(name, value) is None


@pytest.mark.parametrize(
    "value", ["/run/secrets/api-key", "/keys/id_rsa", "secrets/google.json", VAULT, f"{VAULT}/{HEX32}", "C:\\keys\\a"]
)
def test_a_place_where_a_credential_is_is_none(value: str) -> None:
    for name in ("API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "CLIENT_SECRET"):
        assert why_credential(name, value) is None


# --- No false alarm --------------------------------------------------------------------------------------------------

HARMLESS = [
    ("COMMIT", HEX40),
    ("GIT_SHA", HEX40),
    ("REVISION", HEX40),
    ("BUILD_ID", HEX32),
    ("ETAG", HEX32),
    ("IMAGE_DIGEST", f"sha256:{HEX64}"),
    ("CHECKSUM", HEX64),
    ("CONTENT_HASH", HEX64),
    ("STORE", "vs_68d1f2a3b4c59e8791a2b3c4d5e6f701"),
    ("VECTOR_STORE_ID", "vs_68d1f2a3b4c59e8791a2b3c4d5e6f701"),
    ("ASSISTANT", "asst_4fT7kQ2mZ9xLpB3vN8sRwY1c"),
    ("FILE", "file-8fK2mZ9xLpB3vN8sRwY1cQ"),
    ("THREAD", "thread_abc123DEF456ghi789JKL012"),
    ("RUN", "run_abc123DEF456ghi789JKL012"),
    ("MSG", "msg_abc123DEF456ghi789JKL012"),
    ("RESP", "resp_68d1f2a3b4c59e8791a2b3c4d5e6f701a2b3c4"),
    ("ORDERS_SECRET_URI", "https://acme.vault.azure.net/secrets/orders/0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("KEYVAULT", "https://acme.vault.azure.net/secrets/orders/0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("OPENAI_KEY", "https://acme.vault.azure.net/secrets/openai/0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("PARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("USE_TOKEN", "true"),
    ("NEXT_TOKEN", "abc"),
    ("NEXT_TOKEN", "eyJhIjoxfQ"),
    ("CONFIG", _base64('{"model": "gpt-5-mini", "temperature": 0.2, "region": "swedencentral"}')),
    ("APPINSIGHTS_CONNECTION_STRING", INSIGHTS),
    ("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=00000000-1111-2222-3333-444444444444"),
    ("TENANT_ID", "72f988bf-86f1-41af-91ab-2d7cd011db47"),
    ("TENANT", "72f988bf-86f1-41af-91ab-2d7cd011db47"),
    ("TOKEN_LIMIT", "4096"),
    ("MAX_TOKENS", "4096"),
    ("MAX_TOKEN", "4096"),
    ("SECRET_NAME", "github"),
    ("KEY_VAULT_URL", "https://acme.vault.azure.net"),
    ("PASSWORD_MIN_LENGTH", "12"),
    ("PRIMARY_KEY_COLUMN", "order_id"),
    ("PARTITION_KEY", "customerId"),
    ("PARTITION_KEY", "/tenant/id"),
    ("PARTITION_KEY", "/id"),
    ("SORT_KEY", "createdAt2"),
    ("KEYBOARD", "qwerty"),
    ("MONKEY", "george"),
    (
        "PUBLIC_KEY",
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0",
    ),
    ("INSTRUMENTATION_KEY", "00000000-1111-2222-3333-444444444444"),
    ("TOKENIZER", "o200k_base"),
    ("API_KEY_FILE", "/run/secrets/api-key"),
    ("TLS_KEY_PATH", "/etc/tls/tls.key"),
    ("TOKEN_URI", "https://oauth2.googleapis.com/token"),
    ("GITHUB_TOKEN", "${{connections.github.credentials.token}}"),
    ("API_KEY", ""),
    ("API_KEY", "<your-api-key>"),
    ("API_KEY", "{{api_key}}"),
    ("TOKEN", "${TOKEN}"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/var/run/secrets/google.json"),
    ("SSH_KEY", "/keys/id_rsa"),
    ("PWD", "/app"),
    ("OAUTH_TOKEN_URL", "https://login.microsoftonline.com/common/oauth2/v2.0/token"),
    ("STOP_TOKEN", "<|endoftext|>"),
    ("EOS_TOKEN", "</s>"),
    ("PAD_TOKEN", "[PAD]"),
    ("MEMORY_KEY", "chat_history"),
    ("INPUT_KEY", "question"),
    ("ANSWER_KEY", "answer"),
    ("CACHE_KEY", "agent:support:v2"),
    ("ROUTING_KEY", "orders.created"),
    ("IDEMPOTENCY_KEY", "order-4711-retry"),
    ("JIRA_PROJECT_KEY", "SUP"),
    ("TOKEN_TYPE", "Bearer"),
    ("AUTH_TYPE", "managed_identity"),
    ("AUTH_TOKEN_HEADER", "X-Auth-Token"),
    ("API_KEY_HEADER", "x-api-key"),
    ("COOKIE_NAME", "sid"),
    ("SESSION_COOKIE", "sid"),
    ("CREDENTIALS", "ManagedIdentity"),
    ("AZURE_CREDENTIAL", "DefaultAzureCredential"),
    ("USE_MANAGED_IDENTITY_CREDENTIAL", "1"),
    ("CLIENT_ID", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
    (
        "SQL_CONNECTION_STRING",
        "Server=tcp:acme.database.windows.net,1433;Database=a;Authentication=Active Directory Default;Encrypt=True",
    ),
    ("STORAGE_CONNECTION_STRING", "https://acme.blob.core.windows.net"),
    ("SERVICEBUS_CONNECTION_STRING__fullyQualifiedNamespace", "acme.servicebus.windows.net"),
    ("DATABASE_URL", "postgresql://app@db.example.com:5432/orders?sslmode=require"),
    ("REDIS_URL", "redis://cache.example.com:6379/0"),
    ("SENTRY_DSN", "https://0123456789abcdef0123456789abcdef@o123.ingest.sentry.io/4507"),
    ("LANGFUSE_PUBLIC_KEY", "pk-lf-1f2e3d4c-5b6a-7988-8796-a5b4c3d2e1f0"),
    ("POSTHOG_ID", "phc_abcDEF123"),
    ("STRIPE_PRICE_ID", "price_1N2b3C4d5E6f7G8h9I0jKlMn"),
    ("ACTIONS_REF", "actions/checkout@8e5e7e5ab8b370d6c329ec480221332ada57f0ab"),
    ("IMAGE", "acme.azurecr.io/support:git-9f2c1e7a4b8d"),
    ("IMAGE", f"acme.azurecr.io/support:{HEX40}"),
    ("SRI", "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"),
    ("LOGO", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"),
    ("PROMPT", "Never ask for a password. If the user gives an api key, tell them to keep the secret."),
    ("PROMPT", "Answer with token=<the token> only if asked. Password: required."),
    ("SYSTEM_PROMPT", "Use the tool create_token to make a token; the secret is stored in Key Vault."),
    ("ALLOWED_ORIGINS", "https://app.example.com,https://www.example.com"),
    ("LOG_FORMAT", "%(asctime)s %(levelname)s %(name)s %(message)s"),
    ("OTEL_RESOURCE_ATTRIBUTES", "service.name=support,service.version=1.2.3,deployment.environment=prod"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example.com:4318"),
    ("FEATURE_FLAGS", '{"newSearch": true, "useSecretStore": false, "token_budget": 4096}'),
    ("SETTINGS", '{"api_key_env": "OPENAI_KEY", "model": "gpt-5"}'),
    ("CRON", "0 0 * * 1-5"),
    ("TZ", "Europe/Stockholm"),
    (
        "CERT",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n-----END CERTIFICATE-----",
    ),
    ("SSH_KNOWN_HOSTS", "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"),
    ("MODEL", "Meta-Llama-3.3-70B-Instruct-Q4"),
    ("DEPLOYMENT", "gpt-4o-2024-08-06-swedencentral-datazone"),
    ("QUERY", "SELECT id, token FROM t WHERE key = 'a'"),
    ("URL", "https://api.example.com/v1?code=SE&lang=en"),
    ("MAPS_URL", "https://atlas.microsoft.com/map/tile?api-version=2024-04-01&tilesetId=microsoft.base.road"),
    ("CALLBACK", "https://x.example/cb?state={state}&code={code}"),
    (
        "SUBNET",
        "/subscriptions/72f988bf-86f1-41af-91ab-2d7cd011db47/resourceGroups/rg-support-prod-sdc-001/providers/Microsoft.Network/virtualNetworks/vnet-a1/subnets/Snet1",
    ),
    ("WHISPER", "ggml-large-v3-turbo-q5_0.bin"),
    ("PIP_INDEX", "acme-internal-packages-v2"),
    ("SEED", "42"),
    ("SALESFORCE_VERSION", "v61.0"),
    ("STATE_FILE", "s3://bucket/Env2/State-4f.json"),
    ("SPAN", "00f067aa0ba902b7"),
    ("AWS_REGION", "eu-north-1"),
    ("KEY", "value"),
    ("FOREIGN_KEYS", "on"),
    ("HOTKEY", "ctrl+k"),
    ("TOKENS_PER_MINUTE", "30000"),
    ("PASSWORD_POLICY", "strong"),
    ("REQUIRE_PASSWORD", "true"),
    ("SECRET_STORE", "keyvault"),
    ("SECRETS_PROVIDER", "azure"),
    ("PAT_ENABLED", "false"),
    ("COMPAT", "v2"),
    ("BYPASS", "none"),
    ("COMPASS", "north"),
    ("TELEMETRY_OPTOUT", "1"),
    ("CONTAINER_REGISTRY", "crk3j9x0q2w7b5m.azurecr.io"),
    ("ACCOUNT_NAME", "stk3j9x0q2w7b5m1abcd2e"),
    ("DESC", f"Rev 3 of build {HEX40}"),
    ("A", "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/a/0f1e2d3c4b5a69788796a5b4c3d2e1f0)"),
    ("DB_PASSWORD", "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/a/)"),
    ("DB_PASSWORD", "$(DB_PASSWORD)"),
    ("OPENAI_API_KEY", "secretref:openai-key"),
    ("DB_URL", "postgres://app:${DB_PASSWORD}@db/app"),
    ("DB_URL", "postgres://app:<password>@db/app"),
    ("X", "host=localhost dbname=app user=app sslmode=require"),
    ("DISCORD_CHANNEL_ID", "112233445566778899"),
    ("UNIT_KEY_COUNT", "3"),
    ("TURKEY", "istanbul"),
    ("SLACK_CHANNEL", "C04ABCD1234"),
    ("CONTENT_SAFETY_BLOCKLIST", "Words2Block-List_V3"),
    ("HF_MODEL", "sentence-transformers/all-MiniLM-L6-v2"),
    ("HF_HOME", "/cache/hf"),
    ("LANGCHAIN_PROJECT", "support-agent"),
    ("AGENT_SKILLS", "skill_reset_password,skill_create_token"),
    ("PASSWORD_RESET_URL", "https://id.example.com/reset?step=1"),
]


@pytest.mark.parametrize(
    ("name", "value"), HARMLESS, ids=[f"{name}-{place}" for place, (name, _) in enumerate(HARMLESS)]
)
def test_what_is_no_credential_is_accepted(name: str, value: str) -> None:
    """Finding B7: commits, ids, references, placeholders, names that only sound like one."""
    assert why_credential(name, value) is None


# --- Random values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alphabet",
    [
        string.ascii_letters + string.digits + "+/",
        string.ascii_letters + string.digits + "-_",
        string.ascii_letters + string.digits,
        string.digits + "abcdef",
    ],
    ids=["base64", "base64url", "base62", "hex"],
)
def test_random_values_are_distinguished_from_text(alphabet: str) -> None:
    """At least 99 % of 200 keys in each usual alphabet are found, whatever the name. Finding B7: base64url."""
    chance = random.Random(7)
    values = ["".join(chance.choices(alphabet, k=chance.randint(40, 64))) for _ in range(200)]
    assert sum(why_credential("SETTING", value) is None for value in values) <= 2


def test_a_random_value_is_found_by_itself_and_in_a_text() -> None:
    value = "q7Rk2Zp9Xw4Tn8Lv3Bc6Hd1Jf5Gm0Ys"
    assert why_credential("SETTING", value) == RANDOM
    assert why_credential("SETTING", f"the value is {value}, keep it") == RANDOM
    assert why_credential("COMMIT", value) is None, "the name says what it is"


@pytest.mark.parametrize(
    "value",
    ["aA1aA1aA1aA1aA1aA1aA1a", "aA1bB2aA1bB2aA1bB2aA1b", "Ab1-Cd2-Ef3-Gh4-Ij5-Kl6-Mn7-Op8"],
    ids=["three characters", "six characters", "words"],
)
def test_what_repeats_itself_or_has_many_separators_is_not_random(value: str) -> None:
    assert why_credential("SETTING", value) is None


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _in_json(text: str) -> str:
    return json.dumps({"inside": text})


@pytest.mark.parametrize(
    ("wrap", "innermost", "why"),
    [(_in_base64, "glpat-1234567890abcdef", BY_FORM), (_in_json, json.dumps({"password": "hunter2"}), BY_NAME)],
    ids=["base64", "json"],
)
def test_a_text_in_a_text_is_judged_eight_deep_and_no_deeper(
    wrap: Callable[[str], str], innermost: str, why: str
) -> None:
    """Whoever writes the text decides how deep it goes."""
    layers = 8 if wrap is _in_base64 else 7  # the innermost document is a layer of its own
    text = innermost
    for _ in range(layers):
        text = wrap(text)
    assert (why_credential("SETTING", text) or "").startswith(why)
    assert not (why_credential("SETTING", wrap(text)) or "").startswith(why)


def test_no_reason_holds_the_value() -> None:
    """Case 54."""
    canary = "canary4711"
    values = [*FORM_EXAMPLES.values(), f"x://:{canary}@h", f"{canary}pwd={canary}", f'{{"{canary}_key": "{canary}"}}']
    reasons = [why for value in values for name in ("SETTING", "API_KEY") if (why := why_credential(name, value))]
    assert len(reasons) == 2 * len(values)
    assert not any(canary in why or value[:8] in why for why in reasons for value in values)


@pytest.mark.parametrize(
    "part", ["a-", "a.b.", "Ab1-", "/a", "a=", "://", "eyJ", "password", "-----BEGIN ", "${", "<", "a:", "A1"]
)
def test_a_long_text_takes_no_time(part: str) -> None:
    """A document of an API has long texts; the time grows with their length, not with its square."""
    code = (
        "import time; from foundry_agents.lifecycle.credentials import why_credential as w; "
        f"text = {part!r} * 20_000; started = time.process_time(); w('SETTING', text); w('API_KEY', text); "
        "print(time.process_time() - started)"
    )
    assert float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) < 3


def test_the_detector_needs_neither_pulumi_nor_azure() -> None:
    """The policy pack imports it into a process of its own."""
    code = "import sys, foundry_agents.lifecycle.credentials; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [name for name in ("pulumi", "azure", "grpc", "requests", "yaml") if f"'{name}'" in loaded]
