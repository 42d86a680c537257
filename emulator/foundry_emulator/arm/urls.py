"""Where this local Azure is reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses that ARM puts into resources' outputs.

    Attributes:
        data_plane: base URL of the Foundry data plane, no trailing slash, such as ``https://localhost:8443``.
        registry: host and port of the OCI registry, such as ``localhost:5000``.
    """

    data_plane: str
    registry: str
