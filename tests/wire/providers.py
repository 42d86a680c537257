"""Providers for tests, importable by the plugin process like the real ones."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, ResourceProvider

from foundry_agents.resources._plugin.boundary import readable_errors


class Probe(ResourceProvider):
    """Return which modules the plugin process has loaded."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        del news
        return CheckResult({"modules": sorted(sys.modules)}, [])


class Stopping(ResourceProvider):
    """Raise in the middle of a call what the input names."""

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        ways: dict[str, BaseException] = {
            "SystemExit": SystemExit(1),
            "KeyboardInterrupt": KeyboardInterrupt(),
            "CancelledError": asyncio.CancelledError(),
            "ValueError": ValueError("a mistake of ours"),
        }
        raise ways[props["way"]]
