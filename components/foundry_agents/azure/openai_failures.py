"""The OpenAI client's exceptions, told in the core's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openai import APIConnectionError, APIStatusError, APITimeoutError

from foundry_agents.azure.failures import translated
from foundry_agents.azure.sessions import refused
from foundry_agents.lifecycle.errors import AnswerLost


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
            raise refused(error, operation) from None
        except APITimeoutError:
            raise AnswerLost("no answer in time", operation=operation) from None
        except APIConnectionError as error:
            raise AnswerLost(str(error.__cause__ or error), operation=operation) from None
