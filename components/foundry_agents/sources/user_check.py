"""The function of a smoke test: code of users, imported by its name."""

from __future__ import annotations

import importlib
import inspect

from foundry_agents.lifecycle.failure.deployment_errors import SmokeTestError
from foundry_agents.lifecycle.smoke import Check

_LAZY = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
"""Kinds of functions whose call runs none of their code."""


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
        # Of an object, its method counts; to call a class makes an object.
        call = None if isinstance(found, type) else getattr(found, "__call__", None)  # noqa: B004
        is_lazy = any(lazy(each) for lazy in _LAZY for each in (found, call))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (an import runs the user's code, which may raise anything)
        raise SmokeTestError(f"importing {name}", f"{type(error).__name__}: {error}") from None
    if not callable(found):
        raise SmokeTestError(f"importing {name}", "it can't be called")
    if is_lazy:
        detail = "a call of it would run none of its code: write def instead of async def, and no yield"
        raise SmokeTestError(f"importing {name}", detail)
    return found
