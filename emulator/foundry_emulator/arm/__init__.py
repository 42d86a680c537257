"""Azure Resource Manager, as far as hosted agents need it."""

from __future__ import annotations

from foundry_emulator.arm.arm_store import ArmStore
from foundry_emulator.arm.urls import Urls
from foundry_emulator.arm.views import ProjectView, RegistryView

__all__ = ["ArmStore", "ProjectView", "RegistryView", "Urls"]
