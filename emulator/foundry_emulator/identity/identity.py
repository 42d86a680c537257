"""The managed identity of the local Azure: issues tokens to local programs and verifies them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import uuid
from collections.abc import Callable
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from foundry_emulator.identity.tokens import (
    TENANT,
    Claims,
    Principal,
    TokenProblem,
    normal_audience,
    read,
    sign,
)
from foundry_emulator.store import Store

DEPLOYER = "00000000-0000-0000-0000-0000000000de"
"""Object id of the principal that deploys: the default of the token endpoint."""

_LIFETIME_S = 24 * 60 * 60  # as long as a managed identity's token is valid [docs]
_REMEMBERED_TOKENS = 1024  # tokens whose signature was checked; a client sends the same one with every request
_SELECTORS = ("client_id", "principal_id", "object_id")  # how App Service lets a caller name an identity [docs]


class Identity:
    """Issues and verifies tokens over App Service's managed identity protocol, version 2019-08-01 [docs].

    The store keeps key and secret, so tokens survive a restart. A principal has one GUID here, both as
    client id and as object id; the service does the same for agent identities (service-contract 2.4, [recorded])
    but not for user-assigned ones [modelled].

    Args:
        store: Where key and secret are kept.
        clock: Unix seconds.
        random_bytes: The source of key and secret, the first time.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._clock = clock
        kept = store.collection("identity")
        document = kept.get("keys")
        if document is None:
            document = {
                "signing_key": base64.b64encode(random_bytes(32)).decode(),
                "identity_header": random_bytes(16).hex(),
            }
            kept.put("keys", document)
        key = base64.b64decode(str(document["signing_key"]))
        self._key = key
        self._identity_header = str(document["identity_header"])

        @lru_cache(maxsize=_REMEMBERED_TOKENS)
        def checked(token: str) -> Claims:
            return read(token, key)

        self._checked = checked

    @property
    def identity_header(self) -> str:
        """The value for the environment variable ``IDENTITY_HEADER``; a secret of this machine."""
        return self._identity_header

    def header_of(self, object_id: str) -> str:
        """Return the ``IDENTITY_HEADER`` of a principal's own processes: it gives tokens of that principal only."""
        return f"{object_id}.{hmac.new(self._key, object_id.encode(), hashlib.sha256).hexdigest()}"

    def token(self, object_id: str, audience: str, *, access: str = "") -> str:
        """Return a token for a principal, as the endpoint would; it is valid for 24 hours.

        Args:
            object_id: The principal.
            audience: The audience.
            access: What the token is limited to; registry tokens only.
        """
        return sign(self._claims(object_id, audience, access), self._key)

    def verify(self, authorization_header: str | None, audience: str) -> Principal:
        """Return the principal behind an Authorization header.

        Raises:
            TokenProblem: The token is missing, expired, for another audience, or from another issuer.
        """
        scheme, _, token = (authorization_header or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenProblem(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing or is not a bearer token.",
            )
        claims = self._checked(token.strip())
        if claims.expires_at <= self._clock():
            raise TokenProblem("ExpiredAuthenticationToken", "The access token has expired. Ask for a new one.")
        requested = normal_audience(audience)
        if normal_audience(claims.audience) != requested:
            raise TokenProblem(
                "InvalidAuthenticationTokenAudience",
                f"The access token was obtained for the audience '{claims.audience}', "
                f"but this endpoint takes '{requested}'. Ask for a token with scope '{requested}/.default'.",
            )
        return Principal(object_id=claims.object_id, tenant_id=claims.tenant_id, access=claims.access)

    def routes(self) -> list[Route | Mount]:
        """Return the route of ``GET /msi/token``, which ``IDENTITY_ENDPOINT`` names."""
        return [Route("/msi/token", self._serve_token, methods=["GET"])]

    def _claims(self, object_id: str, audience: str, access: str = "") -> Claims:
        now = int(self._clock())
        return Claims(
            object_id=object_id,
            tenant_id=TENANT,
            audience=audience,
            issued_at=now,
            expires_at=now + _LIFETIME_S,
            access=access,
        )

    async def _serve_token(self, request: Request) -> JSONResponse:
        try:
            object_id, audience = self._asked_for(request)
        except _RefusalError as refusal:
            return JSONResponse(refusal.body(), status_code=refusal.status)
        claims = self._claims(object_id, audience)
        return JSONResponse(
            {
                "access_token": sign(claims, self._key),
                "client_id": object_id,
                "expires_on": str(claims.expires_at),
                "resource": audience,
                "token_type": "Bearer",
            },
            headers={"Cache-Control": "no-store"},
        )

    def _asked_for(self, request: Request) -> tuple[str, str]:
        """Return object id and audience of the requested token, if the caller may have it."""
        if not _from_loopback(request):
            raise _RefusalError(403, "The token endpoint answers callers on this machine only.")
        own = self._own_identity(request.headers.get("x-identity-header", ""))
        if not request.query_params.get("api-version"):
            raise _RefusalError(400, "The query parameter 'api-version' is required (2019-08-01).")
        audience = request.query_params.get("resource", "").removesuffix("/.default")
        if not audience.strip():
            raise _RefusalError(400, "The query parameter 'resource' is required.")
        if "mi_res_id" in request.query_params:
            raise _RefusalError(501, "The local Azure does not model identities named by mi_res_id; use client_id.")
        selected = next((v for s in _SELECTORS if (v := request.query_params.get(s))), own or DEPLOYER)
        try:
            principal = str(uuid.UUID(selected))
        except ValueError:
            raise _no_identity("not a GUID") from None
        if own and principal != own:
            raise _no_identity("an agent has its own identity alone")
        return principal, audience

    def _own_identity(self, header: str) -> str:
        """Return the principal that a header is bound to; empty for the machine's own header, which allows any.

        Raises:
            _RefusalError: The header is unknown.
        """
        if hmac.compare_digest(header.encode(), self._identity_header.encode()):
            return ""
        principal, _, _ = header.partition(".")
        if not hmac.compare_digest(header.encode(), self.header_of(principal).encode()):
            raise _RefusalError(401, "The X-IDENTITY-HEADER header is missing or is not this endpoint's.")
        return principal


class _RefusalError(Exception):
    """An error response of the token endpoint, in App Service's shape [docs]."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def body(self) -> dict[str, object]:
        return {"statusCode": self.status, "message": str(self)}


def _no_identity(reason: str) -> _RefusalError:
    return _RefusalError(400, f"No User Assigned Managed Identity found for specified ClientId: {reason}.")


def _from_loopback(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
