"""The addresses of this local Azure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses in the outputs of resources.

    Attributes:
        data_plane: Base URL of the Foundry data plane, no trailing slash, such as ``https://localhost:8443``.
        registry: Host and port of the OCI registry, such as ``localhost:5000``.
    """

    data_plane: str
    registry: str
