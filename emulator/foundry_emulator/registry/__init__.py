"""Container images: an OCI registry, a packer for local sources, and the check before a pull."""

from __future__ import annotations

from foundry_emulator.registry.image_reference import ImageReference
from foundry_emulator.registry.pack import PackedImage, pack
from foundry_emulator.registry.pull_check import PulledImage, PullRefusal, PullRefusalReason, check_pull
from foundry_emulator.registry.push import PushError, push
from foundry_emulator.registry.registry_store import Layer, Manifest, RegistryStore

__all__ = [
    "ImageReference",
    "Layer",
    "Manifest",
    "PackedImage",
    "PullRefusal",
    "PullRefusalReason",
    "PulledImage",
    "PushError",
    "RegistryStore",
    "check_pull",
    "pack",
    "push",
]
