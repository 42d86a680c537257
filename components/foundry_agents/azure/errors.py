"""The Azure SDK's exceptions, translated into the core's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from foundry_agents.lifecycle.failure.errors import headline
from foundry_agents.lifecycle.failure.service_errors import (
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

T = TypeVar("T")

_NOT_READY, _TOO_MANY = 424, 429
_CONFLICT, _FIRST_SERVER_ERROR = 409, 500
_REFUSED = frozenset({401, 403})
_NOT_FOUND = 404
_PREVIEW_GATE = "preview_feature_required"
_NOT_READY_CODES = frozenset({"session_not_ready", "session_creation_failed", "agent_version_not_ready"})
_NETWORK = re.compile(r"public (network )?access|private endpoint|virtual network|firewall", re.IGNORECASE)
"""In the text of a 403 that no role fixes [docs]."""


_PROJECT_MISSING = re.compile(r"\b(subdomain|project)\b|^resource not found\.?$", re.IGNORECASE)
"""In the text of a 404 that is about the project or its host name [azd], or of the gateway in front [observed]."""


def is_about_the_project(said: str) -> bool:
    """Return whether the text of a 404 is about the project, so that it says nothing about the thing in it."""
    return not said or _PROJECT_MISSING.search(said) is not None


def let_missing_pass(error: ResourceNotFoundError, *, subject: str) -> None:
    """Return for a 404 of the thing itself; raise for a 404 of the project, which says nothing about the thing.

    Args:
        error: The 404.
        subject: How the service begins when it speaks of the thing: its own name may hold any word [recorded].
    """
    if error.error is None:
        raise error
    said = error.error.message or ""
    if not said.startswith(subject) and is_about_the_project(said):
        raise error


def found_or_none(call: Callable[[], T], *, subject: str) -> T | None:
    """Return what a call returns; None on a definite 404 of the thing itself.

    Args:
        call: The request.
        subject: How the service begins when it speaks of the thing: ``Agent``.
    """
    try:
        return call()
    except ResourceNotFoundError as error:
        let_missing_pass(error, subject=subject)
        return None


def was_found(call: Callable[[], object], *, subject: str) -> bool:
    """Make a call that returns nothing of interest; False on a definite 404 of the thing itself."""
    return found_or_none(lambda: (call(),), subject=subject) is not None


def found_items(walk: Callable[[], Iterable[T]], *, subject: str) -> Iterator[T]:
    """Yield the items of all pages; nothing, or nothing more, on a definite 404 of what has them."""
    try:
        yield from walk()
    except ResourceNotFoundError as error:
        let_missing_pass(error, subject=subject)


@contextmanager
def translated(operation: str, *, writes: bool = False) -> Iterator[None]:
    """Raise the core's errors in place of the SDK's, with the request id.

    Args:
        operation: Method and URL, for the error text.
        writes: The request changes something, so a lost response means "read before sending it again".
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
        raise kind(headline(error), operation=operation) from None
    except (ServiceResponseError, IncompleteReadError, DecodeError) as error:
        raise ResponseLostError(headline(error), operation=operation) from None


def _answered(error: HttpResponseError, operation: str) -> ServiceError:
    status = error.status_code or 0
    body = error.error
    code, detail = (body.code, body.message) if body else _written_out(error)
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    detail = with_details(detail or headline(error), headers)
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
    """Return the kind of error for a status and a code and, where these are the same for many errors, the text."""
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
    """Return the id that Azure support asks for."""
    return headers.get("x-request-id") or headers.get("apim-request-id") or headers.get("x-ms-request-id")


def with_details(said: str, headers: Mapping[str, str]) -> str:
    """Return the service's text with what its sandboxes add in a header [docs]."""
    details = headers.get("x-adc-response-details")
    return f"{said} ({details})" if details and details not in said else said


def _written_out(error: HttpResponseError) -> tuple[str | None, str | None]:
    """Return code and message of an error that the SDK raised again without the body that it had read."""
    match = re.match(r"\(([\w.]+)\) (.+)", headline(error))
    return (match[1], match[2]) if match else (None, None)


def _retry_after_s(error: HttpResponseError) -> float | None:
    """Return the seconds of Retry-After, a number or a date [http]; None when it is missing or not valid."""
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    text = headers.get("retry-after", "")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is in UTC [http].
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(tz=UTC)).total_seconds())


def _attempts(error: ClientAuthenticationError) -> str:
    """Return which credentials were tried and why each failed, without the SDK's link to its help page."""
    lines = [line.strip() for line in str(error.message).splitlines()]
    return " ".join(line for line in lines if line and "troubleshoot" not in line)
