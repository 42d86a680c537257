"""Names are chosen once, and those that the program gives can change."""

from __future__ import annotations

import pulumi
import pytest

import foundry_agents as fa
from foundry_agents.grants.naming import chosen_once, former_names
from tests.support.program import ACCOUNT, ASSIGNMENT, CONNECTION, PROJECT, REGISTRY, run


def test_names_that_the_program_gave_are_not_kept() -> None:
    kept = chosen_once({"accountName": None, "projectName": "shop", "registryName": pulumi.Output.from_input("images")})
    assert kept.ignore_changes == ["accountName"]


@pytest.mark.parametrize(
    ("account_name", "subdomain", "kept"),
    [
        (None, None, {"accountName", "properties.customSubDomainName"}),
        (None, "acme", {"accountName"}),
        ("acme", None, set()),
    ],
)
def test_only_names_that_the_library_chose_are_kept(
    account_name: str | None, subdomain: str | None, kept: set[str]
) -> None:
    """Finding pulumi-features A4: they were inputs made from stack, project, organization and component."""

    def program() -> None:
        given = account_name is not None
        project = fa.FoundryProject(
            "shop",
            location="eastus2",
            account_name=account_name,
            subdomain=subdomain,
            project_name="shop" if given else None,
        )
        fa.AgentRegistry("images", pulled_by=project, registry_name="images" if given else None)
        fa.ProjectConnection.with_keys(
            "github", {}, project=project, target="https://x", connection_name="github" if given else None
        )

    made = run(program)
    assert set(made.one(ACCOUNT).ignore_changes) - {"properties.restore"} == kept
    for token, name in ((PROJECT, "projectName"), (REGISTRY, "registryName"), (CONNECTION, "connectionName")):
        assert made.one(token).ignore_changes == (() if account_name else (name,))


def test_what_is_called_after_a_renamed_project_follows_it() -> None:
    """Finding pulumi-features A5: the second project's grant would be made again before the first is taken away."""

    def program() -> None:
        one = fa.FoundryProject("one", location="eastus2")
        renamed = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="two")])
        two = fa.FoundryProject("second", location="eastus2", opts=renamed)
        fa.AgentRegistry("images", pulled_by=[one, two], connect=True)

    made = run(program)
    assert "images-pull-two" in made.one(ASSIGNMENT, "images-pull-second").aliases
    assert "images-connection-two" in made.one(CONNECTION, "images-connection-second").aliases


def test_the_pull_grant_of_an_agents_own_identity_follows_an_agent_that_is_renamed_with_an_alias() -> None:
    """pulumi-features A5: the assignment is called after the agent, and its GUID stays the same."""

    def program() -> None:
        project = fa.FoundryProject("shop", location="eastus2")
        registry = fa.AgentRegistry("images", pulled_by=project)
        image = fa.AgentImage.pinned(f"acme.io/support@sha256:{'a' * 64}")
        renamed = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="support")])
        fa.HostedAgent("helper", project=project, image=image, opts=renamed).grant_pull(registry)

    assert "images-pull-agent-support" in run(program).one(ASSIGNMENT, "images-pull-agent-helper").aliases


def test_former_names_are_those_of_aliases_by_name() -> None:
    aliases: list[str | pulumi.Alias] = ["urn:pulumi:dev::p::t::old", pulumi.Alias(parent=None), pulumi.Alias(name="a")]
    assert former_names(pulumi.ResourceOptions(aliases=aliases)) == ["a"]
    assert former_names(None) == []
