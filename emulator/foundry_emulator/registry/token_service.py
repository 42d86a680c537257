"""Tokens for the registry, as Azure Container Registry issues them ([docs]; not recorded).

A caller exchanges an Entra token for a refresh token (``POST /oauth2/exchange``), and that for an access token of some
repositories (``/oauth2/token``): POST as Azure's own clients do, or GET with Basic authentication as docker does, user
name all zeros. A scope is granted as far as the caller's roles in ARM allow, and checked again at each request.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from foundry_emulator.arm import ArmStore
from foundry_emulator.identity import ARM_AUDIENCE, Identity, Principal, TokenProblem
from foundry_emulator.registry.rights import Action, may
from foundry_emulator.settings import Settings

REGISTRY_AUDIENCE = "https://containerregistry.azure.net"
"""Audience of a registry's own tokens; unlike Resource Manager's, no policy of a registry refuses it [docs]."""
TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105  the user name of all tokens [docs]

_MAX_FORM = 64 * 1024
Scope = tuple[str, Action]


class Unauthorized(Exception):
    """A request needs a token, or another one.

    Attributes:
        challenge: The header ``WWW-Authenticate``.
    """

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


class TokenService:
    """Issues tokens, and checks them where `Settings.registry_tokens` requires it.

    Args:
        identity: Verifies the tokens to exchange, and signs the new ones.
        arm: Roles and registries.
        settings: Whether tokens are required.
    """

    def __init__(self, identity: Identity, arm: ArmStore, settings: Settings) -> None:
        self._identity = identity
        self._arm = arm
        self._settings = settings

    @property
    def required(self) -> bool:
        """Whether a request without a token is refused."""
        return self._settings.registry_tokens

    def routes(self) -> list[BaseRoute]:
        """Return the routes below ``/oauth2/``."""
        return [
            Route("/oauth2/exchange", self._exchange, methods=["POST"]),
            Route("/oauth2/token", self._token, methods=["GET", "POST"]),
        ]

    def check(self, authorization: str | None, needed: Sequence[Scope]) -> str:
        """Return the caller's object id.

        Args:
            authorization: The request's header.
            needed: The actions of the request, by repository; empty for what any caller may do.

        Raises:
            Unauthorized: With the challenge that shows clients where to get a token.
        """
        if authorization is None:
            raise Unauthorized("authentication required", self._challenge(needed))
        try:
            principal = self._identity.verify(authorization, self._access_audience)
        except TokenProblem as problem:
            raise Unauthorized(problem.message, self._challenge(needed, "invalid_token")) from None
        scopes = set(_scopes(principal.access))
        if not scopes >= set(needed) or any(not self._may(principal, scope) for scope in needed):
            raise Unauthorized("the token does not allow this", self._challenge(needed, "insufficient_scope"))
        return principal.object_id

    def login(self, principal_id: str) -> dict[str, str]:
        """Return user name and password for a container engine that pulls as a principal."""
        principal = Principal(principal_id, "", "registry")
        return {"username": TOKEN_USER, "password": self._refresh(principal)}

    def may_pull(self, authorization: str | None, repository: str) -> bool:
        """Return whether a request may also read another repository, which a mount requires."""
        try:
            self.check(authorization, [(repository, Action.PULL)])
        except Unauthorized:
            return not self.required
        return True

    async def _exchange(self, request: Request) -> Response:
        form = await _form(request)
        if form.get("grant_type") not in {"access_token", "access_token_refresh_token"}:
            return _refused(400, "unsupported grant_type; exchange takes access_token")
        principal = self._entra(form.get("access_token", ""))
        if principal is None:
            return _refused(401, "the access token is not one of this local Azure for Resource Manager or registries")
        return JSONResponse({"refresh_token": self._refresh(principal)})

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        asked = [value for key, value in request.query_params.multi_items() if key == "scope"]
        if request.method == "POST":
            asked = form.get("scope", "").split()
            kind = form.get("grant_type")
            secret = form.get("refresh_token" if kind == "refresh_token" else "password", "")
            user = TOKEN_USER if kind == "refresh_token" else form.get("username", "")
        else:
            user, secret = _basic(request.headers.get("authorization"))
        principal = self._known(user, secret)
        if principal is None:
            return _refused(401, f"user name {TOKEN_USER} with a refresh token (POST /oauth2/exchange) is what works")
        granted = [scope for scope in _scopes(" ".join(asked)) if self._may(principal, scope)]
        access = " ".join(f"repository:{repository}:{action}" for repository, action in granted)
        token = self._identity.token(principal.object_id, self._access_audience, access=f"{principal.access} {access}")
        # Both names: docker reads `token` or `access_token`, Azure's clients the latter.
        return JSONResponse({"access_token": token, "token": token}, headers={"cache-control": "no-store"})

    def _entra(self, token: str) -> Principal | None:
        """Return the principal of an Entra token; its ``access`` says how the token was obtained."""
        for audience, how in ((REGISTRY_AUDIENCE, "registry"), (ARM_AUDIENCE, "arm")):
            try:
                principal = self._identity.verify(f"Bearer {token}", audience)
            except TokenProblem:
                continue
            return Principal(principal.object_id, principal.tenant_id, how)
        return None

    def _refresh(self, principal: Principal) -> str:
        return self._identity.token(principal.object_id, self._refresh_audience, access=principal.access)

    def _known(self, user: str, secret: str) -> Principal | None:
        if user != TOKEN_USER:
            return None
        try:
            return self._identity.verify(f"Bearer {secret}", self._refresh_audience)
        except TokenProblem:
            return None

    def _may(self, principal: Principal, scope: Scope) -> bool:
        registry = self._arm.registry_for(f"{self._arm.registry_host}/{scope[0]}")
        if registry is None:
            return False
        if principal.access.split()[:1] == ["arm"] and not registry.arm_audience_enabled:
            return False  # the policy azureADAuthenticationAsArmPolicy
        return may(self._arm, registry, principal.object_id, scope[1])

    def _challenge(self, needed: Sequence[Scope], error: str = "") -> str:
        host = self._arm.registry_host
        by_repository: dict[str, list[str]] = {}
        for repository, action in needed:
            by_repository.setdefault(repository, []).append(action)
        scope = " ".join(f"repository:{name}:{','.join(actions)}" for name, actions in by_repository.items())
        parts = {"realm": f"https://{host}/oauth2/token", "service": host, "scope": scope, "error": error}
        return "Bearer " + ",".join(f'{name}="{value}"' for name, value in parts.items() if value)

    @property
    def _access_audience(self) -> str:
        return f"https://{self._arm.registry_host}/access"

    @property
    def _refresh_audience(self) -> str:
        return f"https://{self._arm.registry_host}/refresh"


def _scopes(text: str) -> list[Scope]:
    """Return the scopes of repositories, one for each action; scopes that are not understood are left out."""
    found: list[Scope] = []
    for word in text.split():
        kind, _, rest = word.partition(":")
        repository, _, actions = rest.rpartition(":")
        if kind == "repository" and repository:
            found += [(repository, Action(action)) for action in actions.split(",") if action in set(Action)]
    return found


def _basic(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, secret


async def _form(request: Request) -> Mapping[str, str]:
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > _MAX_FORM:
            return {}
    return dict(parse_qsl(received.decode("latin-1")))


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"errors": [{"code": "UNAUTHORIZED", "message": message, "detail": {}}]}, status_code=status)
