"""Tools on the real engine: a real MCP server behind a toolbox that a real agent calls, changed, reverted, gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.harness import Deployment, without_wire
from tests.support.mcp_server import Served, mcp_server

pytestmark = [pytest.mark.engine, pytest.mark.long]

KEY = "k-4f81c0ffee"
PROGRAM = """
import pulumi

import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject.existing(
    endpoint=given.require("endpoint"), principal_id=given.require("principal"), resource_id=given.require("resource")
)
server = given.require("server")
orders = fa.ProjectConnection.with_keys(
    "orders", {"x-api-key": given.require_secret("key")}, project=project, target=server
)
faq = fa.VectorStore("faq", project_endpoint=project.endpoint, files=["faq.md"])
tools = [
    fa.CodeInterpreter(),
    fa.FileSearch(vector_store_ids=[faq.vector_store_id]),
    fa.Mcp("orders", server, connection=orders, require_approval="never"),
]
if given.get_bool("search"):
    tools.append(fa.WebSearch())
agent = fa.HostedAgent(
    "support",
    project=project,
    image=fa.AgentImage.pinned(given.require("image")),
    tools=tools,
    rollout=fa.Rollout.canary([50], smoke=fa.SmokeTest("use", expect="orders.add")),
    force_delete=True,
    timeout_s=60,
)
pulumi.export("toolbox", agent.toolbox.endpoint)
"""


@pytest.fixture
def orders() -> Iterator[Served]:
    """An MCP server that wants a key."""
    with mcp_server(key=KEY) as served:
        yield served


def test_an_agent_calls_its_tools_and_a_change_of_tools_rolls_out_and_back_with_it(
    deploy: Callable[..., Deployment], sample_agent: Path, orders: Served
) -> None:
    """Issue 9; cases 9, 11, 12, 48 and 54 for toolboxes; case 47 with one identity for all versions."""
    here = deploy(sample_agent, runtime="process")
    project = here.project
    (project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (project.folder / "faq.md").write_text("Refunds take a week.", encoding="utf-8")
    image = f"{project.given['registry']}/{project.config['agents']['support']['image']}"
    (resource,) = (rid for rid in resources(here) if rid.endswith("/projects/agents"))
    before = resources(here)
    project.given |= {"server": orders.url, "resource": resource, "image": image}
    project.write_config()
    project.run("config", "set", "--secret", "given:key", KEY, "--stack", "local").succeeded()

    first = project.run("up", "--yes", "--skip-preview", "--verbose=9", "--logtostderr").succeeded()

    assert said(here, 'use orders.add {"a": 20, "b": 22}') == "support 1: orders.add: 42"
    assert said(here, "use").startswith("support 1: tools: ")
    assert {"code_interpreter", "file_search", "orders.add"} <= set(said(here, "use")[18:].split(", "))
    assert "Refunds take a week." in said(here, 'use file_search {"query": "refunds"}')
    assert project.outputs()["toolbox"].endswith("/toolboxes/support/versions/1/mcp?api-version=v1")
    assert orders.saw("x-api-key") == {KEY}

    writes = len(here.writes())
    project.refresh().succeeded()
    assert "10 unchanged" in project.up().succeeded().output
    assert len(here.writes()) == writes, "no change: 0 writes"

    project.run("config", "set", "given:search", "true", "--stack", "local").succeeded()
    preview = project.preview().succeeded().output
    assert "support-toolbox replace [diff: +tool:web_search]" in preview
    assert "support-version replace [diff: ~environment]" in preview
    assert "support-rollout update [diff: ~version]" in preview
    assert "support-toolbox-role" not in preview, "the identity stays, and so does its role"
    roles = [found for found in resources(here) if "/roleAssignments/" in found]
    changed = project.up().succeeded()
    assert [found for found in resources(here) if "/roleAssignments/" in found] == roles
    assert "at 50 %" in changed.output, "by its steps"
    assert "web_search" in said(here, "use")
    assert said(here, "use").startswith("support 2: ")

    posted = here.posted()
    project.run("config", "rm", "given:search", "--stack", "local").succeeded()
    reverted = project.up().succeeded()
    assert "adopted toolbox support:1 (same tools, no POST)" in reverted.output
    assert "adopted support:1 (same definition, no POST)" in reverted.output
    assert here.posted() == posted, "the revert posts nothing"
    assert said(here, 'use orders.add {"a": 1, "b": 2}') == "support 1: orders.add: 3"

    seen = {
        "output": without_wire(first.output) + changed.output + preview + reverted.output,
        "state": project.state_text(),
        "journal": str([entry.document() for entry in here.azure.journal()]),
        "service": str(here.azure.control.state()),
        "version": definition(here),
    }
    assert [where for where, text in seen.items() if KEY in text] == []

    project.destroy().succeeded()
    assert listed(here, "toolboxes") == listed(here, "openai/v1/vector_stores") == listed(here, "openai/v1/files") == []
    assert here.agents() == []
    assert resources(here) == before, "connection and role are gone"


def said(here: Deployment, question: str) -> str:
    return str(here.ask(question)["output"][0]["content"][0]["text"])


def definition(here: Deployment) -> str:
    with here.azure.client("agents") as service:
        return service.get("agents/support/versions/1").text


def listed(here: Deployment, what: str) -> list[object]:
    with here.azure.client("agents") as service:
        return list(service.get(what).json()["data"])


def resources(here: Deployment) -> list[str]:
    return sorted(resource["id"] for resource in here.azure.control.state()["arm_list"])
