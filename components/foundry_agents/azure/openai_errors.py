"""The OpenAI client's exceptions, translated into the core's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from openai import APIConnectionError, APIStatusError, APITimeoutError, NotFoundError

from foundry_agents.azure import errors
from foundry_agents.azure.errors import is_about_the_project, kind_of, request_id_of, with_details
from foundry_agents.lifecycle.failure.service_errors import ProjectNotFoundError, ResponseLostError, ServiceError

T = TypeVar("T")


@contextmanager
def translated(operation: str, *, timeout_s: float | None = None, about_project: bool = True) -> Iterator[None]:
    """Raise the core's errors in place of those of the OpenAI client, or of the sign-in below it.

    Args:
        operation: Method and URL, for the error text.
        timeout_s: The timeout of the request, for the error text.
        about_project: Whether a 404 may be about the project.
    """
    with errors.translated(operation, writes=True):
        try:
            yield
        except APIStatusError as error:
            raise _refusal(error, operation, about_project=about_project) from None
        except APITimeoutError:
            limit = f"within {timeout_s:g} s" if timeout_s else "in time"
            raise ResponseLostError(f"no answer {limit}", operation=operation) from None
        except APIConnectionError as error:
            raise ResponseLostError(str(error.__cause__ or error), operation=operation) from None


def found_or_none(call: Callable[[], T]) -> T | None:
    """Return what a call returns; None on a definite 404 of the thing itself."""
    try:
        return call()
    except NotFoundError as error:
        _let_missing_pass(error)
        return None


def found_items(walk: Callable[[], Iterable[T]]) -> Iterator[T]:
    """Yield the items of all pages; nothing, or nothing more, on a definite 404 of what has them."""
    try:
        yield from walk()
    except NotFoundError as error:
        _let_missing_pass(error)


def _let_missing_pass(error: NotFoundError) -> None:
    """Return for a 404 of the thing itself; raise for a 404 of the project, which says nothing about the thing."""
    body: Any = error.body if isinstance(error.body, dict) else {}
    said = str((body.get("error") or body).get("message") or "")
    if is_about_the_project(said):
        raise error


def _refusal(error: APIStatusError, operation: str, *, about_project: bool) -> ServiceError:
    """Return the core's error for an error response."""
    body = cast("Mapping[str, object]", error.body) if isinstance(error.body, Mapping) else {}
    inner = body.get("error")
    details = inner if isinstance(inner, Mapping) else body
    code = str(details["code"]) if details.get("code") else None
    status = error.status_code
    said = with_details(str(details.get("message") or error.message), error.response.headers)
    kind = kind_of(status, code, said)
    if kind is ProjectNotFoundError:
        kind = ProjectNotFoundError if about_project and is_about_the_project(said) else ServiceError
    return kind(
        said,
        operation=operation,
        status=status,
        code=code,
        request_id=request_id_of(error.response.headers),
    )
