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

from foundry_agents.lifecycle.errors import (
    AnswerLost,
    Conflict,
    NotReady,
    PermissionMissing,
    PreviewRequired,
    ProjectNotFound,
    ServiceError,
    SignInFailed,
    Throttled,
    Unreachable,
)

_NOT_READY, _TOO_MANY = 424, 429
_CONFLICT, _FIRST_SERVER_ERROR = 409, 500
_REFUSED = frozenset({401, 403})
_NOT_FOUND = 404
_PREVIEW_GATE = "preview_feature_required"


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
            raise SignInFailed(_attempts(error), endpoint=operation) from None
        raise _answered(error, operation) from None
    except HttpResponseError as error:
        raise _answered(error, operation) from None
    except ServiceRequestError as error:
        # On a write azure-core says "request" also for a connection that broke while sending.
        kind = AnswerLost if writes and "refused" not in str(error).lower() else Unreachable
        raise kind(_first_line(error), operation=operation) from None
    except (ServiceResponseError, IncompleteReadError, DecodeError) as error:
        raise AnswerLost(_first_line(error), operation=operation) from None


def _answered(error: HttpResponseError, operation: str) -> ServiceError:
    status = error.status_code or 0
    body = error.error
    code, detail = (body.code, body.message) if body else _written_out(error)
    detail = detail or _first_line(error)
    request_id = _request_id(error)
    if status == _TOO_MANY:
        wait = _retry_after_s(error)
        return Throttled(
            detail, operation=operation, status=status, code=code, request_id=request_id, retry_after_s=wait
        )
    kind: type[ServiceError] = ServiceError
    if status == _NOT_READY or code == "agent_version_not_ready":
        kind = NotReady
    elif code == _PREVIEW_GATE:
        kind = PreviewRequired
    elif status in _REFUSED:
        kind = PermissionMissing
    elif status == _CONFLICT:
        kind = Conflict
    elif isinstance(error, ResourceNotFoundError) or status == _NOT_FOUND:
        kind = ProjectNotFound
    elif status >= _FIRST_SERVER_ERROR or isinstance(error, (DecodeError, IncompleteReadError)):
        kind = AnswerLost
    return kind(detail, operation=operation, status=status or None, code=code, request_id=request_id)


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


def _request_id(error: HttpResponseError) -> str | None:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    return headers.get("x-request-id") or headers.get("apim-request-id")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
