"""The tools of an agent in a stack's file have the arguments and the rules of the components."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

import foundry_agents as fa
from stacks.tool_settings import KINDS
from tests.stacks.stack_file import deployed, loaded, problems
from tests.support.program import ENDPOINT, STORE, TOOLBOX, VERSION

DIGEST = "sha256:" + "a" * 64
CANARY = "canary-4711"


def _agent(*tools: object, **more: object) -> dict[str, object]:
    return {"support": {"image": f"support@{DIGEST}", "tools": list(tools), **more}}


def _read(tool: Mapping[str, object]) -> fa.AnyTool:
    (found,) = loaded(_agent(tool)).agents["support"].tools
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "code_interpreter"}, fa.CodeInterpreter()),
        (
            {"type": "code_interpreter", "name": "py", "file_ids": ["f1"], "memory_limit": "4g"},
            fa.CodeInterpreter(name="py", file_ids=["f1"], memory_limit="4g"),
        ),
        (
            {
                "type": "mcp",
                "server_label": "docs",
                "server_url": "https://docs.example.com/mcp",
                "connection": "docs",
                "require_approval": "never",
                "allowed_tools": ["search"],
                "tool_configs": {"*": {"pin": True}},
            },
            fa.Mcp(
                "docs",
                "https://docs.example.com/mcp",
                connection="docs",
                require_approval="never",
                allowed_tools=["search"],
                tool_configs={"*": {"pin": True}},
            ),
        ),
        (
            {
                "type": "mcp",
                "server_label": "docs",
                "connector_id": "c",
                "require_approval": {"never": {"tool_names": ["search"]}},
                "allowed_tools": {"read_only": True},
            },
            fa.Mcp(
                "docs",
                connector_id="c",
                require_approval={"never": {"tool_names": ["search"]}},
                allowed_tools={"read_only": True},
            ),
        ),
        (
            {"type": "web_search", "allowed_domains": ["example.com"], "user_location": {"country": "SE"}},
            fa.WebSearch(allowed_domains=["example.com"], user_location={"country": "SE"}),
        ),
        (
            {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 5},
            fa.FileSearch(vector_store_ids=["vs_1"], max_num_results=5),
        ),
        (
            {"type": "azure_ai_search", "index_name": "products", "connection": "search", "top_k": 3},
            fa.AzureAISearch("products", connection="search", top_k=3),
        ),
        (
            {"type": "openapi", "api_name": "orders", "spec": {"openapi": "3.1.0"}, "audience": "api://orders"},
            fa.OpenApi("orders", {"openapi": "3.1.0"}, audience="api://orders"),
        ),
        (
            {"type": "a2a", "base_url": "https://other.example.com", "send_credentials_for_agent_card": True},
            fa.A2A(base_url="https://other.example.com", send_credentials_for_agent_card=True),
        ),
        (
            {"type": "toolbox_search", "beta": {"deep": [1]}},
            fa.Tool.of({"type": "toolbox_search", "beta": {"deep": [1]}}),
        ),
    ],
    ids=lambda each: each["type"] if isinstance(each, dict) else "",
)
def test_every_tool_is_read_with_the_arguments_of_its_component(given: dict[str, object], expected: fa.AnyTool) -> None:
    assert json.dumps(_read(given).inputs()) == json.dumps(expected.inputs())


def test_every_tool_class_has_a_type_in_the_file() -> None:
    """A new class fails this test until someone adds it."""
    classes = {each for each in _public() if isinstance(each, type) and issubclass(each, fa.Tool)}
    assert {kind.type for kind in classes} - {""} == set(KINDS)
    more = {row.name for row in fields(KINDS["file_search"])} - {row.name for row in fields(fa.FileSearch)}
    assert more == {"files"}


def _public() -> list[object]:
    return [getattr(fa, name) for name in fa.__all__]


def test_tools_become_the_agents_toolbox() -> None:
    made = deployed(_agent({"type": "web_search"}, {"type": "toolbox_search"}))
    toolbox = made.one(TOOLBOX)
    assert toolbox.name == "support-toolbox"
    assert {key for key in toolbox.inputs if key.startswith("tool:")} == {"tool:web_search", "tool:toolbox_search"}
    assert "TOOLBOX_ENDPOINT" in made.one(VERSION).inputs["environment"]
    assert "support-toolbox-role" in made.names


def test_an_agent_without_tools_has_no_toolbox() -> None:
    assert TOOLBOX not in {one.type for one in deployed(_agent()).declared}


def test_the_role_for_toolboxes_can_be_assigned_by_someone_else() -> None:
    agents = _agent({"type": "web_search"}, grant_toolbox_role=False)
    assert "support-toolbox-role" not in deployed(agents).names
    project = {"endpoint": ENDPOINT, "principal_id": "p"}
    registry = {"login_server": "acme.azurecr.io", "resource_id": "/images"}
    assert not loaded(agents, project=project, registry=registry).agents["support"].grant_toolbox_role
    (line,) = problems(_agent({"type": "web_search"}), project=project, registry=registry)
    assert line == "project.resource_id is required for tools: roles are assigned on the project"


def test_files_become_a_vector_store_in_addition_to_existing_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faq.md").write_text("# FAQ\n", encoding="utf-8")
    search = {"type": "file_search", "vector_store_ids": ["vs_0"], "files": ["faq.md"]}
    made = deployed(_agent(search, search | {"name": "terms"}), production="true")
    stores = {one.name: one for one in made.declared if one.type == STORE}
    assert set(stores) == {"support-files", "support-terms"}
    assert set(stores["support-files"].inputs["files"]) == {"faq.md"}
    assert not stores["support-files"].protect  # a changed file replaces it
    found = made.one(TOOLBOX).inputs
    assert found["tool:file_search"]["vector_store_ids"] == ["vs_0", "vs_1"]
    assert found["tool:terms"] == {"type": "file_search", "name": "terms", "vector_store_ids": ["vs_0", "vs_1"]}


@pytest.mark.parametrize(("force_delete", "deleted_with"), [(True, "agents-project"), (False, "")])
def test_a_vector_store_is_deleted_with_the_project_if_its_toolbox_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, force_delete: bool, deleted_with: str
) -> None:
    """A store that is deleted before the toolbox that searches it would stay, with a warning."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faq.md").write_text("# FAQ\n", encoding="utf-8")
    made = deployed(_agent({"type": "file_search", "files": ["faq.md"]}, force_delete=force_delete))
    assert (made.one(STORE).deleted_with, made.one(TOOLBOX).deleted_with) == (deleted_with, deleted_with)


