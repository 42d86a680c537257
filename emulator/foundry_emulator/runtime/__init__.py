"""Runtimes, which run the images and code of hosted agents on this machine."""

from __future__ import annotations

from foundry_emulator.runtime.base import (
    AgentAnswer,
    AgentCall,
    Code,
    Instance,
    Runtime,
    RuntimeUnavailable,
    StartFailed,
    Workload,
)
from foundry_emulator.runtime.echo import EchoRuntime
from foundry_emulator.runtime.process import ProcessRuntime

__all__ = [
    "AgentAnswer",
    "AgentCall",
    "Code",
    "EchoRuntime",
    "Instance",
    "ProcessRuntime",
    "Runtime",
    "RuntimeUnavailable",
    "StartFailed",
    "Workload",
]
