"""What crosses between Pulumi's plugin process and the core: property bags, errors, and lines for the screen."""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

import grpc
import pulumi
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.views import Progress

PROVIDER_KEY = "__provider"
"""Pulumi's own key in every property bag of a dynamic resource: the pickled provider. Never part of a diff."""

TRACEBACKS = "FOUNDRY_AGENTS_TRACEBACK"
"""Set to 1 to see tracebacks with errors, for people who work on this library."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def own_properties(props: Mapping[str, object]) -> dict[str, object]:
    """Return the property bag without Pulumi's key."""
    return {key: value for key, value in props.items() if key != PROVIDER_KEY}


def is_unknown(value: object) -> bool:
    """Return whether a value, or one at any depth in it, is known only to the deployment."""
    return pulumi.contains_unknowns(value)


HIDDEN = "[secret]"
SHORTEST_HIDDEN = 4
"""Shorter values occur in any text by chance; hiding them would only make it unreadable."""


def hide(text: str, values: Iterable[str]) -> str:
    """Replace values that must not be shown in a text: a service may repeat in an error what it was sent."""
    spellings = {spelt for value in values if len(value) >= SHORTEST_HIDDEN for spelt in _spellings(value)}
    for spelt in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelt, HIDDEN)
    return text


def _spellings(value: str) -> set[str]:
    """Return a value as it is, and as it appears in JSON and in a Python repr."""
    return {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}


def _shown_as(error: Exception, hidden: Iterable[str]) -> Exception:
    """Return the same error under a class that prints without a module path."""
    kind = type(type(error).__name__, (Exception,), {"__module__": "builtins"})
    return cast("Exception", kind(_encodable(hide(str(error), hidden))))


def _encodable(text: str) -> str:
    """Replace what can't be sent or would move a terminal's cursor.

    A cut emoji in JSON is half of a surrogate pair, which gRPC refuses. Control characters of a service's text could
    hide or imitate lines of ours.
    """
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""All but tab and line feed."""


def hidden_in(arguments: Iterable[object]) -> Iterator[str]:
    """Return the secret values in the property bags that a provider's method is called with."""
    provider, *bags = arguments
    names = getattr(provider, "secret_inputs", ())
    for bag in bags:
        if not isinstance(bag, Mapping):
            continue
        for name in names:
            secret = bag.get(name)
            found = secret.values() if isinstance(secret, Mapping) else [secret]
            yield from (value for value in found if isinstance(value, str))


def readable_errors(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn every error of a provider's method into one readable block, without the values of its secret inputs.

    SystemExit, KeyboardInterrupt and the like would hang the operation forever, so they become ordinary errors, too.
    """

    @functools.wraps(call)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return call(*args, **kwargs)
        except FoundryAgentsError as error:
            if _wants_tracebacks():
                raise
            raise _shown_as(error, hidden_in(args)) from None
        except Exception as error:
            shown = _shown_as(error, hidden_in(args))
            if _wants_tracebacks() or str(shown) == str(error):
                raise
            # A mistake in this library, or another library's message about its arguments.
            raise shown from None
        except BaseException as stop:  # noqa: BLE001 (any other error would leave the engine waiting)
            raise RuntimeError(
                f"the provider was stopped ({type(stop).__name__}); the next `pulumi up` continues what it has begun"
            ) from None

    return guarded


def quiet_tracebacks() -> None:
    """Keep Python's tracebacks out of error texts: Pulumi formats every exception of a provider."""
    if not _wants_tracebacks():
        sys.tracebacklimit = 0


def _wants_tracebacks() -> bool:
    return os.environ.get(TRACEBACKS) == "1"


def urn_in_call() -> str:
    """Return the URN in the engine's request that is being answered; "" where it can't be found.

    Pulumi passes a dynamic provider neither the request nor the URN. The URN in state may be from before a rename.
    """
    frame = inspect.currentframe()
    try:
        for _ in range(_FRAMES):
            urn = getattr(frame.f_locals.get("request"), "urn", None) if frame else None
            if isinstance(urn, str):
                return urn
            frame = frame.f_back if frame else None
    finally:
        del frame  # a frame that refers to itself keeps all of its variables
    return ""


_FRAMES = 8
"""The method that has the request is a few calls above."""


def progress_on(urn: object) -> Progress:
    """Return a function that shows a line on the resource's own row while an operation runs; it never raises.

    The engine's Log call is not a documented interface of dynamic providers; without it no lines are shown.
    """
    if not isinstance(urn, str) or not urn:
        return _nowhere

    def show(line: str) -> None:
        _log(line, urn, engine_pb2.INFO, ephemeral=True)

    return show


def warn_on(urn: object, line: str) -> None:
    """Show a warning on the resource's row that stays after the run; it never raises."""
    if isinstance(urn, str) and urn:
        _log(line, urn, engine_pb2.WARNING, ephemeral=False)


def note_on(urn: object, line: str) -> None:
    """Show a line on the resource's row that stays after the run; it never raises."""
    if isinstance(urn, str) and urn:
        _log(line, urn, engine_pb2.INFO, ephemeral=False)


def _nowhere(_line: str) -> None:
    return


def _log(line: str, urn: str, severity: engine_pb2.LogSeverity.ValueType, *, ephemeral: bool) -> None:
    request = engine_pb2.LogRequest(severity=severity, message=_encodable(line), urn=urn, ephemeral=ephemeral)
    try:
        _engine().Log(request, timeout=2)
    except (grpc.RpcError, ValueError):
        return


@lru_cache(maxsize=1)
def _engine() -> engine_pb2_grpc.EngineStub:
    # The plugin is started as `python -m pulumi.dynamic <engine address>`.
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(sys.argv[-1]))
