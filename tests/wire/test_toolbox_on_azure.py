"""ToolboxVersion through the real plugin process and the real SDK: create, adopt, promote, keep, retire."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

import foundry_agents as fa
from foundry_agents.lifecycle.inputs.tool_rules import by_name
from foundry_agents.resources.toolbox_version import ToolboxVersionProvider
from foundry_agents.tools.tools import AnyTool
from foundry_emulator.journal import Entry
from tests.support.bench import OWNER, Bench, plain
from tests.support.plugin import Plugin, ProviderError, Secret, State, running

PROVIDER = ToolboxVersionProvider()
DOCS = fa.Mcp("docs", "https://learn.example.com/mcp", require_approval="never")
_numbers = itertools.count(1)


@dataclass
class Box:
    """A toolbox of one test's own, and the calls that the engine would make for a version of it."""

    bench: Bench
    name: str = field(default_factory=lambda: f"box-{next(_numbers)}")
    since: int = 0

    def __post_init__(self) -> None:
        self.since = max((entry.n for entry in self.bench.azure.journal()), default=0)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::agents::foundry:ToolboxVersion::{self.name}"

    def inputs(self, *tools: AnyTool, plugin: Plugin | None = None, **changed: object) -> dict[str, Any]:
        named = by_name([tool.inputs() for tool in tools or (DOCS,)])
        raw = {
            "project_endpoint": self.bench.project.endpoint,
            "toolbox_name": self.name,
            "owner": OWNER,
            "urn": self.urn,
            **{f"tool:{name}": tool for name, tool in named.items()},
            **changed,
        }
        checked = (plugin or self.bench.plugin).check(PROVIDER, raw)
        assert checked.failures == []
        return checked.inputs

    def create(self, *tools: AnyTool, plugin: Plugin | None = None, **changed: object) -> State:
        inputs = self.inputs(*tools, plugin=plugin, **changed)
        return (plugin or self.bench.plugin).create(PROVIDER, inputs)

    def delete(self, state: State, plugin: Plugin) -> None:
        plugin.delete(PROVIDER, state.id, state.outs)

    def someone_else(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        """A request that is not made by this library."""
        with self.bench.azure.client(self.bench.project.name) as client:
            answer = client.request(method, path, json=body)
            answer.raise_for_status()
            return dict(answer.json()) if answer.content else {}

    def versions(self) -> list[str]:
        with self.bench.azure.client(self.bench.project.name) as client:
            answer = client.get(f"toolboxes/{self.name}/versions")
            return [version["version"] for version in answer.json()["data"]] if answer.is_success else []

    def default(self) -> str:
        return str(self.someone_else("GET", f"toolboxes/{self.name}")["default_version"])

    def writes(self) -> list[str]:
        """Methods of what was written by this library since the test began."""
        return [entry.method for entry in self.requests() if entry.write]

    def requests(self) -> list[Entry]:
        journal = self.bench.azure.journal(plane="data", since=self.since)
        return [entry for entry in journal if f"/toolboxes/{self.name}" in entry.path]

    def agent_calls(self, version: str) -> None:
        """An agent's version that calls this version of the toolbox."""
        endpoint = f"{self.bench.project.endpoint}/toolboxes/{self.name}/versions/{version}/mcp?api-version=v1"
        definition = {
            "kind": "hosted",
            "cpu": "1",
            "memory": "2Gi",
            "container_configuration": {"image": self.bench.image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
            "environment_variables": {"TOOLBOX_ENDPOINT": endpoint},
        }
        self.someone_else("POST", f"agents/{self.name}/versions", {"definition": definition})


@pytest.fixture
def box(on_azure: Bench) -> Iterator[Box]:
    yield Box(on_azure)
    on_azure.reset()


def test_a_version_is_one_post_and_its_outputs_say_where_it_is(box: Box) -> None:
    outs = plain(box.create(DOCS, fa.CodeInterpreter(), description="d", metadata={"team": "support"}).outs)
    base = f"{box.bench.project.endpoint}/toolboxes/{box.name}"
    assert (outs["version"], outs["version_id"]) == ("1", f"{box.name}:1")
    assert outs["endpoint"] == f"{base}/versions/1/mcp?api-version=v1"
    assert outs["default_endpoint"] == f"{base}/mcp?api-version=v1"
    assert box.writes() == ["POST"]
    seen = box.someone_else("GET", f"toolboxes/{box.name}/versions/1")
    assert seen["tools"] == [{"type": "code_interpreter"}, DOCS.inputs()]
    assert seen["description"] == "d"
    assert seen["metadata"]["team"] == "support"
    assert seen["metadata"]["foundry-agents.owner"] == OWNER


def test_the_fingerprint_is_a_secret_in_state(box: Box) -> None:
    assert isinstance(box.create().outs["fingerprint"], Secret)


def test_changed_tools_are_a_promoted_version_and_taking_them_back_is_no_post(box: Box) -> None:
    """Cases 9 and 12."""
    box.create(DOCS)
    box.create(DOCS)
    assert box.writes() == ["POST"]
    box.create(DOCS, fa.WebSearch())
    assert box.writes() == ["POST", "POST", "PATCH"]
    assert box.default() == "2"
    assert plain(box.create(DOCS).outs)["version"] == "1"
    assert box.writes() == ["POST", "POST", "PATCH", "PATCH"]
    assert box.default() == "1"


@pytest.mark.parametrize(
    ("fault", "posts"),
    [({"action": "commit_then_reset"}, 1), ({"action": "reset_before_commit"}, 2), ({"status": 500}, 2)],
    ids=["committed", "reset", "500"],
)
def test_a_post_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(
    box: Box, fault: Mapping[str, object], posts: int
) -> None:
    """Cases 2, 3 and 5: one version, and no POST of the SDK's own."""
    box.bench.azure.control.fault(path=f"toolboxes/{box.name}/versions$", method="POST", nth=1, **fault)
    box.create()
    assert box.versions() == ["1"]
    assert box.writes().count("POST") == posts


def test_a_500_that_never_stops_is_an_error_after_two_posts(box: Box) -> None:
    """Cases 4 and 5: the SDK's own retries, three for each, are off."""
    box.bench.azure.control.fault(path=f"toolboxes/{box.name}/versions$", method="POST", status=500)
    with pytest.raises(ProviderError, match="ResponseLostError"):
        box.create()
    assert (box.writes(), box.versions()) == (["POST", "POST"], [])


def test_a_run_that_is_cut_before_the_promotion_is_gone_on_with(box: Box) -> None:
    """Case 11: next up 0 new versions, 1 PATCH, default 2."""
    box.create(DOCS)
    box.bench.azure.control.fault(path=f"toolboxes/{box.name}$", method="PATCH", nth=1, status=403)
    with pytest.raises(ProviderError):
        box.create(fa.WebSearch())
    assert (box.versions(), box.default()) == (["2", "1"], "1")
    before = len(box.writes())
    box.create(fa.WebSearch())
    assert box.writes()[before:] == ["PATCH"]
    assert (box.versions(), box.default()) == (["2", "1"], "2")


def test_a_toolbox_of_another_stack_is_refused_with_no_write(box: Box) -> None:
    """Case 7."""
    box.create()
    with pytest.raises(ProviderError) as caught:
        box.create(fa.WebSearch(), owner="acme/agents/prod")
    assert str(caught.value).startswith(f'OwnershipError: toolbox "{box.name}" exists')
    assert "  State: No changes were made." in str(caught.value).splitlines()
    assert box.writes() == ["POST"]


def test_a_default_that_someone_else_set_shows_as_one_field_and_is_restored_with_one_write(box: Box) -> None:
    """Case 40 for toolboxes."""
    box.create(DOCS)
    state = box.create(fa.WebSearch())
    box.someone_else("PATCH", f"toolboxes/{box.name}", {"default_version": "1"})
    seen = box.bench.plugin.read(PROVIDER, state.id, state.outs)
    wanted = box.inputs(fa.WebSearch())
    changed = box.bench.plugin.diff(PROVIDER, seen.outs, wanted)
    assert (changed.changes, changed.replaces) == (True, [])
    before = len(box.writes())
    updated = box.bench.plugin.update(PROVIDER, state.id, seen.outs, wanted)
    assert box.writes()[before:] == ["PATCH"]
    assert plain(updated.outs) == plain(state.outs), "no output is lost"
    assert box.default() == "2"


def test_a_read_is_what_is_in_state_and_only_a_404_of_the_version_is_gone(box: Box) -> None:
    """Cases 12, 41 and 42."""
    state = box.create(DOCS)
    seen = box.bench.plugin.read(PROVIDER, state.id, state.outs)
    assert plain(seen.outs) == plain(state.outs)
    box.bench.azure.control.fault(path=f"toolboxes/{box.name}/", method="GET", status=403)
    assert plain(box.bench.plugin.read(PROVIDER, state.id, state.outs).outs) == plain(state.outs)
    assert [line for line in box.bench.plugin.lines if line.urn == box.urn and line.stays] != []
    box.bench.azure.control.clear_faults()
    box.someone_else("DELETE", f"toolboxes/{box.name}")
    assert box.bench.plugin.read(PROVIDER, state.id, state.outs) == State("", {})


@pytest.mark.parametrize(
    ("gone", "made"), [("", "1"), ("/versions/2", "3")], ids=["the toolbox", "the version that an agent calls"]
)
def test_what_someone_else_deleted_is_created_again_by_one_refresh_and_up(box: Box, gone: str, made: str) -> None:
    """Case 41: the read that a refresh makes says it is gone, so the next `up` creates."""
    box.create(DOCS)
    state = box.create(fa.WebSearch())
    if gone:
        box.someone_else("PATCH", f"toolboxes/{box.name}", {"default_version": "1"})
    box.someone_else("DELETE", f"toolboxes/{box.name}{gone}")
    assert box.bench.plugin.read(PROVIDER, state.id, state.outs) == State("", {})

    again = plain(box.create(fa.WebSearch()).outs)
    assert again["version"] == box.default() == made
    assert str(again["endpoint"]).endswith(f"/versions/{made}/mcp?api-version=v1")


def test_what_is_adopted_is_not_deleted_by_what_it_replaces(box: Box) -> None:
    """Forced replacement; nothing has to be asked to know it."""
    state = box.create(DOCS)
    box.create(DOCS)
    before = len(box.requests())
    box.delete(state, box.bench.plugin)
    assert len(box.requests()) == before
    assert box.versions() == ["1"]


def test_a_replaced_version_stays_while_a_version_of_an_agent_calls_it(box: Box, later: Plugin) -> None:
    """The engine deletes the old one at the end of the run; the next change takes it along when it is free."""
    first = box.create(DOCS)
    box.agent_calls("1")
    second = box.create(fa.WebSearch(), plugin=later)
    box.delete(first, later)
    assert box.versions() == ["2", "1"]

    box.someone_else("DELETE", f"agents/{box.name}?force=true")
    with running(box.bench.azure.env) as last:
        box.create(fa.CodeInterpreter(), plugin=last)
        box.delete(second, last)
    assert box.versions() == ["3"]


def test_a_destroy_leaves_none(box: Box, later: Plugin) -> None:
    """Case 48: also the newer one that a revert has left; twice."""
    box.create(DOCS)
    box.create(fa.WebSearch())
    state = box.create(DOCS)
    box.delete(state, later)
    assert box.versions() == []
    box.delete(state, later)


def test_a_toolbox_that_leaves_the_program_while_an_agent_calls_it_stays_with_a_warning(
    box: Box, later: Plugin
) -> None:
    state = box.create(DOCS)
    box.agent_calls("1")
    box.delete(state, later)
    assert box.versions() == ["1"]
    (warning,) = [line.text for line in later.lines if line.urn == box.urn and line.stays]
    assert warning.startswith(f"toolbox {box.name}:1 kept: a version of an agent or of a toolbox uses it")


def test_a_destroy_leaves_the_versions_of_others(box: Box, later: Plugin) -> None:
    """Case 51."""
    state = box.create(DOCS)
    box.someone_else("POST", f"toolboxes/{box.name}/versions", {"tools": [{"type": "web_search"}]})
    box.delete(state, later)
    assert (box.versions(), box.default()) == (["2"], "2")


def test_a_destroy_of_a_toolbox_that_was_taken_over_leaves_none(box: Box, later: Plugin) -> None:
    """Case 89."""
    box.someone_else("POST", f"toolboxes/{box.name}/versions", {"tools": [{"type": "web_search"}]})
    state = box.create(DOCS, take_over=True)
    assert state.outs["former_owners"] == ["no owner until 1"]
    box.delete(state, later)
    assert box.versions() == []
