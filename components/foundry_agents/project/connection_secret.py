"""ConnectionSecret: a placeholder for a credential, so that no version holds the credential itself."""

from __future__ import annotations

import re
from typing import Self

import pulumi

from foundry_agents.resources._plugin import plain_arguments as plain


class ConnectionSecret(str):
    """A placeholder for a credential of one of the project's connections, for an agent's environment.

    The platform inserts the value when it starts the container; if it is missing, the variable is empty [docs]. So the
    secret is neither in the program, nor in state, nor in the version. ``ConnectionSecret("github", "token")`` is
    ``${{connections.github.credentials.token}}``.

    Args:
        connection: Name of the connection in the project.
        key: Name of the credential in it.

    Raises:
        pulumi.RunError: When a name would break the placeholder.
    """

    __slots__ = ()

    def __new__(cls, connection: str, key: str) -> Self:
        """Build the placeholder."""
        plain.reject_problems("ConnectionSecret", plain.texts(connection=connection, key=key))
        for name in (connection, key):
            if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
                raise pulumi.RunError(f"ConnectionSecret: {name!r} is not a name: letters, digits, _ and - are allowed")
        return super().__new__(cls, f"${{{{connections.{connection}.credentials.{key}}}}}")
