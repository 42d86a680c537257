"""The SDK's models of what this library reads and writes, set up before a second thread uses them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

from azure.ai.projects import models

_RESPONSES: tuple[Any, ...] = (
    models.AgentDetails,
    models.AgentVersionDetails,
    models.AgentSessionResource,
    models.ApiErrorResponse,
    models.Connection,
    models.DeleteAgentResponse,
    models.DeleteAgentVersionResponse,
    models.ToolboxObject,
    models.ToolboxVersionObject,
)

_lock = threading.Lock()
_done = threading.Event()


def set_up() -> None:
    """Make the SDK set up all these models and those in them (about 0.1 s); other threads wait meanwhile.

    The SDK sets up the class of a model when it is first used, without a lock. Threads that meet there get errors, or
    parts of a response as plain dicts: `pulumi refresh` of two agents failed that way. After a POST such an error
    would lose the response.
    """
    with _lock:
        if not _done.is_set():
            for model in _with_those_in_them(_RESPONSES):
                # The classes are set up by `__new__`; an `__init__` may want arguments.
                model.__new__(model)
            _done.set()


def _with_those_in_them(roots: tuple[Any, ...]) -> Iterator[Any]:
    seen: set[Any] = set()
    rest = list(roots)
    while rest:
        model = rest.pop()
        if model in seen:
            continue
        seen.add(model)
        yield model
        rest += model.__subclasses__()
        annotations = (str(field) for kind in model.__mro__ for field in vars(kind).get("__annotations__", {}).values())
        for name in re.findall(r"_models\.(\w+)", " ".join(annotations)):
            inner: Any = getattr(models, name, None)
            if hasattr(inner, "as_dict"):
                rest.append(inner)
