"""Variables of agents: everyone who may read an agent can read them, so they must not contain a credential."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_policies.rule import VERSION, Rule, Seen, texts

_PLACEHOLDER = re.compile(r"\$\{\{.+\}\}")

_NAMES = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|CONNECTION_?STRING|SAS|PAT|APIKEY"
    r"|(API|ACCESS|ACCOUNT|AUTH|CLIENT|ENCRYPTION|LICENSE|PRIVATE|SECRET|SERVICE|SHARED|SIGNING|STORAGE"
    r"|SUBSCRIPTION)_?KEY)(_?\d+)?$",
    re.IGNORECASE,
)
"""Endings of names of credentials; TOKEN_LIMIT or SECRET_NAME do not match."""

_FORMS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|(Account|SharedAccess|Shared)Key=|[?&]sig=|://[^/\s:@]+:[^/\s@]+@"
    r"|\b(gh[opsu]_|github_pat_|sk-|AKIA|xox[abp]-|eyJ[A-Za-z0-9_-]{10,}\.)[A-Za-z0-9_-]{8,}",
)
"""Forms of credentials: keys in connection strings, signed URLs, tokens of well-known services."""

_RUN = re.compile(r"[A-Za-z0-9+=]{20,}")
_HEX = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)
_LEAST_BITS, _LEAST_HEX_BITS, _LEAST_TURNS = 3.3, 3.0, 0.4


def _credentials(seen: Seen) -> Iterator[str]:
    allowed = set(seen.config.get("allowed", ()))
    environment = seen.value("environment") or {}
    for name in sorted(environment):
        value = seen.value("environment", name)
        if name not in allowed and isinstance(value, str) and (why := why_secret(name, value)):
            yield f"environment.{name} looks like a credential: {why}"


def why_secret(name: str, value: str) -> str | None:
    """Return why a variable looks like a credential, or None. The reason never contains the value."""
    if not value or _PLACEHOLDER.fullmatch(value):
        return None
    if _NAMES.search(name):
        return "by its name"
    if _FORMS.search(value):
        return "by the form of its value"
    rest = re.sub(r"sha256:[0-9a-f]{64}", "", value)
    if any(is_random(run) for run in _RUN.findall(rest)):
        return "its value looks random"
    return None


def is_random(run: str) -> bool:
    """Return whether characters are random: they then change often between upper case, lower case and digits."""
    if _HEX.fullmatch(run):
        return _bits(run.lower()) >= _LEAST_HEX_BITS
    kinds = [_kind(character) for character in run]
    turns = sum(one != other for one, other in itertools.pairwise(kinds)) / len(run)
    return _bits(run) >= _LEAST_BITS and turns >= _LEAST_TURNS


def _kind(character: str) -> str:
    return "digit" if character.isdigit() else "upper" if character.isupper() else "lower"


def _bits(text: str) -> float:
    """Return the Shannon entropy of a character, in bits."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


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
