"""Children, names, parents and options of every component with every option are pinned, and options reach children."""

from __future__ import annotations

import json

import pulumi
from pulumi import ResourceOptions

import foundry_agents as fa
from tests.components.snapshots import DIGEST, FILE, declared, snapshot
from tests.support.program import ENDPOINT, PRINCIPAL, ROLLOUT, Run, declare, run


def test_every_component_with_every_option_declares_what_is_written_down() -> None:
    """`python -m tests.components.snapshots` writes the file again; a changed name or parent is a change of state."""
    assert snapshot(declared()) == json.loads(FILE.read_text(encoding="utf-8"))


def _all_with(opts: ResourceOptions) -> Run:
    def program() -> None:
        project = fa.FoundryProject("shop", location="eastus2", app_insights=fa.AppInsights(), opts=opts)
        registry = fa.AgentRegistry("images", pulled_by=project, opts=opts)
        image = fa.AgentImage.pinned(f"support@{DIGEST}", registry=registry)
        agent = fa.HostedAgent("support", project=project, image=image, tools=[fa.WebSearch()], opts=opts)
        agent.grant_invoke(PRINCIPAL)
        fa.Toolbox("shared", project=project, tools=[fa.WebSearch()], opts=opts)

    return run(program)


def test_protect_reaches_every_child_but_versions_which_a_change_replaces_and_what_comes_with_tools() -> None:
    made = _all_with(ResourceOptions(protect=True)).declared
    assert {one.name for one in made if not one.protect} == {
        "support-version",
        "support-toolbox",
        "shared-toolbox",
        "support-identity",
        "support-toolbox-role",
    }


def test_tools_can_be_taken_away_from_a_protected_agent() -> None:
    def program() -> None:
        project = fa.FoundryProject("shop", location="eastus2")
        image = fa.AgentImage.pinned(f"acme.io/support@{DIGEST}")
        tools = [fa.CodeInterpreter()]
        fa.HostedAgent("support", project=project, image=image, tools=tools, opts=ResourceOptions(protect=True))

    made = run(program)
    protected = {one.name for one in made.declared if one.protect}
    assert {"support-identity", "support-toolbox-role"} & protected == set()
    assert "support-rollout" in protected
    assert "support-toolbox-role" in made.one(ROLLOUT).depends_on, "so a destroy that it refuses leaves the role"


def test_a_transformation_of_a_component_sees_every_child() -> None:
    seen: set[str] = set()

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        seen.add(args.name)

    made = _all_with(ResourceOptions(transformations=[see])).declared
    assert {one.name for one in made} == seen


def test_a_renamed_component_is_known_by_its_former_name() -> None:
    """The engine gives its children the aliases that follow from it, so a rename replaces nothing."""

    def use() -> object:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        image = fa.AgentImage.pinned(f"acme.io/support@{DIGEST}")
        opts = ResourceOptions(aliases=[pulumi.Alias(name="old")])
        return fa.HostedAgent("support", project=project, image=image, agent_name="support", opts=opts)

    assert declare(use).one("foundry-agents:index:HostedAgent").aliases == ("old",)
