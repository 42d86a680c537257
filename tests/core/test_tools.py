"""The tools of a toolbox: as the SDK's own models, canonical, and every problem at once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from azure.ai.projects import models

import foundry_agents as fa
from foundry_agents.lifecycle.fingerprint import hashed
from foundry_agents.lifecycle.inputs.tool_rules import by_name, connections_of, name_of
from foundry_agents.lifecycle.inputs.tool_rules import tools as parse_tools
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS
from foundry_agents.lifecycle.schema.report import Report
from foundry_agents.tools.tools import AnyTool
from tests.support.settings import ENDPOINT, OWNER

SPEC: Mapping[str, Any] = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}, "paths": {}}
COMMON: Mapping[str, Any] = {"name": "named", "description": "d", "tool_configs": {"*": {"pin": True}}}

EVERYTHING: Mapping[str, AnyTool] = {
    "CodeInterpreterToolboxTool": fa.CodeInterpreter(**COMMON, file_ids=["file_1"], memory_limit="4g"),
    "FileSearchToolboxTool": fa.FileSearch(
        **COMMON,
        vector_store_ids=["vs_1"],
        max_num_results=5,
        ranking_options={"ranker": "auto"},
        filters={"type": "eq", "key": "team", "value": "support"},
    ),
    "MCPToolboxTool": fa.Mcp(
        "docs",
        "https://learn.example.com/mcp",
        **COMMON,
        connection="learn",
        require_approval={"never": {"tool_names": ["search"]}},
        allowed_tools=["search"],
        server_description="d",
        headers={"x-team": "support"},
        connector_id="connector_gmail",
        tunnel_id="t",
        defer_loading=True,
        allowed_callers=["direct"],
    ),
    "WebSearchToolboxTool": fa.WebSearch(
        **COMMON,
        allowed_domains=["example.com"],
        search_context_size="low",
        user_location={"country": "SE"},
        external_web_access=False,
        connection="bing",
        instance_name="mine",
    ),
    "AzureAISearchToolboxTool": fa.AzureAISearch(
        "products", **COMMON, connection="search", query_type="simple", top_k=3, filter="a eq 1", index_asset_id="i"
    ),
    "OpenApiToolboxTool": fa.OpenApi(
        "orders", SPEC, **COMMON, connection="orders", api_description="d", default_params=["p"]
    ),
    "A2AToolboxTool": fa.A2A(
        **COMMON,
        base_url="https://agent.example.com",
        connection="agent",
        agent_card_path="/card.json",
        send_credentials_for_agent_card=True,
    ),
}
"""Every tool with everything set, by the SDK's model of it."""

GOLDEN = "v1:967fcbca781d1888ffcc4611f461e3b7a9f6c7ff41204e1a7002e1cb5a3ddc94"

LEFT_OUT: Mapping[str, set[str]] = {
    # Would stand readable in the toolbox: a connection holds it.
    "MCPToolboxTool": {"authorization"},
    # No settings of a person's: the code that is run may call other tools or not.
    "CodeInterpreterToolboxTool": {"allowed_callers"},
}


def _fields(model: str) -> set[str]:
    made = getattr(models, model)({})
    return {row._rest_name for row in made._attr_to_rest_field.values()}


@pytest.mark.parametrize("model", EVERYTHING)
def test_a_tool_has_the_fields_of_the_sdks_own_model(model: str) -> None:
    """A field that the SDK adds fails here with its name."""
    ours = set(EVERYTHING[model].inputs())
    assert ours == _fields(model) - LEFT_OUT.get(model, set())


@pytest.mark.parametrize("model", EVERYTHING)
def test_the_sdks_own_model_reads_a_tool_as_what_it_is(model: str) -> None:
    tool = EVERYTHING[model].inputs()
    read = models.ToolboxTool._deserialize(tool, [])
    assert type(read).__name__ == model
    assert read.as_dict() == tool


def test_the_nested_parts_are_the_sdks_own() -> None:
    index = EVERYTHING["AzureAISearchToolboxTool"].inputs()["azure_ai_search"]["indexes"][0]
    assert set(index) == _fields("AISearchIndexResource")
    api = EVERYTHING["OpenApiToolboxTool"].inputs()["openapi"]
    # `functions` is what the service answers.
    assert set(api) == _fields("OpenApiFunctionDefinition") - {"functions"}
    container = EVERYTHING["CodeInterpreterToolboxTool"].inputs()["container"]
    # A network policy is a resource of its own in the making.
    assert set(container) == _fields("AutoCodeInterpreterToolParam") - {"network_policy"}


def test_every_type_of_the_sdk_is_available() -> None:
    """What has no class of its own goes through ``Tool.of``."""
    for kind in models.ToolboxToolType:
        tool: dict[str, Any] = {
            "type": kind.value,
            "server_label": "l",
            "server_url": "https://x.example",
            "a2a_version": "1.0",
        }
        tool |= {"base_url": "https://x.example", "vector_store_ids": ["vs_1"]}
        extra = {
            "azure_ai_search": {"indexes": [{"index_asset_id": "i"}]},
            "openapi": {"name": "n", "spec": SPEC, "auth": {"type": "anonymous"}},
        }
        assert problems(fa.Tool.of({**tool, **extra})) == []


