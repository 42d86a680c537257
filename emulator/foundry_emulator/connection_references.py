"""References to connections in environment values, ``${{connections.<name>...}}`` (service-contract 6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from foundry_emulator.arm.connections import Connection

_REFERENCE = re.compile(r"\$\{\{\s*connections\.([^.}\s]+)\.([^}]*?)\s*\}\}")


class Resolved(NamedTuple):
    """A value in which the references are resolved.

    Attributes:
        text: The value.
        secrets: The credentials in it.
    """

    text: str
    secrets: frozenset[str]


def resolve(text: str, find: Callable[[str], Connection | None]) -> Resolved:
    """Replace references with credentials, targets and metadata; a missing one becomes an empty string [docs].

    Args:
        text: A value with any number of ``.credentials.<key>``, ``.target`` and ``.metadata.<key>`` of connections.
        find: Returns a connection by its name.
    """
    secrets: set[str] = set()

    def value(match: re.Match[str]) -> str:
        connection = find(match[1])
        if connection is None:
            return ""
        part, _, key = match[2].partition(".")
        if part == "credentials":
            credential = connection.credentials.get(key, "")
            secrets.add(credential)
            return credential
        if part == "metadata":
            return connection.metadata.get(key, "")
        return connection.target if match[2] == "target" else ""

    return Resolved(_REFERENCE.sub(value, text), frozenset(secrets - {""}))
