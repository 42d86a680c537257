"""Bearer tokens of the local Azure: JSON web tokens signed with a key of this store (HS256).

Entra signs with RS256 and publishes its keys. Clients treat the token as opaque [docs], so the
difference is invisible to a client that follows the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt
from jwt.types import Options

TENANT = "00000000-0000-0000-0000-0000000000aa"
"""The one tenant of the local Azure."""

FOUNDRY_AUDIENCE = "https://ai.azure.com"
"""Audience of the Foundry data plane (service-contract 1.1, [sdk])."""

ARM_AUDIENCE = "https://management.azure.com"
"""Audience of Azure Resource Manager [docs]."""

# Some clients still ask for Resource Manager's older audience [docs].
_SAME_AUDIENCE = {"https://management.core.windows.net": ARM_AUDIENCE}

_ALGORITHM = "HS256"
_OPTIONS: Options = {
    "require": ["aud", "exp", "iat", "oid", "tid"],
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class TokenProblem(Exception):
    """A request has no valid token; the response is a 401.

    Attributes:
        code: Resource Manager's code [docs]: ``AuthenticationFailed`` (no token),
            ``InvalidAuthenticationToken``, ``ExpiredAuthenticationToken`` or
            ``InvalidAuthenticationTokenAudience``.
        message: What was wrong and what to do, without the token.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    Attributes:
        object_id: The object id in the tenant; role assignments call it ``principalId``.
        tenant_id: The tenant.
        access: What the token is limited to; registry tokens only.
    """

    object_id: str
    tenant_id: str
    access: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token. Times are Unix seconds."""

    object_id: str
    tenant_id: str
    audience: str
    issued_at: int
    expires_at: int
    access: str = ""


def normal_audience(audience: str) -> str:
    """Return one spelling per audience: without ``/.default`` (a scope's ending), without a slash, in lower case."""
    plain = audience.strip().removesuffix("/.default").rstrip("/").lower()
    return _SAME_AUDIENCE.get(plain, plain)


def sign(claims: Claims, key: bytes) -> str:
    """Return the token that carries these claims."""
    payload: dict[str, object] = {
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
    return jwt.encode(payload, key, algorithm=_ALGORITHM)


def read(token: str, key: bytes) -> Claims:
    """Return the claims of a token that was signed with this key.

    The caller checks the times and the audience: PyJWT reads the system's clock, the local Azure has its own, and a
    token is read once but checked at every request.

    Raises:
        TokenProblem: The token was not issued by this local Azure.
    """
    try:
        payload = jwt.decode(token, key, algorithms=[_ALGORITHM], options=_OPTIONS)
    except (jwt.InvalidTokenError, UnicodeError):
        raise TokenProblem(
            "InvalidAuthenticationToken",
            "The bearer token was not issued by this local Azure. Take one from its managed identity endpoint "
            "(IDENTITY_ENDPOINT); a token of the real Azure is not accepted here.",
        ) from None
    return Claims(
        object_id=payload["oid"],
        tenant_id=payload["tid"],
        audience=payload["aud"],
        issued_at=payload["iat"],
        expires_at=payload["exp"],
        access=payload.get("access", ""),
    )