def test_every_attribute_of_a_tool_is_described() -> None:
    for kind in (fa.CodeInterpreter, fa.FileSearch, fa.Mcp, fa.WebSearch, fa.AzureAISearch, fa.OpenApi, fa.A2A):
        text = (inspect.getdoc(kind) or "") + (inspect.getdoc(fa.Tool) or "")
        assert [name for name in inspect.signature(kind).parameters if f"{name}:" not in text] == []


# --- Problems --------------------------------------------------------------------------------------------------------


def settings(*tools: AnyTool, **more: object) -> dict[str, object]:
    named = by_name([tool.inputs() for tool in tools])
    return {"project_endpoint": ENDPOINT, "toolbox_name": "support", "owner": OWNER, "tools": named, **more}


def problems(*tools: AnyTool, **more: object) -> list[str]:
    return [str(problem) for problem in TOOLBOX_FIELDS.normalise(settings(*tools, **more))[1]]


def values(*tools: AnyTool, **more: object) -> dict[str, object]:
    canonical, found = TOOLBOX_FIELDS.normalise(settings(*tools, **more))
    assert found == []
    return canonical


def test_several_tools_together_have_no_problem() -> None:
    together = [fa.CodeInterpreter(), fa.FileSearch(vector_store_ids=["vs_1"]), fa.Mcp("docs", "https://x.example/mcp")]
    assert list(values(*together)["tools"]) == ["code_interpreter", "docs", "file_search"]  # type: ignore[call-overload]


def test_ten_mistakes_are_ten_lines() -> None:
    """Case 59."""
    found = problems(
        fa.Mcp("docs", "http://learn.example.com/mcp"),
        fa.Mcp("docs", "https://other.example.com/mcp"),
        fa.Mcp("a label", "https://x.example"),
        fa.Mcp("nowhere"),
        fa.Mcp("keyed", "https://x.example", headers={"Authorization": "Bearer s3cret"}, connection="no good name"),
        fa.CodeInterpreter(),
        fa.CodeInterpreter(memory_limit="4g"),
        fa.FileSearch(vector_store_ids=["vs_1"], max_num_results=51),
        fa.WebSearch(search_context_size="huge"),
        fa.Tool.of({"server_label": "typeless"}),
        fa.Tool.of({"type": "mcp", "server_url": "https://y.example", "authorization": "s3cret"}),
    )
    assert [line.split(": ")[0].split(' "')[0] for line in found] == [
        "tools.a label.server_label",
        "tools.code_interpreter",
        "tools.docs",
        "tools.docs.server_url",
        "tools.file_search.max_num_results",
        "tools.keyed.headers.Authorization",
        "tools.keyed.project_connection_id",
        "tools.mcp.authorization",
        "tools.mcp.server_label",
        "tools.nowhere",
        "tools.typeless",
        "tools.web_search.search_context_size",
    ]
    assert "s3cret" not in "\n".join(found)


def test_two_servers_can_not_share_a_label_whatever_they_are_called() -> None:
    (found,) = problems(
        fa.Mcp("docs", "https://a.example", name="one"), fa.Mcp("docs", "https://b.example", name="two")
    )
    assert found == 'tools.two.server_label "docs" is the label of one already'


def test_labels_are_compared_behind_a_tool_that_has_none() -> None:
    found = problems(
        fa.CodeInterpreter(),
        fa.Mcp("docs", "https://a.example", name="one"),
        fa.Mcp("docs", "https://b.example", name="two"),
    )
    assert found == ['tools.two.server_label "docs" is the label of one already']


def test_tools_of_one_name_are_numbered_from_2() -> None:
    assert list(by_name([{"type": "web_search"}] * 4)) == [
        "web_search",
        "web_search (2)",
        "web_search (3)",
        "web_search (4)",
    ]


def test_a_second_tool_of_a_type_needs_a_name() -> None:
    """The service refuses it with `invalid_payload` [docs]."""
    (found,) = problems(fa.WebSearch(), fa.WebSearch())
    assert found.startswith("tools.web_search: two tools of type web_search have no name; at most one may")
    assert problems(fa.WebSearch(), fa.WebSearch(name="news")) == []


@pytest.mark.parametrize("name", ["aardvark", "zebra"])
def test_two_tools_of_one_name_need_names_of_their_own(name: str) -> None:
    (found,) = problems(fa.WebSearch(name=name), fa.WebSearch(name=name))
    assert found.startswith(f"tools.{name}: two tools have this name: each needs a name")


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ({"name": "news", "server_label": "docs", "type": "mcp"}, "news"),
        ({"name": "", "server_label": "docs", "type": "mcp"}, "docs"),
        ({"name": 7, "type": "mcp"}, "mcp"),
        ({"type": None}, "tool"),
    ],
)
def test_a_tool_is_called_by_the_first_text_among_name_label_and_type(tool: Mapping[str, object], name: str) -> None:
    assert name_of(tool) == name


