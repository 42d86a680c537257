"""The OpenAI client's exceptions, told in the core's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openai import APIConnectionError, APIStatusError, APITimeoutError

from foundry_agents.azure.errors import is_about_the_project, translated
from foundry_agents.azure.sessions import refused
from foundry_agents.lifecycle.failure.errors import ProjectNotFoundError, ResponseLostError, ServiceError

_NOT_FOUND = 404


@contextmanager
def asking(operation: str) -> Iterator[None]:
    """Turns what the OpenAI client, or the sign-in below it, raises into the core's errors.

    Args:
        operation: Method and URL, for the error text.
    """
    with translated(operation, writes=True):
        try:
            yield
        except APIStatusError as error:
            raise _about_the_project(refused(error, operation)) from None
        except APITimeoutError:
            raise ResponseLostError("no answer in time", operation=operation) from None
        except APIConnectionError as error:
            raise ResponseLostError(str(error.__cause__ or error), operation=operation) from None


def _about_the_project(error: ServiceError) -> ServiceError:
    """The same refusal, as what a new project is waited for by where it is about the project."""
    if error.status != _NOT_FOUND or not is_about_the_project(error.detail):
        return error
    return ProjectNotFoundError(
        error.detail, operation=error.operation, status=error.status, code=error.code, request_id=error.request_id
    )
