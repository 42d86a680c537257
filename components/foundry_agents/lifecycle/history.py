"""The versions of an agent or a toolbox: a list that lacks one which is known to exist is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from foundry_agents.lifecycle.ownership import is_usable
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll, retry_transient
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.service.toolboxes import ToolboxService
from foundry_agents.lifecycle.views import AgentView, ToolboxVersionView, VersionView

STALE_LIST_S = 60.0
"""How long a list is read again. Lists lag behind single reads by seconds [observed]."""

T = TypeVar("T", VersionView, ToolboxVersionView)


def history_of(service: AgentService, agent: AgentView, patience: PollSettings, clock: Clock) -> list[VersionView]:
    """Return all versions of an agent, newest first.

    Raises:
        WaitTimeoutError: The list lacks the newest version, although a read shows it; nothing was changed.
        ServiceError: The service refused.
    """
    return _complete(
        lambda: list(service.list_versions(agent.name)),
        agent.latest.version if agent.latest else None,
        lambda number: service.get_version(agent.name, number),
        subject=f'the list of versions of agent "{agent.name}"',
        patience=patience,
        clock=clock,
    )


def newest_active(service: AgentService, history: Iterable[VersionView]) -> VersionView | None:
    """Return the newest active version, which ``@latest`` serves.

    A list may be stale [observed], so a single read decides about each version that has not failed.
    """
    for version in history:
        if not is_usable(version):
            continue
        seen = service.get_version(version.agent, version.version)
        if seen is not None and seen.status == "active":
            return seen
    return None


def toolbox_history(
    service: ToolboxService, toolbox: str, default: str | None, patience: PollSettings, clock: Clock
) -> list[ToolboxVersionView]:
    """Return all versions of a toolbox, newest first; ``default`` is the number of its default version.

    Raises:
        WaitTimeoutError: The list lacks the default version, although a read shows it; nothing was changed.
        ServiceError: The service refused.
    """
    return _complete(
        lambda: list(service.list_versions(toolbox)),
        default,
        lambda number: service.get_version(toolbox, number),
        subject=f'the list of versions of toolbox "{toolbox}"',
        patience=patience,
        clock=clock,
    )


def _complete(
    listed: Callable[[], list[T]],
    number: str | None,
    read: Callable[[str], T | None],
    *,
    subject: str,
    patience: PollSettings,
    clock: Clock,
) -> list[T]:
    """Read a list until it has a version, or a single read does not find that version, or one that does not count."""

    def is_complete(history: Sequence[T]) -> bool:
        if number is None or any(each.version == number for each in history):
            return True
        seen = retry_transient(partial(read, number), patience, clock)
        return seen is None or not is_usable(seen)

    complete = Until[list[T]](
        subject,
        "complete",
        done=is_complete,
        describe=lambda history: f"{len(history)} versions, without {number}",
        do="run the same command again",
        state="nothing was changed",
    )
    brief = replace(patience, timeout_s=min(patience.timeout_s, STALE_LIST_S))
    return poll(listed, complete, clock, brief, retried=())