# --- Problems ---------------------------------------------------------------------------------------------------------


def test_the_rules_of_tools_are_checked_before_anything_is_declared() -> None:
    """The components' own rules give the same messages in the preview of any program."""
    found = problems(
        _agent(
            {"type": "mcp", "server_label": "docs", "server_url": "http://docs.example.com"},
            {"type": "mcp", "server_label": "both", "server_url": "https://a.example.com", "tunnel_id": "t"},
            {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 51},
            {"type": "web_search"},
            {"type": "web_search", "search_context_size": "huge"},
        )
    )
    assert [line.split()[0].rstrip(":") for line in found] == [
        "agents.support.tools.both",
        "agents.support.tools.docs.server_url",
        "agents.support.tools.file_search.max_num_results",
        "agents.support.tools.web_search",
        "agents.support.tools.web_search",
    ]
    assert "must begin with https://" in found[1]


def test_all_problems_of_all_tools_are_reported_at_once() -> None:
    found = problems(
        _agent(
            {"type": "mcp", "label": "docs", "server_url": 7},
            "web_search",
            {"name": "nameless"},
            {"type": "openapi", "api_name": "orders", "spec": {}, "connection": "a", "audience": "b"},
            {"type": "file_search", "vector_store_ids": "vs_1"},
            {"type": "code_interpreter", "name": "no spaces"},
            cpu=["1"],
        )
    )
    assert [line.split(";")[0] for line in found] == [
        "agents.support.cpu must be text or a number",
        'agents.support.tools.no spaces.name "no spaces": 1 to 64 letters, digits, _ and -',
        "agents.support.tools[0].label is not a setting",
        "agents.support.tools[0].server_label is required",
        "agents.support.tools[0].server_url must be text: put the value in quotes",
        f"agents.support.tools[1] must be a map with a type: {', '.join(KINDS)}, or a newer one",
        f"agents.support.tools[2] must be a map with a type: {', '.join(KINDS)}, or a newer one",
        "agents.support.tools[3]: OpenApi 'orders': give either connection or audience, not both",
        "agents.support.tools[4].vector_store_ids must be a list",
    ]


@pytest.mark.parametrize("raw", [{"type": "mcp"}, "mcp", 7, True])
def test_tools_must_be_a_list(raw: object) -> None:
    (line,) = problems({"support": {"image": f"support@{DIGEST}", "tools": raw}})
    assert line == "agents.support.tools must be a list"


def test_a_credential_in_a_tool_is_refused_without_showing_it() -> None:
    """Case 54."""
    server = {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example.com/mcp"}
    by_header = server | {"headers": {"x-api-key": CANARY}}
    by_url = server | {"server_label": "in-url", "server_url": f"https://user:{CANARY}@docs.example.com"}
    found = problems(_agent(by_header, by_url))
    assert [line.split()[0].rstrip(":") for line in found] == [
        "agents.support.tools.docs.headers.x-api-key",
        "agents.support.tools.in-url.server_url",
    ]
    assert CANARY not in "\n".join(found)


def test_the_example_in_the_documentation_is_valid() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "stacks.md").read_text(encoding="utf-8")
    (example,) = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])
    agent = loaded(yaml.safe_load(example)["agents"], environ={"INDEX_TOKEN": CANARY}).agents["support"]
    assert agent.build is not None
    assert (Path(__file__).resolve().parents[2] / agent.build.context / "Dockerfile").is_file()
    assert [tool.inputs()["type"] for tool in agent.tools] == ["code_interpreter", "mcp", "file_search"]
