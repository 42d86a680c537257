"""Packed images, changed in one thing."""

from __future__ import annotations

import json

from foundry_emulator.registry import PackedImage


def for_architecture(image: PackedImage, architecture: str, *, command: bool = True) -> PackedImage:
    """Return the same files for another architecture, or without an entrypoint."""
    config = json.loads(image.config)
    config["architecture"] = architecture
    if not command:
        del config["config"]["Entrypoint"]
    return PackedImage.of_layer(image.layer, config)
