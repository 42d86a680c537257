"""The web page of the local Azure: resources, rights and the latest requests."""

from __future__ import annotations

from foundry_emulator.page.pages import pages

__all__ = ["pages"]
