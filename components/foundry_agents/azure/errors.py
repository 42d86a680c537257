"""The Azure SDK's exceptions, told in the core's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from foundry_agents.lifecycle.failure.errors import (
    AccessDeniedError,
    ConflictError,
    NetworkDeniedError,
    NotReadyError,
    PreviewRequiredError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    SignInError,
    ThrottledError,
    UnreachableError,
)

_NOT_READY, _TOO_MANY = 424, 429
_CONFLICT, _FIRST_SERVER_ERROR = 409, 500
_REFUSED = frozenset({401, 403})
_NOT_FOUND = 404
_PREVIEW_GATE = "preview_feature_required"
_NOT_READY_CODES = frozenset({"session_not_ready", "session_creation_failed", "agent_version_not_ready"})
_NETWORK = re.compile(r"public (network )?access|private endpoint|virtual network|firewall", re.IGNORECASE)
"""In the words of a 403 that no role mends [docs]."""


_PROJECT_MISSING = re.compile(r"\b(subdomain|project)\b|^resource not found\.?$", re.IGNORECASE)
"""In the words of a 404 that is about the project or its host name [azd], or of the gateway in front [observed]."""


def is_about_the_project(said: str) -> bool:
    """Whether the words of a 404 are about what the thing is in, so that they say nothing about the thing."""
    return not said or _PROJECT_MISSING.search(said) is not None


def let_missing_pass(error: ResourceNotFoundError, *, subject: str) -> None:
    """Lets a 404 of the thing itself pass as "not there"; a 404 of the project says nothing about the thing.

    Args:
        error: The 404.
        subject: How the service begins when it speaks of the thing: its own name may hold any word [recorded].
    """
    if error.error is None:
        raise error
    said = error.error.message or ""
    if not said.startswith(subject) and is_about_the_project(said):
        raise error


@contextmanager
def translated(operation: str, *, writes: bool = False) -> Iterator[None]:
    """Turns what the SDK raises into the core's errors, keeping the request id.

    Args:
        operation: Method and URL, for the error text.
        writes: The request changes something, so an answer that is lost means "look before asking again".
    """
    try:
        yield
    except ClientAuthenticationError as error:
        if error.response is None:
            raise SignInError(_attempts(error), endpoint=operation) from None
        raise _answered(error, operation) from None
    except HttpResponseError as error:
        raise _answered(error, operation) from None
    except ServiceRequestError as error:
        # On a write azure-core says "request" also for a connection that broke while sending.
        kind = ResponseLostError if writes and "refused" not in str(error).lower() else UnreachableError
        raise kind(_first_line(error), operation=operation) from None
    except (ServiceResponseError, IncompleteReadError, DecodeError) as error:
        raise ResponseLostError(_first_line(error), operation=operation) from None


def _answered(error: HttpResponseError, operation: str) -> ServiceError:
    status = error.status_code or 0
    body = error.error
    code, detail = (body.code, body.message) if body else _written_out(error)
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    detail = with_details(detail or _first_line(error), headers)
    request_id = request_id_of(headers)
    if status == _TOO_MANY:
        wait = _retry_after_s(error)
        return ThrottledError(
            detail, operation=operation, status=status, code=code, request_id=request_id, retry_after_s=wait
        )
    kind = kind_of(status, code, detail)
    if kind is ServiceError and isinstance(error, ResourceNotFoundError):
        kind = ProjectNotFoundError
    elif kind is ServiceError and isinstance(error, (DecodeError, IncompleteReadError)):
        kind = ResponseLostError
    return kind(detail, operation=operation, status=status or None, code=code, request_id=request_id)


def kind_of(status: int, code: str | None, said: str) -> type[ServiceError]:
    """Which error an answer is, by its status, its code and, where these are the same for many, its words."""
    if status == _NOT_READY or code in _NOT_READY_CODES:
        return NotReadyError
    if code == _PREVIEW_GATE:
        return PreviewRequiredError
    if status in _REFUSED:
        return NetworkDeniedError if _NETWORK.search(said) else AccessDeniedError
    if status >= _FIRST_SERVER_ERROR:
        return ResponseLostError
    return {_CONFLICT: ConflictError, _NOT_FOUND: ProjectNotFoundError, _TOO_MANY: ThrottledError}.get(
        status, ServiceError
    )


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """What Azure support asks for."""
    return headers.get("x-request-id") or headers.get("apim-request-id") or headers.get("x-ms-request-id")


def with_details(said: str, headers: Mapping[str, str]) -> str:
    """The service's words, with what its sandboxes add in a header of their own [docs]."""
    details = headers.get("x-adc-response-details")
    return f"{said} ({details})" if details and details not in said else said


def _written_out(error: HttpResponseError) -> tuple[str | None, str | None]:
    """Code and message of an error that the SDK raised anew, without the body that it had read."""
    match = re.match(r"\(([\w.]+)\) (.+)", _first_line(error))
    return (match[1], match[2]) if match else (None, None)


def _retry_after_s(error: HttpResponseError) -> float | None:
    """Seconds of Retry-After, which is a number or a date [http]; None when there is none that makes sense."""
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    text = headers.get("retry-after", "")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(tz=UTC)).total_seconds())


def _attempts(error: ClientAuthenticationError) -> str:
    """Which credentials were tried and what each said, without the SDK's link to its troubleshooting page."""
    lines = [line.strip() for line in str(error.message).splitlines()]
    return " ".join(line for line in lines if line and "troubleshoot" not in line)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
