"""Fakes for your own tests: services in memory and a clock that never waits.

service = MemoryService()
made = create_or_adopt(service, plan, FastClock(), progress=print)
"""

from foundry_agents.testing.agents import MemoryService, echo
from foundry_agents.testing.clock import FastClock
from foundry_agents.testing.toolboxes import MemoryToolboxes
from foundry_agents.testing.vector_stores import MemoryVectorStores

__all__ = ["FastClock", "MemoryService", "MemoryToolboxes", "MemoryVectorStores", "echo"]
