"""The canonical form of a version, its hash, and the marks that carry it in the version's metadata."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from foundry_agents.lifecycle.inputs.rules import RESERVED_METADATA_PREFIX
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS

SCHEMA = "v1"
"""Names the canonical form. A deliberate change of that form needs a new number, or every agent gets a new version."""

KEYED_SCHEMA = f"{SCHEMA}k"
"""The same form under a key."""

MANAGED_BY = "pulumi-foundry-agents"

_FINGERPRINT = f"{RESERVED_METADATA_PREFIX}fingerprint"
_OWNER = f"{RESERVED_METADATA_PREFIX}owner"
_MANAGED_BY = f"{RESERVED_METADATA_PREFIX}managed-by"
_ATTEMPT = f"{RESERVED_METADATA_PREFIX}attempt"


def fingerprint(values: Mapping[str, object]) -> str:
    """Hashes canonical values of VERSION_FIELDS: ``v1:`` and 64 hexadecimal digits.

    The same meaning gives the same hash on every Python, in every order of keys. It covers environment values, so a
    short secret among them could be found by trying all. With the input ``fingerprint_key`` it is ``v1k:`` and an
    HMAC-SHA256 under that key of the same canonical form, which only who has the key can try.
    """
    key = values.get("fingerprint_key")
    if not isinstance(key, str):
        return plain_fingerprint(values)
    canonical = _canonical(VERSION_FIELDS.described(values))
    return f"{KEYED_SCHEMA}:{hmac.new(key.encode(), canonical, hashlib.sha256).hexdigest()}"


def plain_fingerprint(values: Mapping[str, object]) -> str:
    """The fingerprint without a key, whether there is one or not: what a version posted earlier may carry."""
    return hashed(VERSION_FIELDS.described(values))


def hashed(described: Mapping[str, object]) -> str:
    """Hashes what makes one version differ from another, of an agent or of something else that has versions."""
    return f"{SCHEMA}:{hashlib.sha256(_canonical(described)).hexdigest()}"


def _canonical(described: Mapping[str, object]) -> bytes:
    return json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


class Marked(Protocol):
    """Anything of the service that has metadata."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Pairs that were sent when it was made."""
        ...


@dataclass(frozen=True)
class OwnershipMetadata:
    """What we write on a version to know it again.

    Attributes:
        fingerprint: Of the definition.
        owner: ``organization/project/stack``. Names the stack and not a resource, so that renames keep their history.
        attempt: 1 for the first try; one more after each failed version of the same definition, so that the
            service's own de-duplication can't hand the failed one back.
    """

    fingerprint: str
    owner: str
    attempt: int = 1

    def as_metadata(self) -> dict[str, str]:
        """The pairs that go into the version's metadata."""
        return {
            _FINGERPRINT: self.fingerprint,
            _OWNER: self.owner,
            _MANAGED_BY: MANAGED_BY,
            _ATTEMPT: str(self.attempt),
        }

    @classmethod
    def of(cls, version: Marked) -> OwnershipMetadata | None:
        """Reads the marks back; None for a version that we have not made."""
        marks = version.metadata
        if marks.get(_MANAGED_BY) != MANAGED_BY or _OWNER not in marks:
            return None
        attempt = marks.get(_ATTEMPT, "1")
        return cls(
            marks.get(_FINGERPRINT, ""), marks[_OWNER], int(attempt) if re.fullmatch("[0-9]{1,9}", attempt) else 1
        )
