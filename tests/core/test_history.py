"""Lists lag behind single reads: one that lacks what is known to exist is read again, and nothing is decided by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import OwnershipError
from foundry_agents.lifecycle.history import STALE_LIST_S, history_of, newest_active, toolbox_history
from foundry_agents.lifecycle.ownership import Owner
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.retention import remove
from foundry_agents.lifecycle.toolboxes import ToolboxPlan, create_or_adopt, retire
from foundry_agents.lifecycle.versions import create_or_adopt as create_version
from foundry_agents.lifecycle.views import AgentView, ToolboxVersionView, VersionView
from foundry_agents.testing import FastClock, MemoryToolboxes
from tests.support.claims import PROVED
from tests.support.service import FaultyService, owned
from tests.support.settings import OTHER_OWNER, OWNER, plan

PATIENCE = PollSettings(600, 5)


@dataclass
class Lagging(FaultyService):
    """Its lists are empty, or lack the newest version, for the first reads.

    Attributes:
        stale: How many lists.
        lacks: How many of the newest versions they lack; 0 for all.
    """

    stale: int = 0
    lacks: int = 0

    def list_versions(self, agent: str) -> Iterator[VersionView]:
        history = list(super().list_versions(agent))
        self.stale -= 1
        if self.stale < 0:
            return iter(history)
        return iter(history[self.lacks :] if self.lacks else ())


def lagging(stale: int, *, lacks: int = 0, newest: str = OTHER_OWNER) -> Lagging:
    service = Lagging(stale=stale, lacks=lacks)
    service.has("1", ownership=owned("v1:1"))
    service.has("2", ownership=owned("v1:2", owner=newest))
    return service


def _agent(service: FaultyService) -> AgentView:
    found = service.get_agent("support")
    assert found is not None
    return found


@pytest.mark.parametrize("lacks", [0, 1])
def test_a_list_without_the_newest_version_is_read_again(lacks: int) -> None:
    service, clock = lagging(3, lacks=lacks), FastClock()
    assert [view.version for view in history_of(service, _agent(service), PATIENCE, clock)] == ["2", "1"]
    assert clock.now() == 3 * PATIENCE.interval_s


def test_a_list_that_is_complete_costs_no_other_read() -> None:
    service = lagging(0)
    agent = _agent(service)
    service.calls.clear()
    history_of(service, agent, PATIENCE, FastClock())
    assert service.calls == ["list_versions support"]


def test_the_newest_version_is_missed_where_the_list_has_only_one_whose_text_is_greater() -> None:
    service = Lagging(stale=2, lacks=1)
    for number in ("9", "10"):
        service.has(number, ownership=owned(f"v1:{number}"))
    listed = history_of(service, _agent(service), PATIENCE, FastClock())
    assert [view.version for view in listed] == ["10", "9"]


def test_the_newest_version_is_found_in_a_list_that_was_read_by_itself() -> None:
    """Two answers of the service never share a text."""
    service, clock = FaultyService(), FastClock()
    service.has("10", ownership=owned("v1:10"))
    agent = _agent(service)
    assert agent.latest is not None
    agent = replace(agent, latest=replace(agent.latest, version=f"{10}"))
    service.calls.clear()
    history_of(service, agent, PATIENCE, clock)
    assert service.calls == ["list_versions support"]


def test_a_version_that_a_single_read_does_not_find_is_not_waited_for() -> None:
    service, clock = lagging(0), FastClock()
    agent = _agent(service)
    del service.versions["support"]["2"]
    assert [view.version for view in history_of(service, agent, PATIENCE, clock)] == ["1"]
    service.has("2", "deleted")
    service.stale, service.lacks = 1, 1
    assert [view.version for view in history_of(service, agent, PATIENCE, clock)] == ["1"]
    assert clock.now() == 0


def test_an_agent_whose_list_stays_empty_is_neither_posted_to_nor_deleted() -> None:
    service, clock = lagging(999), FastClock()
    with pytest.raises(WaitTimeoutError) as caught:
        create_version(service, plan(), clock, print)
    assert clock.now() == STALE_LIST_S
    first, *rest = str(caught.value).splitlines()
    assert first.startswith(
        'the list of versions of agent "support" was not complete after 60 s (13 reads, last seen 0'
    )
    assert rest == ["  State: nothing was changed", "  Do: run the same command again"]
    with pytest.raises(WaitTimeoutError):
        remove(service, "support", owner=Owner(OWNER), claim=PROVED, force=True, clock=clock, patience=PATIENCE)
    assert service.writes == []


def test_what_a_stale_list_hides_decides_once_it_shows() -> None:
    service = lagging(2)
    with pytest.raises(OwnershipError):
        create_version(service, plan(), FastClock(), print)
    service.stale = 2
    removed = remove(
        service, "support", owner=Owner(OWNER), claim=PROVED, force=True, clock=FastClock(), patience=PATIENCE
    )
    assert (removed.agent, removed.versions) == (False, ("1",))


@pytest.mark.parametrize("status", ["failed", "deleting", "deleted"])
def test_a_newest_version_that_is_over_is_not_waited_for(status: str) -> None:
    """Nothing is decided by it, and a list may never show it."""
    service, clock = FaultyService(), FastClock()
    service.has("1", ownership=owned("v1:1"))
    service.has("2", status, owned("v1:2"))
    agent = _agent(service)
    service.list_versions = lambda _agent: iter([service.versions["support"]["1"]])  # type: ignore[method-assign,assignment]
    assert [view.version for view in history_of(service, agent, PATIENCE, clock)] == ["1"]
    assert clock.now() == 0


# --- What @latest serves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("listed", "read", "newest"), [("creating", "active", "2"), ("active", "creating", "1")])
def test_a_single_read_decides_what_is_active(listed: str, read: str, newest: str) -> None:
    service = FaultyService(list_statuses={"2": listed})
    service.has("1")
    service.has("2", read)
    found = newest_active(service, service.list_versions("support"))
    assert found is not None
    assert found.version == newest


@pytest.mark.parametrize("status", ["failed", "deleting", "deleted"])
def test_a_version_that_is_listed_as_over_is_not_read(status: str) -> None:
    service = FaultyService()
    service.has("1", status)
    assert newest_active(service, service.list_versions("support")) is None
    assert service.count("get_version") == 0


# --- Toolboxes -------------------------------------------------------------------------------------------------------


@dataclass
class LaggingToolboxes(MemoryToolboxes):
    """``stale`` lists are empty, or lack the newest ``lacks`` versions."""

    stale: int = 0

    lacks: int = 0

    def list_versions(self, toolbox: str) -> Iterator[ToolboxVersionView]:
        self.stale -= 1
        history = list(super().list_versions(toolbox))
        return iter(history if self.stale < 0 else history[self.lacks :] if self.lacks else ())


def toolboxes(stale: int) -> LaggingToolboxes:
    service = LaggingToolboxes(stale=stale)
    service.create_version("support", [], "", owned("v1:1", owner=OTHER_OWNER).as_metadata())
    service.calls.clear()
    return service


def test_an_empty_list_of_a_toolbox_with_a_default_version_is_read_again() -> None:
    assert [view.version for view in toolbox_history(toolboxes(3), "support", "1", PATIENCE, FastClock())] == ["1"]


def test_a_list_without_the_default_version_authorises_no_delete_and_no_promotion() -> None:
    """Another stack has just taken the toolbox over, and its version is the default."""
    service = LaggingToolboxes()
    mine = ToolboxPlan("support", {}, owned("v1:1"), PATIENCE)
    service.create_version("support", [], "", mine.ownership.as_metadata())
    service.create_version("support", [], "", owned("v1:2", owner=OTHER_OWNER).as_metadata())
    service.promote("support", "2")
    service.calls.clear()
    service.stale, service.lacks = 2, 1
    with pytest.raises(OwnershipError):
        create_or_adopt(service, mine, FastClock(), print)
    service.stale = 2
    became, _why = retire(
        service, "support", "1", owner=Owner(OWNER), claim=PROVED, fresh=(), clock=FastClock(), patience=PATIENCE,
        progress=print,
    )  # fmt: skip
    assert service.default_version("support") == "2", became
    assert service.writes in ([], ["delete_version support:1"])


def test_a_toolbox_that_is_new_has_an_empty_list_at_once() -> None:
    service, clock = MemoryToolboxes(), FastClock()
    assert toolbox_history(service, "support", service.default_version("support"), PATIENCE, clock) == []
    assert clock.now() == 0


def test_a_default_version_that_a_single_read_does_not_find_is_not_waited_for() -> None:
    service, clock = toolboxes(999), FastClock()
    service.get_version = lambda _toolbox, _version: None  # type: ignore[assignment,method-assign]
    assert toolbox_history(service, "support", service.default_version("support"), PATIENCE, clock) == []
    assert clock.now() == 0


def test_a_toolbox_whose_list_stays_empty_is_not_posted_to() -> None:
    service = toolboxes(999)
    with pytest.raises(WaitTimeoutError, match='the list of versions of toolbox "support" was not complete'):
        create_or_adopt(service, ToolboxPlan("support", {}, owned("v1:1"), PATIENCE), FastClock(), print)
    assert service.writes == []
