"""A stand-in for ``pulumi-resource-azure-native``: Azure resources of a local run, made in the local Azure.

It is put on PATH for the local stack alone (``emulator/plugins``). The real ``pulumi_azure_native`` SDK says what
a resource type accepts; the local Azure's Resource Manager says what becomes of it.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

__all__ = ["run"]


def run() -> None:
    """Serves the plugin to the Pulumi engine that started this process, until the engine ends it."""
    from foundry_emulator.fake_plugins.provider import FakeAzureNative  # noqa: PLC0415 - costs most of the start
    from foundry_emulator.fake_plugins.server import serve  # noqa: PLC0415

    serve(sys.argv[1:], version("pulumi-azure-native"), FakeAzureNative())
