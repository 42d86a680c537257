"""Ports for a local Azure that is stopped and started again while other tests run."""

from __future__ import annotations

import random

from foundry_emulator.emulator import Ports
from foundry_emulator.listener import PortInUse, bind

_LASTING = range(20_000, 32_000)
"""Below those that Linux gives by itself to listeners on port 0 and to clients: none of them takes it meanwhile."""


def lasting_ports() -> Ports:
    """Return three free ports that stay free while nothing listens on them."""
    # Drawn, because tests in other processes draw, too.
    drawn = random.SystemRandom().sample(_LASTING, 30)
    data, registry, page, *_others = (port for port in drawn if _is_free(port))
    return Ports(data, registry, page)


def _is_free(port: int) -> bool:
    try:
        bind(port).close()
    except PortInUse:
        return False
    return True
