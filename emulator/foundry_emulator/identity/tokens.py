"""Bearer tokens of the local Azure: JSON web tokens signed with a key of this store (HS256).

Entra signs with RS256 and publishes its keys. Clients treat the token as opaque [docs], so the
difference can't be seen by one that keeps to the rules.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

TENANT = "00000000-0000-0000-0000-0000000000aa"
"""The one tenant of the local Azure."""

FOUNDRY_AUDIENCE = "https://ai.azure.com"
"""Audience of the Foundry data plane (service-contract 1.1, [sdk])."""

ARM_AUDIENCE = "https://management.azure.com"
"""Audience of Azure Resource Manager [docs]."""

# Resource Manager's older audience is still what some clients ask for [docs].
_SAME_AUDIENCE = {"https://management.core.windows.net": ARM_AUDIENCE}

_HEADER = {"alg": "HS256", "typ": "JWT"}
_PARTS = 3


class TokenProblem(Exception):
    """A request without a usable token; the answer is 401.

    Attributes:
        code: Resource Manager's code [docs]: ``AuthenticationFailed`` (no token),
            ``InvalidAuthenticationToken``, ``ExpiredAuthenticationToken`` or
            ``InvalidAuthenticationTokenAudience``.
        message: what was wrong and what to do, without the token.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request.

    Attributes:
        object_id: the object id in the tenant, what role assignments name as ``principalId``.
        tenant_id: the tenant.
        access: what the token is limited to; of registry tokens alone.
    """

    object_id: str
    tenant_id: str
    access: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. Times are unix seconds."""

    object_id: str
    tenant_id: str
    audience: str
    issued_at: int
    expires_at: int
    access: str = ""


def normal_audience(audience: str) -> str:
    """One spelling per audience: without ``/.default`` (a scope's ending), without a slash, in lower case."""
    plain = audience.strip().removesuffix("/.default").rstrip("/").lower()
    return _SAME_AUDIENCE.get(plain, plain)


def sign(claims: Claims, key: bytes) -> str:
    """The token that carries these claims."""
    payload = {
        "aud": claims.audience,
        "iat": claims.issued_at,
        "nbf": claims.issued_at,
        "exp": claims.expires_at,
        "oid": claims.object_id,
        "sub": claims.object_id,
        "tid": claims.tenant_id,
    }
    if claims.access:
        payload["access"] = claims.access
    signed = f"{_encode(_json(_HEADER))}.{_encode(_json(payload))}"
    return f"{signed}.{_encode(_signature(signed, key))}"


def read(token: str, key: bytes) -> Claims:
    """The claims of a token that this key has signed; times and audience are the caller's to check.

    Raises:
        TokenProblem: not a token of this local Azure.
    """
    parts = token.split(".")
    try:
        if len(parts) != _PARTS:
            raise _not_ours()
        if not hmac.compare_digest(_signature(f"{parts[0]}.{parts[1]}", key), _decode(parts[2])):
            raise _not_ours()
        payload = json.loads(_decode(parts[1]))
        return Claims(
            object_id=payload["oid"],
            tenant_id=payload["tid"],
            audience=payload["aud"],
            issued_at=payload["iat"],
            expires_at=payload["exp"],
            access=payload.get("access", ""),
        )
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _not_ours() from None


def _not_ours() -> TokenProblem:
    return TokenProblem(
        "InvalidAuthenticationToken",
        "The bearer token was not issued by this local Azure. Take one from its managed identity endpoint "
        "(IDENTITY_ENDPOINT); a token of the real Azure is not accepted here.",
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _signature(signed: str, key: bytes) -> bytes:
    return hmac.new(key, signed.encode("ascii"), hashlib.sha256).digest()
