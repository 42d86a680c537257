"""ConnectionSecret: a credential that never is in a version."""

from __future__ import annotations

import re
from typing import Self

import pulumi


class ConnectionSecret(str):
    """A placeholder for a credential of one of the project's connections, for an agent's environment.

    The platform puts the value in when it starts the container; a missing one gives an empty variable [docs]. So the
    secret is neither in the program, nor in state, nor in the version. ``ConnectionSecret("github", "token")`` is
    ``${{connections.github.credentials.token}}``.

    Args:
        connection: Name of the connection in the project.
        key: Name of the credential in it.

    Raises:
        pulumi.RunError: A name that would break the placeholder.
    """

    __slots__ = ()

    def __new__(cls, connection: str, key: str) -> Self:
        """Builds the placeholder."""
        for name in (connection, key):
            if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
                raise pulumi.RunError(f"ConnectionSecret: {name!r} is not a name: letters, digits, _ and - are allowed")
        return super().__new__(cls, f"${{{{connections.{connection}.credentials.{key}}}}}")
