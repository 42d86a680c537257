"""What is adopted is never deleted by what it replaces, on the real engine, with the version resource on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.harness import Deployment

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import foundry_agents as fa

config = pulumi.Config()
fa.HostedAgentVersion(
    config.require("name"),
    project_endpoint=config.require("endpoint"),
    agent_name="alone",
    image=config.require("image"),
    environment={"GREETING": config.require("greeting")},
    poll_interval_s=0.2,
    opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=config.get("alias"))] if config.get("alias") else None),
)
"""
MOVED = """
import pulumi
import foundry_agents as fa

config = pulumi.Config()
project = fa.FoundryProject.existing(endpoint=config.require("endpoint"))
mine = config.get("instance")
fa.HostedAgent(
    "alone",
    project=project,
    image=fa.AgentImage.pinned(config.require("image")),
    environment={"GREETING": config.require("greeting")},
    poll_interval_s=0.2,
    opts=pulumi.ResourceOptions(providers=[pulumi.ProviderResource("pulumi-python", mine, {})] if mine else None),
)
"""
URN = "urn:pulumi:local::foundry-agents::pulumi-python:dynamic/foundry:HostedAgentVersion::first"


@pytest.fixture
def alone(deploy: Callable[..., Deployment]) -> Deployment:
    """A stack with one HostedAgentVersion in a project that is there already, deployed once."""
    here = deploy()
    project = here.azure.seed_project("shop")
    image = here.azure.push_image(project)
    (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    configure(here, name="first", greeting="Hello", endpoint=project.endpoint, image=image)
    here.project.up().succeeded()
    return here


def configure(here: Deployment, **settings: str) -> None:
    kept = ("endpoint", "image", "name", "greeting")
    known: dict[str, Any] = {key: value for key, value in here.project.config.items() if key in kept}
    here.project.config = {**known, **settings}
    here.project.write_config()


def versions(here: Deployment) -> list[Any]:
    return [version["version"] for version in here.agent("alone")["versions"]]


def test_a_forced_replacement_adopts_the_version_and_deletes_nothing(alone: Deployment) -> None:
    """The engine creates the new one, which adopts the old one's version, and then deletes the old one."""
    before = len(alone.writes())

    alone.project.run("up", "--yes", "--skip-preview", "--replace", URN).succeeded()

    assert versions(alone) == ["1"]
    assert len(alone.writes()) == before


def test_a_rename_without_an_alias_adopts_the_version_and_deletes_nothing(alone: Deployment) -> None:
    """The ownership metadata names the stack and not the resource, so a new name finds its history."""
    before = len(alone.writes())
    configure(alone, name="second")

    alone.project.up().succeeded()

    assert versions(alone) == ["1"]
    assert len(alone.writes()) == before


def test_a_rename_with_an_alias_is_no_change(alone: Deployment) -> None:
    before = len(alone.writes())
    configure(alone, name="second", alias="first")

    renamed = alone.project.up().succeeded()

    assert "2 unchanged" in renamed.output
    assert len(alone.writes()) == before


@pytest.mark.long
def test_a_delete_that_failed_and_a_revert_leave_the_adopted_version_alone(alone: Deployment) -> None:
    """A replacement whose delete fails leaves the old version pending in state; the revert needs that very version.

    Version 1 serves throughout: this program never moves traffic.
    """
    configure(alone, greeting="Howdy")
    alone.project.up().succeeded()
    alone.azure.control.fault(method="DELETE", path=".*/versions/2", status=500, times=9)
    configure(alone, greeting="Ahoy")
    alone.project.up().failed()
    assert versions(alone) == ["1", "2", "3"]
    alone.azure.control.clear_faults()
    configure(alone, greeting="Howdy")

    alone.project.up().succeeded()

    assert versions(alone) == ["1", "2"], "what serves and what was adopted"
    assert alone.posted() == 3, "the revert posts nothing"
    alone.project.refresh().succeeded()
    assert "2 unchanged" in alone.project.preview().succeeded().output


def test_two_declarations_of_one_agent_are_refused_in_the_program(alone: Deployment) -> None:
    """They would take each other's versions away."""
    program = alone.project.folder / "__main__.py"
    program.write_text(
        PROGRAM + PROGRAM.split("config = pulumi.Config()")[1].replace('config.require("name")', '"sibling"')
    )
    before = len(alone.writes())

    refused = alone.project.preview().failed()

    assert 'both declare the agent "alone"' in refused.output
    assert "Traceback" not in refused.output
    assert len(alone.writes()) == before


@pytest.mark.long
def test_an_agent_that_moves_to_another_instance_of_the_provider_and_changes_stays(
    deploy: Callable[..., Deployment],
) -> None:
    """The engine deletes the replaced version in the process of the old instance, where nothing was checked."""
    here = deploy()
    project = here.azure.seed_project("shop")
    (here.project.folder / "__main__.py").write_text(MOVED, encoding="utf-8")
    configure(here, greeting="Hello", endpoint=project.endpoint, image=here.azure.push_image(project))
    here.project.up().succeeded()
    configure(here, greeting="Howdy", instance="mine")

    moved = here.project.up().succeeded()

    assert versions(here) == ["1", "2"]
    assert "alone:1 is kept: its rollout removes old versions" in moved.output


BEHIND_ANOTHER = """
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

import foundry_agents as fa

config = pulumi.Config()


class Key(ResourceProvider):
    def diff(self, _id, olds, news):
        changed = olds["salt"] != news["salt"]
        return DiffResult(changes=changed, replaces=["salt"] if changed else [], delete_before_replace=True)

    def create(self, props):
        return CreateResult(props["salt"], {**props, "value": "key-" + props["salt"]})


class MyKey(Resource):
    value: pulumi.Output[str]

    def __init__(self, name, salt, opts=None):
        super().__init__(Key(), name, {"salt": salt, "value": None}, opts)


key = MyKey("key", config.require("greeting"))
fa.HostedAgent(
    "alone",
    project=fa.FoundryProject.existing(endpoint=config.require("endpoint")),
    image=fa.AgentImage.pinned(config.require("image")),
    environment={"KEY": key.value},
    poll_interval_s=0.2,
)
"""


@pytest.mark.long
def test_an_agent_stays_while_what_it_depends_on_is_deleted_before_it_is_replaced(
    deploy: Callable[..., Deployment],
) -> None:
    """Case 91: the engine deletes version and rollout first, before the program has declared them again."""
    here = deploy()
    project = here.azure.seed_project("shop")
    (here.project.folder / "__main__.py").write_text(BEHIND_ANOTHER, encoding="utf-8")
    configure(here, greeting="Hello", endpoint=project.endpoint, image=here.azure.push_image(project))
    here.project.up().succeeded()
    configure(here, greeting="Howdy")

    here.project.up().succeeded()

    assert versions(here) == ["1", "2"]
    assert [write.path for write in here.writes() if write.method == "DELETE"] == []
