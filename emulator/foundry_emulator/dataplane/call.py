"""One request to the data plane, and the steps that all operations share."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from foundry_emulator.arm import ProjectView
from foundry_emulator.dataplane.access import Access, Right
from foundry_emulator.dataplane.problem import ServiceProblem, bad_request, invalid, not_implemented
from foundry_emulator.dataplane.regions import region_name
from foundry_emulator.dataplane.wire import JSON_UTF8, SUPPORTED_VERSIONS, parse_object, render, without_nulls

_log = logging.getLogger(__name__)
_MAX_JSON_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """An authorised request.

    Attributes:
        request: The request.
        request_id: 32 hex digits; in the journal, in response headers and in errors.
        principal: Object id of the caller.
        project: The project in the URL.
        path: The URL's other parts by name.
        query: The query; the last value of a repeated name.
    """

    request: Request
    request_id: str
    principal: str
    project: ProjectView
    path: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def agent(self) -> str:
        """The agent's name in the URL."""
        return self.path["agent"]

    def switch(self, name: str) -> bool:
        """Return a boolean of the query; False when it is absent.

        Raises:
            ServiceProblem: 400.
        """
        text = self.query.get(name, "false").lower()
        if text not in {"true", "false"}:
            raise invalid(f"{name} must be true or false, not '{text}'.", name)
        return text == "true"

    async def body(self) -> dict[str, object]:
        """Return the JSON object in the body, nulls included.

        Raises:
            ServiceProblem: 400.
        """
        return parse_object(await self.content(_MAX_JSON_BYTES))

    async def content(self, limit: int) -> bytes:
        """Return the body.

        Args:
            limit: The most bytes that it may have.

        Raises:
            ServiceProblem: 400.
        """
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def chunks(self, limit: int) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives.

        Args:
            limit: The most bytes that it may have.

        Raises:
            ServiceProblem: 400.
        """
        length = self.request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > limit:
            raise invalid(f"The request body has more than {limit} bytes.")
        received = 0
        async for chunk in self.request.stream():
            received += len(chunk)
            if received > limit:
                raise invalid(f"The request body has more than {limit} bytes.")
            yield chunk

    async def body_without_nulls(self) -> dict[str, object]:
        """Return the JSON object in the body; null means not sent."""
        return without_nulls(await self.body())


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the service.

    Attributes:
        name: The name in the SDK, such as ``agents.create_version``.
        method: HTTP method.
        path: Below ``/api/projects/{project}``, with ``{names}``.
        right: The right that the caller needs.
        handle: The handler; without one the response is a 501.
        api_versions: The header ``api-supported-versions``; toolboxes have their own [recorded].
        needs_version: Whether ``api-version`` is required; OpenAI's client sends none below ``/openai/v1`` [sdk].
    """

    name: str
    method: str
    path: str
    right: Right
    handle: Handler | None = None
    api_versions: str = SUPPORTED_VERSIONS
    needs_version: bool = True


def answer(document: object, status: int = 200) -> Response:
    """Return a JSON response."""
    return rendered(render(document), status)


def rendered(body: bytes, status: int = 200) -> Response:
    """Return a JSON response from serialised bytes."""
    return Response(body, status, headers={"content-type": JSON_UTF8})


def no_content() -> Response:
    """Return a 204."""
    return Response(status_code=204)


class Endpoint:
    """The ASGI application of one operation: api-version, token, project, role, then the operation.

    That order is [modelled].
    """

    def __init__(self, operation: Operation, access: Access) -> None:
        self._operation = operation
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; every response, errors included, has the service's envelope."""
        request_id: str = scope["state"]["request_id"]
        region = "local"
        try:
            call = self._admit(Request(scope, receive), request_id)
            region = region_name(call.project.location)
            if self._operation.handle is None:
                raise not_implemented(self._operation.name)  # noqa: TRY301  one place answers problems
            response = await self._operation.handle(call)
        except ServiceProblem as problem:
            response = _problem_answer(problem, request_id)
        except RecursionError:  # JSON just shallow enough to be parsed
            response = _problem_answer(invalid("The request body is nested too deeply."), request_id)
        except ClientDisconnect:
            return
        except Exception:  # noqa: BLE001  the last frame: a bug here is a 500 in the envelope, and in the log
            _log.exception("request %s: %s failed", request_id, self._operation.name)
            response = _problem_answer(
                ServiceProblem(500, "server_error", "The local Azure failed; its log has the traceback."),
                request_id,
            )
        # Appended to the raw headers: Starlette's mapping would search for each name first.
        response.raw_headers += [
            (b"api-supported-versions", self._operation.api_versions.encode()),
            (b"x-ms-region", region.encode("latin-1", "replace")),
            (b"apim-request-id", request_id.encode()),
            (b"x-request-id", request_id.encode()),
        ]
        await response(scope, receive, send)

    def _admit(self, request: Request, request_id: str) -> Call:
        scope = request.scope
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if query.get("api-version") != "v1" and ("api-version" in query or self._operation.needs_version):
            raise _version_problem(query.get("api-version"))
        principal = self._access.principal(request.headers.get("authorization"))
        scope["state"]["principal"] = principal
        path: Mapping[str, str] = scope["path_params"]
        project = self._access.project(path["project"])
        self._access.check(principal, project, self._operation.right, self._operation.name, path.get("agent"))
        return Call(request, request_id, principal, project, path, query)


def _version_problem(version: str | None) -> ServiceProblem:
    if version is None:  # [observed]; the text is [modelled]
        return bad_request("The api-version query parameter is required: api-version=v1.")
    return ServiceProblem(404, "not_found", f"api-version '{version}' is not known here; use v1.")  # [observed]


def _problem_answer(problem: ServiceProblem, request_id: str) -> Response:
    response = answer(problem.document(request_id), problem.status)
    response.headers.update(problem.headers)
    return response
