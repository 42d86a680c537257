"""Resource Manager over HTTP: authentication, verbs, lists, and its error envelope."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from foundry_emulator.arm import resource_id as ids
from foundry_emulator.arm.arm_store import ArmStore
from foundry_emulator.arm.documents import Json, parsed, section, text
from foundry_emulator.arm.errors import ArmError, not_modelled
from foundry_emulator.arm.resource_id import ResourceId, parse
from foundry_emulator.arm.roles import ROLE_NAMES
from foundry_emulator.identity import ARM_AUDIENCE, Identity, Principal, TokenProblem

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?")
_ROLE_FILTER = re.compile(r"(?:principalId eq|assignedTo\()\s*'([^']*)'\)?", re.IGNORECASE)
_METHODS = ["GET", "PUT", "PATCH", "DELETE", "POST"]
_MAX_BODY = 4 * 1024 * 1024  # Resource Manager's own limit [docs]


class ArmHttp:
    """The REST surface of an :class:`ArmStore`.

    Reads need a token, writes also a role. [modelled] Azure requires a role for reads too.

    Args:
        arm: The resources.
        identity: Verifies tokens.
    """

    def __init__(self, arm: ArmStore, identity: Identity) -> None:
        self._arm = arm
        self._identity = identity

    def routes(self) -> list[Route | Mount]:
        """Return the routes below ``/subscriptions`` and ``/providers`` (501), and of the description of this cloud."""
        return [
            Route("/metadata/endpoints", self._describe, methods=["GET"]),
            Route("/subscriptions", self._serve, methods=_METHODS),
            Route("/subscriptions/{rest:path}", self._serve, methods=_METHODS),
            Route("/providers/{rest:path}", self._serve, methods=_METHODS),
        ]

    async def _describe(self, request: Request) -> Response:
        """Return the addresses and the audience of this cloud's Resource Manager [modelled]."""
        del request
        cloud = {
            "name": "LocalAzure",
            "resourceManager": f"{self._arm.urls().data_plane}/",
            "authentication": {"audiences": [ARM_AUDIENCE]},
            # Azure's registries have hosts below this suffix; here all share one host.
            "suffixes": {"acrLoginServer": self._arm.urls().registry},
        }
        return JSONResponse([cloud])

    async def _serve(self, request: Request) -> Response:
        headers = {"x-ms-request-id": str(uuid.uuid4())}
        try:
            principal = self._identity.verify(request.headers.get("authorization"), ARM_AUDIENCE)
            _check_api_version(request)
            answer = await self._answer(request, principal)
        except TokenProblem as problem:
            headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            answer = _json(ArmError(401, problem.code, problem.message).body(), 401)
        except ArmError as error:
            answer = _json(error.body(), error.status)
        answer.headers.update(headers)
        return answer

    async def _answer(self, request: Request, principal: Principal) -> Response:
        path = request.url.path
        if request.method in {"GET", "HEAD"}:
            return _json(self._read(path, request.query_params.get("$filter", "")), 200)
        rid = parse(path)
        if not rid.name or request.method == "POST":
            raise not_modelled(f"{request.method} {path}")
        return await self._write(request, rid, principal)

    def _read(self, path: str, role_filter: str) -> Json:
        parts = [w.lower() for w in path.strip("/").split("/")]
        if parts == ["subscriptions"]:
            return _page(r for r in self._arm.resources(seeded=True) if "subscriptionId" in r)
        if parts[-1] == "resources" and len(parts) in {3, 5}:
            return _page(self._below(path.rstrip("/").rpartition("/")[0]))
        rid = parse(path)
        if rid.type == ids.ROLE_DEFINITION and rid.name:
            return _role_definition(rid)
        if rid.name:
            return self._arm.get(rid)
        if rid.type == ids.ROLE_ASSIGNMENT:
            return _page(self._role_assignments(rid, role_filter))
        return _page(self._arm.collection(rid))

    async def _write(self, request: Request, rid: ResourceId, principal: Principal) -> Response:
        if rid.type == ids.SUBSCRIPTION:
            raise not_modelled(f"{request.method} of a subscription")
        access = self._arm.access
        if request.method == "DELETE":
            old = self._arm.peek(rid)
            access.check_write(principal.object_id, rid, "delete", old)
            self._arm.check_can_go(rid)
            if not self._arm.delete(rid):
                return Response(status_code=204)
            return _json(old, 200) if rid.type == ids.ROLE_ASSIGNMENT else Response(status_code=200)
        body = await _body(request)
        if request.method == "PATCH":
            access.check_write(principal.object_id, rid, "write", self._arm.peek(rid))
            return _json(self._arm.patch(rid, body), 200)
        access.check_write(principal.object_id, rid, "write", body)
        resource, is_new = self._arm.put(rid, body)
        return _json(resource, 201 if is_new else 200)

    def _below(self, scope: str) -> Iterable[Json]:
        top = parse(scope)
        self._arm.get(top)  # 404 when it does not exist
        for resource in self._arm.resources(seeded=True):
            found = text(resource, "id")
            if ids.is_below(found.lower(), top.key) and text(resource, "type") != ids.RESOURCE_GROUP:
                yield resource

    def _role_assignments(self, rid: ResourceId, role_filter: str) -> Iterable[Json]:
        requested = role_filter.strip()
        by_principal = _ROLE_FILTER.fullmatch(requested)
        if requested and not by_principal and requested.lower() != "atscope()":
            raise not_modelled(f"the filter {requested!r} on role assignments")
        inherited = set(ids.above(rid.scope))
        for found in self._arm.role_assignments(rid.scope):
            properties = section(found, "properties")
            if by_principal and text(properties, "principalId").lower() != by_principal[1].lower():
                continue
            if requested.lower() == "atscope()" and text(properties, "scope").lower() not in inherited:
                continue
            yield found


async def _body(request: Request) -> Json:
    raw = await request.body()
    if len(raw) > _MAX_BODY:
        raise ArmError(413, "RequestEntityTooLarge", "The request content is larger than 4 MiB.")
    try:
        body = parsed(raw)
    except ValueError:
        raise _invalid("it is not JSON") from None
    if not isinstance(body, dict):
        raise _invalid("it is not a JSON object")
    for key in ("properties", "sku", "identity", "tags"):
        if body.get(key) is not None and not isinstance(body[key], dict):
            raise _invalid(f"'{key}' is not an object")
    return body


def _check_api_version(request: Request) -> None:
    given = request.query_params.get("api-version")
    if not given:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _API_VERSION.fullmatch(given):
        raise ArmError(
            400, "InvalidApiVersionParameter", f"The api-version '{given}' is invalid: it has the form YYYY-MM-DD."
        )


def _invalid(reason: str) -> ArmError:
    return ArmError(
        400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: {reason}."
    )


def _role_definition(rid: ResourceId) -> Json:
    name = ROLE_NAMES.get(rid.name.lower())
    if name is None:
        raise ArmError(404, "RoleDefinitionDoesNotExist", f"The role definition '{rid.name}' does not exist.")
    return {
        "id": rid.id,
        "name": rid.name,
        "type": rid.type,
        "properties": {"roleName": name, "type": "BuiltInRole", "assignableScopes": ["/"]},
    }


def _page(values: Iterable[Json]) -> Json:
    return {"value": list(values)}


def _json(body: Json, status: int) -> Response:
    return JSONResponse(body, status_code=status)
