"""What every field table has in common: described rows, and typed values that go back to the same JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.lifecycle.fingerprint import fingerprint
from foundry_agents.lifecycle.inputs.content_tag import CONTENT_TAG_FIELDS
from foundry_agents.lifecycle.inputs.identity import AGENT_IDENTITY_FIELDS
from foundry_agents.lifecycle.inputs.remote_build import REMOTE_BUILD_FIELDS
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.tool_types import TOOL_TYPES
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS
from foundry_agents.lifecycle.inputs.vector_store import VECTOR_STORE_FIELDS
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, AgentDefinition
from foundry_agents.lifecycle.schema.fields import Field, FieldTable, NoOutputs, Rows, output, read_rows, row, rows_of
from foundry_agents.lifecycle.schema.parsers import number, text
from foundry_agents.lifecycle.schema.report import Report
from foundry_agents.lifecycle.schema.shapes import Items, Payload, rows_inside
from tests.support.settings import ENDPOINT, EVERYTHING, FULL, GOOD, OF_CODE, OWNER

TABLES: Mapping[str, FieldTable[Any, Any]] = {
    "HostedAgentVersion": VERSION_FIELDS,
    "AgentRollout": ROLLOUT_FIELDS,
    "AgentIdentity": AGENT_IDENTITY_FIELDS,
    "ToolboxVersion": TOOLBOX_FIELDS,
    "VectorStore": VECTOR_STORE_FIELDS,
    "ContentTag": CONTENT_TAG_FIELDS,
    "RemoteImageBuild": REMOTE_BUILD_FIELDS,
}
_AGENT = {"project_endpoint": ENDPOINT, "agent_name": "support", "owner": OWNER}
_SMOKE = {"question": "ping", "json_path": "a", "equals": False}
_TOOLS = {"web_search": {"type": "web_search", "filters": {"allowed_domains": []}}}
INPUTS: Sequence[tuple[str, Mapping[str, object]]] = [
    ("HostedAgentVersion", GOOD),
    ("HostedAgentVersion", FULL),
    ("HostedAgentVersion", EVERYTHING),
    ("HostedAgentVersion", OF_CODE),
    ("AgentRollout", {**_AGENT, "version": 8, "steps": [0, 10], "bake": "2m", "smoke": _SMOKE, "protocols": ["a"]}),
    ("AgentRollout", {**_AGENT, "version": "8", "paused": True, "keep_versions": 3.0, "former_owners": ["o/p/s"]}),
    ("AgentIdentity", {**{k: v for k, v in _AGENT.items() if k != "owner"}, "principal_id": "p"}),
    ("ToolboxVersion", {"project_endpoint": ENDPOINT, "toolbox_name": "t", "owner": OWNER, "tools": _TOOLS}),
    ("VectorStore", {"project_endpoint": ENDPOINT, "store_name": "s", "owner": OWNER, "files": {"a": "0" * 64}}),
    ("ContentTag", {"repository": "acme.azurecr.io/support", "content": "0" * 64, "sign_in": False}),
]


@pytest.mark.parametrize(("name", "props"), INPUTS)
def test_typed_inputs_go_back_to_the_same_canonical_values(name: str, props: Mapping[str, object]) -> None:
    """So code that reads a dataclass writes the state that code on dictionaries wrote."""
    table = TABLES[name]
    canonical, problems = table.normalise(props)
    assert problems == []
    assert table.read(props).canonical() == canonical
    assert table.read(canonical).canonical() == canonical


@pytest.mark.parametrize("props", [GOOD, FULL, EVERYTHING, OF_CODE])
def test_a_fingerprint_of_typed_inputs_is_that_of_the_canonical_values(props: Mapping[str, object]) -> None:
    assert fingerprint(VERSION_FIELDS.read(props).canonical()) == fingerprint(VERSION_FIELDS.normalise(props)[0])


def test_the_definition_is_exactly_what_makes_one_version_differ_from_another() -> None:
    described = {each.name for each in rows_of(AgentDefinition)}
    values = VERSION_FIELDS.canonical({**EVERYTHING, "code": OF_CODE["code"]})
    assert described == set(VERSION_FIELDS.described(values))


def test_what_is_unset_is_read_as_its_default_or_as_empty_and_not_written() -> None:
    inputs = VERSION_FIELDS.read(GOOD)
    assert (inputs.environment, inputs.description, inputs.telemetry, inputs.memory_snapshot) == ({}, "", (), False)
    assert (inputs.timeout_s, inputs.cpu, inputs.rai_policy) == (1200, "1", None)
    assert not {"environment", "description", "telemetry", "memory_snapshot", "rai_policy"} & set(inputs.canonical())


@pytest.mark.parametrize("name", TABLES)
def test_state_without_a_single_input_can_be_read_or_says_what_is_missing(name: str) -> None:
    """A delete of such a state must not create names out of nothing."""
    table = TABLES[name]
    needed = {each.name for each in table.fields if each.required and each.absent is None}
    if needed:
        with pytest.raises(InputError) as caught:
            table.read({})
        assert {problem.path for problem in caught.value.problems} == needed
    else:
        assert not {each.name for each in table.fields if each.required} & set(table.read({}).canonical())


@pytest.mark.parametrize("name", TABLES)
def test_outputs_of_an_older_state_are_their_defaults(name: str) -> None:
    table = TABLES[name]
    assert table.read_outputs({}) == table.outputs(**{each.name: each.default for each in table.computed})


def test_an_output_that_can_not_be_read_is_its_default() -> None:
    assert VERSION_FIELDS.read_outputs({"created_at": "long ago", "version_id": 7}).created_at == 0
    assert VERSION_FIELDS.read_outputs({"created_at": 1764000000.0}).created_at == 1764000000


def _depths(path: str, rows: Sequence[Field[object]]) -> Iterator[tuple[str, Field[object]]]:
    for each in rows:
        yield f"{path}.{each.name}", each
        lists, inner = rows_inside(each.parse)
        yield from _depths(f"{path}.{each.name}{lists}", inner)


_EVERY_ROW = [
    *(found for name, table in TABLES.items() for found in _depths(name, [*table.fields, *table.computed])),
    *(found for kind, payload in TOOL_TYPES.items() for found in _depths(kind, payload.rows)),
]


def test_every_row_says_what_it_means_and_where_its_rule_comes_from() -> None:
    assert len(_EVERY_ROW) > 200, "else the look reaches no depth"
    assert [path for path, each in _EVERY_ROW if not each.summary.endswith((".", ".)")) or not each.source] == []


@pytest.mark.parametrize("name", TABLES)
def test_no_output_has_the_name_of_an_input(name: str) -> None:
    assert {each.name for each in TABLES[name].fields} & {each.name for each in TABLES[name].computed} == set()


# --- The mechanism ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Inputs(Rows):
    size: int = row(number(least=1, whole=True), "How many.", "ours", default=3)
    label: str = row(text(), "What it is called.", "ours", empty="")
    place: str = row(text(), "Where it is.", "ours", required=True)


@dataclass(frozen=True, kw_only=True)
class _Outputs(Rows):
    id: str = output(text(), "What the service calls it.", default="", secret=True)


def test_a_row_stands_in_its_table_under_the_name_of_its_attribute() -> None:
    table = FieldTable("a thing", _Inputs, _Outputs)
    assert [each.name for each in table.fields] == ["size", "label", "place"]
    assert [(each.name, each.output, each.secret) for each in table.computed] == [("id", True, True)]
    assert table.unset() == {"size": None, "label": None, "place": None, "id": None}


def test_an_output_must_be_given_where_outputs_are_computed() -> None:
    with pytest.raises(TypeError, match="id"):
        _Outputs()


def test_a_required_row_without_an_empty_value_is_an_error_when_state_lacks_it() -> None:
    with pytest.raises(InputError, match="place: is required"):
        read_rows(_Inputs, {"size": 4})


def test_values_of_another_table_are_not_read() -> None:
    assert read_rows(_Inputs, {"place": "here", "colour": "red"}).canonical() == {"place": "here", "size": 3}


def test_inputs_can_not_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_rows(_Inputs, {"place": "here"}).size = 4  # type: ignore[misc]


def test_a_table_without_outputs_has_no_output_rows() -> None:
    assert FieldTable("a thing", _Inputs, NoOutputs).computed == ()


def test_a_payload_keeps_what_it_does_not_know_and_checks_what_it_knows() -> None:
    report, raw = Report(), {"size": 0, "colour": "red"}
    assert Payload(_Inputs)("x", raw, report) is raw
    assert sorted(problem.path for problem in report.problems) == ["x.place", "x.size"]


def test_a_list_may_have_an_upper_limit() -> None:
    report = Report()
    Items(text(), "texts", most=1)("x", ["a", "b"], report)
    assert [str(problem) for problem in report.problems] == ["x: has 2 entries; at most 1 allowed"]
