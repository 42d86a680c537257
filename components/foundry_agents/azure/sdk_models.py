"""Models of Azure's SDKs, set up before a second thread uses them."""

from __future__ import annotations

import re
import sys
import threading
from typing import Any

_lock = threading.Lock()
_ready: set[Any] = set()


def set_up(*models: Any) -> None:
    """Make an SDK set up these models and those in them; other threads wait meanwhile.

    The SDKs set up the class of a model when it is first used, without a lock. Threads that meet there get errors, or
    parts of a response as plain dicts: `pulumi refresh` of two agents failed that way. After a POST such an error
    would lose the response.

    Give it what the operations of a client return, and what they send if no response has it as a field. For a
    project's client it takes about 0.1 s, once in a process.
    """
    with _lock:
        rest = list(models)
        while rest:
            model = rest.pop()
            if model in _ready:
                continue
            # The class is set up by `__new__`; an `__init__` may want arguments.
            model.__new__(model)
            _ready.add(model)
            rest += [*model.__subclasses__(), *_in(model)]


def _in(model: Any) -> list[Any]:
    """Return the models that the fields of a model hold; an SDK writes them as ``_models.NAME``."""
    annotations = (str(field) for kind in model.__mro__ for field in vars(kind).get("__annotations__", {}).values())
    known = vars(sys.modules[model.__module__])
    found = (known.get(name) for name in re.findall(r"_models\.(\w+)", " ".join(annotations)))
    return [inner for inner in found if hasattr(inner, "as_dict")]
