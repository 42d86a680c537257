"""The registries that resources read and push to."""

from __future__ import annotations

from foundry_agents.lifecycle.service.registries import ImageRegistry


def image_registry() -> ImageRegistry:
    """Return registries, with the credentials of this machine. Imports Azure's SDK: never in check, nor before diff."""
    from foundry_agents.azure.registries import registry_client  # noqa: PLC0415 (late on purpose)

    return registry_client()
