"""Models of Azure's SDKs, set up before a second thread uses them."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

_lock = threading.Lock()
_ready: set[str] = set()


def set_up(models: ModuleType) -> None:
    """Make an SDK set up all its models, once in a process; other threads wait meanwhile.

    The SDKs set up the class of a model when it is first used, without a lock. Threads that meet there get errors, or
    parts of a response as plain dicts: `pulumi refresh` of two agents failed that way. After a POST such an error
    would lose the response.

    All of them, because operations also use models that no response holds. The 675 of a project's SDK take 0.2 s.

    Args:
        models: The SDK's package ``models``.
    """
    with _lock:
        if models.__name__ in _ready:
            return
        # The package leaves out the models that the SDK keeps private; the module, those that it has added by hand.
        module = sys.modules[f"{models.__name__}._models"]
        for found in (*vars(models).values(), *vars(module).values()):
            model: Any = found
            if isinstance(found, type) and hasattr(found, "as_dict"):
                # The class is set up by `__new__`; an `__init__` may want arguments.
                model.__new__(model)
        _ready.add(models.__name__)
