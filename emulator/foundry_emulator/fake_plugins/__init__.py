"""Fake Pulumi plugins, for the stack ``local``: ``azure-native`` and ``docker``, backed by the local Azure.

``emulator/plugins`` starts them; only the Pulumi home of the local stack holds them. The real
``pulumi_azure_native`` SDK says what a resource type accepts; the local Azure's Resource Manager does the rest.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

__all__ = ["run"]


def run() -> None:
    """Serve the fake azure-native plugin to the Pulumi engine that started this process, until the engine ends it."""
    from foundry_emulator.fake_plugins.provider import FakeAzureNative  # noqa: PLC0415 - costs most of the start
    from foundry_emulator.fake_plugins.server import serve  # noqa: PLC0415

    serve(sys.argv[1:], version("pulumi-azure-native"), FakeAzureNative())
