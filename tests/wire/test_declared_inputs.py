"""Where an input of a resource stands: in its row, and in one signature or option set; and what check does besides."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
from pulumi.dynamic import Resource

import foundry_agents
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.resources._plugin import run_effects, run_record
from foundry_agents.resources._plugin.table_provider import TableProvider
from foundry_agents.resources.agent_identity import AgentIdentity, AgentIdentityProvider
from foundry_agents.resources.agent_rollout import AgentRollout, AgentRolloutProvider
from foundry_agents.resources.content_tag import ContentTag, ContentTagProvider
from foundry_agents.resources.hosted_agent_version import HostedAgentVersion, HostedAgentVersionProvider
from foundry_agents.resources.options import VersionOptions
from foundry_agents.resources.remote_image_build import RemoteImageBuild, RemoteImageBuildProvider
from foundry_agents.resources.toolbox_version import ToolboxVersion, ToolboxVersionProvider
from foundry_agents.resources.vector_store import VectorStore, VectorStoreProvider
from tests.support.settings import FULL, GOOD, OWNER

LIBRARY = Path(foundry_agents.__file__).parent
OWNED = {"owner", "former_owners", "urn"}
"""Inputs that the library sets."""
ALTERNATIVES = {"opts", "rollout", "project"}
"""Parameters that are no inputs: they set one or more of them."""

RESOURCES: Mapping[type[Resource], tuple[type[TableProvider], AbstractSet[str]]] = {
    HostedAgentVersion: (HostedAgentVersionProvider, OWNED | {"accept_new", "code_folder"}),
    AgentRollout: (
        AgentRolloutProvider,
        # What the option `rollout` sets, and what only a refresh changes.
        {"steps", "bake", "smoke", "keep_versions", "paused", "enabled", "chosen", "urn"},
    ),
    AgentIdentity: (AgentIdentityProvider, set()),
    ToolboxVersion: (ToolboxVersionProvider, OWNED),
    VectorStore: (VectorStoreProvider, OWNED | {"chosen", "paths"}),
    ContentTag: (ContentTagProvider, {"urn"}),
    RemoteImageBuild: (RemoteImageBuildProvider, {"urn"}),
}


def _parameters(resource: type[Resource]) -> set[str]:
    named = {
        name
        for name, parameter in inspect.signature(resource.__init__).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    return named - ALTERNATIVES


def _options(resource: type[Resource]) -> AbstractSet[str]:
    return VersionOptions.__optional_keys__ if resource is HostedAgentVersion else frozenset()


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.__name__)
def test_every_input_is_in_the_table_and_in_one_signature_or_option_set(resource: type[Resource]) -> None:
    provider, set_by_the_library = RESOURCES[resource]
    parameters, options = _parameters(resource), _options(resource)
    inputs = {row.name for row in provider.table.fields}
    assert parameters & options == set(), "an input is declared twice"
    assert parameters | options == inputs - set_by_the_library


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.__name__)
def test_every_output_that_a_resource_declares_is_in_its_table(resource: type[Resource]) -> None:
    table = RESOURCES[resource][0].table
    known = {row.name for row in (*table.fields, *table.computed)}
    declared = {name for name in resource.__annotations__ if not name.startswith("_")}
    assert declared - known == set()
    assert {row.name for row in table.computed} - declared == set()


def _declarations(name: str, *folders: str) -> Iterator[str]:
    """Every attribute and parameter of this name, by its file."""
    for folder in folders:
        for path in sorted((LIBRARY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                is_attribute = isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
                if is_attribute or (isinstance(node, ast.arg) and node.arg == name):
                    yield path.relative_to(LIBRARY).as_posix()


_OF_OTHERS = {"code", "cpu", "description", "memory", "metadata", "poll_interval_s", "take_over", "timeout_s"}
"""Names that other resources, a tier or a parser have, too."""


@pytest.mark.parametrize("name", sorted(VersionOptions.__optional_keys__ - _OF_OTHERS))
def test_an_option_of_a_version_is_declared_in_its_row_and_in_the_option_set_alone(name: str) -> None:
    found = [path for path in _declarations(name, "lifecycle/inputs", "resources") if "rollout" not in path]
    row, *others = found
    assert row in {"lifecycle/inputs/shared.py", "lifecycle/inputs/version.py"}
    assert others == ["resources/options.py"]


# --- check and diff --------------------------------------------------------------------------------------------------


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> run_record.Memory:
    """The memory of a plugin process that has just started."""
    fresh = run_record.Memory()
    monkeypatch.setattr(run_record, "_memory", fresh)
    return fresh


def _is_untouched(memory: run_record.Memory) -> bool:
    known = memory.known
    return not (known.declared or known.again or known.live or memory.kept or memory.notes.is_open)


VERSION = HostedAgentVersionProvider()
URN = "urn:pulumi:dev::agents::t::support"


def test_the_pure_part_of_check_records_nothing(memory: run_record.Memory) -> None:
    checked = VERSION.checked({**FULL, "urn": URN})
    assert (checked.problems, checked.values["agent_name"]) == ([], "support")
    assert [problem.path for problem in VERSION.checked({**GOOD, "cpu": "3"}).problems] == ["cpu"]
    assert _is_untouched(memory)


def test_the_pure_part_of_diff_records_nothing(memory: run_record.Memory) -> None:
    compared = VERSION.compared(GOOD, {**GOOD, "cpu": "2", "memory": "4Gi", "timeout_s": 5, "force_delete": True})
    assert compared.changed == ["cpu", "memory", "force_delete"]
    assert compared.replaces == ["cpu", "memory"]
    assert _is_untouched(memory)


def test_check_records_what_is_declared_under_its_urn(memory: run_record.Memory) -> None:
    """Without it, a delete in another process of the run would not know that the agent is still declared."""
    VERSION.check({}, {**GOOD, "urn": URN})
    assert list(memory.known.declared.values()) == ["t::support"]


def test_diff_records_that_an_unchanged_resource_stays(memory: run_record.Memory) -> None:
    news = VERSION.check({}, {**GOOD, "urn": URN}).inputs
    VERSION.diff("support:1", {**news, "agent_guid": "g"}, news)
    assert memory.known.live["t::support"].id == "support:1"


def test_a_refresh_compares_and_records_nothing_of_what_is_not_declared(memory: run_record.Memory) -> None:
    VERSION.diff("support:1", {**GOOD, "urn": URN, "agent_guid": "g"}, {**GOOD, "urn": URN})
    assert not memory.known.declared
    assert not memory.known.live


def test_first_values_of_what_the_library_chose_have_precedence_over_what_the_program_computes_now() -> None:
    values: Values = {"agent_name": "new", "owner": "o/p/new", "chosen": ["agent_name", "owner"], "cpu": "1"}
    first = {"agent_name": "old", "owner": OWNER, "former_owners": ["o/p/former"], "cpu": "2"}
    settled = run_effects.with_first_values(values, first)
    assert settled == {"agent_name": "old", "owner": OWNER, "former_owners": ["o/p/former"], "cpu": "1"}
    assert values["agent_name"] == "new", "the argument is not changed"
