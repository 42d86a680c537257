"""The function of a smoke test: code of users, imported by its name."""

from __future__ import annotations

import importlib

from foundry_agents.lifecycle.failure.deployment_errors import SmokeTestError
from foundry_agents.lifecycle.smoke import Check


def load_check(name: str) -> Check:
    """Import a function.

    Args:
        name: ``package.module:function``.

    Raises:
        SmokeTestError: It can't be imported or called.
    """
    module, _, attribute = name.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (an import runs the user's code, which may raise anything)
        raise SmokeTestError(f"importing {name}", f"{type(error).__name__}: {error}") from None
    if not callable(found):
        raise SmokeTestError(f"importing {name}", "it can't be called")
    return found
