"""Variables of agents: everyone who may read an agent can read them, so they must not contain a credential."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_agents.lifecycle.credentials import why_credential
from foundry_policies.rule import VERSION, Rule, Seen, texts


def _credentials(seen: Seen) -> Iterator[str]:
    allowed = set(seen.config.get("allowed", ()))
    environment = seen.value("environment") or {}
    for name in sorted(environment):
        value = seen.value("environment", name)
        if name not in allowed and isinstance(value, str) and (why := why_credential(name, value)):
            yield f"environment.{name} looks like a credential: {why}"


NO_SECRETS = Rule(
    "agent-environment-without-secrets",
    "An agent's variables contain no credential: everyone who may read the agent can read them.",
    Severity.CRITICAL,
    'put it into a connection of the project and use fa.ConnectionSecret("connection", "key"); '
    "for a variable that is not a credential, add its name to the rule's setting `allowed`",
    (VERSION,),
    _credentials,
    {"allowed": texts("Names of variables that are not credentials.")},
)