def test_a_tool_that_is_not_known_yet_is_passed_on() -> None:
    unknown = object()
    report = Report(is_unknown=lambda value: value is unknown)
    given = {"later": unknown, "web_search": {"type": "web_search"}}
    assert parse_tools("tools", given, report) == given
    assert report.problems == []


def test_a_tool_whose_type_is_not_known_yet_is_passed_on() -> None:
    unknown = object()
    report = Report(is_unknown=lambda value: value is unknown)
    given = {"later": {"type": unknown, "name": "later"}}
    assert parse_tools("tools", given, report) == given
    assert report.problems == []


def test_a_tool_with_a_part_that_is_not_known_yet_is_checked() -> None:
    unknown = {"type": "web_search", "search_context_size": "huge"}
    report = Report(is_unknown=lambda value: value is unknown)
    parse_tools("tools", {"web_search": unknown}, report)
    assert [problem.path for problem in report.problems] == ["tools.web_search.search_context_size"]


@pytest.mark.parametrize("url", ["http://localhost:8000/mcp", "http://127.0.0.1:8000/mcp"])
def test_a_server_on_this_machine_may_speak_plain_http(url: str) -> None:
    assert problems(fa.Mcp("local", url)) == []


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_url_with_a_password_is_refused_and_not_shown(scheme: str) -> None:
    (found,) = problems(fa.Mcp("docs", f"{scheme}://me:s3cret@x.example/mcp"))
    assert "ProjectConnection" in found
    assert "s3cret" not in found


def test_a_credential_given_twice_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="either connection or audience"):
        fa.OpenApi("orders", SPEC, connection="c", audience="a").inputs()


def test_a_toolbox_without_tools_is_refused() -> None:
    assert problems() == ["tools: is required"]


def test_the_connections_that_tools_name_are_found_with_their_paths() -> None:
    """Also by ARM id, whose last part is the name; what an OpenAPI document says is no connection of ours."""
    arm = "/subscriptions/0/resourceGroups/g/providers/M/accounts/a/projects/p/connections/learn"
    spec = {**SPEC, "project_connection_id": "other"}
    found = connections_of(
        by_name(
            [
                fa.Mcp("docs", "https://x.example", connection=arm).inputs(),
                fa.AzureAISearch("products", connection="search").inputs(),
                fa.OpenApi("orders", spec, connection="orders").inputs(),
                {"type": "x", "zone": {"project_connection_id": "far"}},
            ]
        )
    )
    assert found == {
        "tools.docs.project_connection_id": "learn",
        "tools.azure_ai_search.azure_ai_search.indexes[0].project_connection_id": "search",
        "tools.openapi.openapi.auth.security_scheme.project_connection_id": "orders",
        "tools.x.zone.project_connection_id": "far",
    }


# --- One meaning, one hash -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([fa.CodeInterpreter(), fa.WebSearch()], [fa.WebSearch(), fa.CodeInterpreter()]),
        (
            [fa.FileSearch(vector_store_ids=["vs_1"], max_num_results=5)],
            [fa.Tool.of({"max_num_results": 5.0, "vector_store_ids": ["vs_1"], "type": "file_search"})],
        ),
        ([fa.CodeInterpreter()], [fa.Tool.of({"type": "code_interpreter", "name": None, "container": {}})]),
        (
            [fa.FileSearch(vector_store_ids=["vs_1"])],
            [fa.Tool.of({"type": "file_search", "vector_store_ids": [None, "vs_1"]})],
        ),
    ],
    ids=["order", "floats and order of fields", "nothing set", "nothing in a list"],
)
def test_the_same_tools_in_another_spelling_are_no_change(one: Sequence[AnyTool], other: Sequence[AnyTool]) -> None:
    """Case 13."""
    assert TOOLBOX_FIELDS.changes(settings(*one), settings(*other)) == []
    assert hashed(TOOLBOX_FIELDS.described(values(*one))) == hashed(TOOLBOX_FIELDS.described(values(*other)))


def test_the_hash_of_a_toolbox_is_the_one_of_earlier_releases() -> None:
    """Case 16: another hash is a new version of every toolbox."""
    tools = [fa.CodeInterpreter(), fa.Mcp("docs", "https://learn.example.com/mcp", require_approval="never")]
    assert hashed(TOOLBOX_FIELDS.described(values(*tools, description="d", metadata={"team": "support"}))) == GOLDEN


@pytest.mark.parametrize(
    "changed",
    [{"description": "other"}, {"metadata": {"a": "b"}}, {"tools": {"web_search": {"type": "web_search"}}}],
    ids=lambda changed: next(iter(changed)),
)
def test_one_changed_setting_is_one_changed_field_and_another_hash(changed: Mapping[str, object]) -> None:
    """Case 17."""
    before, after = settings(fa.CodeInterpreter()), {**settings(fa.CodeInterpreter()), **changed}
    assert [row.name for row in TOOLBOX_FIELDS.changes(before, after)] == list(changed)
    assert hashed(TOOLBOX_FIELDS.described(TOOLBOX_FIELDS.normalise(after)[0])) != hashed(
        TOOLBOX_FIELDS.described(values(fa.CodeInterpreter()))
    )
