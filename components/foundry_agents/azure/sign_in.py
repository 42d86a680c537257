"""The credential of this process."""

from __future__ import annotations

import logging
from functools import lru_cache

from azure.identity import DefaultAzureCredential

# Without a handler Python prints the SDK's warnings to stderr, in addition to our own message about the same error.
logging.getLogger("azure").addHandler(logging.NullHandler())


@lru_cache(maxsize=1)
def credential() -> DefaultAzureCredential:
    """Return the credential of this process, which all its clients share."""
    return DefaultAzureCredential()
