"""Nothing that a program declares is destroyed, and nothing that it does not declare is left, on the real engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from foundry_emulator.testing import LocalAzure, SeededProject
from tests.support.harness import Project, Run, hermetic

pytestmark = pytest.mark.engine

HEAD = """
import pulumi
import foundry_agents as fa

E, P, R, IMG = "{endpoint}", "{principal}", "{resource}", "{image}"
QUICK = dict(poll_interval_s=0.2, timeout_s=60, force_delete=True)


def existing(endpoint=E):
    return fa.FoundryProject.existing(endpoint=endpoint, principal_id=P, resource_id=R)


def agent(name, project=None, **options):
    image = fa.AgentImage.pinned(IMG, check=False)
    return fa.HostedAgent(name, project=project or existing(), image=image, **QUICK, **options)


def version(name, **options):
    return fa.HostedAgentVersion(
        name, project_endpoint=E, agent_name="solo", image=IMG, check_image=False, **QUICK, **options
    )


def rollout(name, version):
    return fa.AgentRollout(
        name, project_endpoint=E, agent_name=version.agent_name, version=version.version, force_delete=True
    )


"""
PAIR = 'v = version("v", kept_by_rollout=True)\nrollout("r", v)\n'
OTHER_USER = 65534
PRECIOUS = ("thesis.txt", "id_rsa.pem", ".bashrc", "a.b.c", "run.12", "Makefile")


@dataclass
class Stack:
    """A stack in a Foundry project of its own.

    Attributes:
        azure: The local Azure that all tests of this file share.
        there: The Foundry project.
        image: What agents run.
        project: The Pulumi project.
    """

    azure: LocalAzure
    there: SeededProject
    image: str
    project: Project

    def program(self, body: str) -> None:
        """Write a program; it finds `agent`, `version` and `rollout` above it."""
        head = HEAD.format(
            endpoint=self.there.endpoint,
            principal=self.there.principal_id,
            resource=self.there.id,
            image=self.image,
        )
        (self.project.folder / "__main__.py").write_text(head + body, encoding="utf-8")

    def deployed(self, body: str) -> str:
        """Deploy the only agent of a program and return its identity."""
        self.program(body)
        self.up().succeeded()
        (agent,) = self.agents()
        return str(agent.guid)

    def up(self, *options: str) -> Run:
        """`pulumi up`."""
        return self.project.up(*options)

    def destroy(self, *options: str) -> Run:
        """`pulumi destroy`."""
        return self.project.run("destroy", "--yes", "--skip-preview", "--stack", self.project.stack, *options)

    def urn(self, name: str) -> str:
        """Return the URN of a resource in state."""
        exported = self.project.run("stack", "export", "--stack", self.project.stack).succeeded()
        urns = [str(one["urn"]) for one in json.loads(exported.output)["deployment"]["resources"]]
        (found,) = (urn for urn in urns if urn.endswith(f"::{name}"))
        return found

    def agents(self) -> list[Any]:
        """Return the agents of the Foundry project."""
        return self.azure.run(lambda: self.azure.emulator.agents.of_project(self.there.name))

    def serves(self, guid: str) -> str:
        """Return the version with all traffic; the agent is the same as it was, and the only one."""
        assert len(self.agents()) == 1, "the agent is gone"
        (agent,) = self.agents()
        assert agent.guid == guid, "it was deleted and made again"
        (rule,) = agent.endpoint.rules
        number = agent.latest.key.version if rule.version == "@latest" else rule.version
        assert agent.versions[number].status == "active"
        return str(number)

    def versions(self) -> list[str]:
        """Return numbers of the one agent's versions."""
        (agent,) = self.agents()
        return list(agent.versions)

    def posted(self) -> int:
        """Return how many versions were posted."""
        end = f"/projects/{self.there.name}/agents/"
        return sum(
            entry.method == "POST" and end in entry.path and entry.path.endswith("/versions")
            for entry in self.azure.journal(writes=True)
        )


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """One local Azure for all tests of this file; each has a Foundry project of its own."""
    with LocalAzure(tmp_path_factory.mktemp("azure") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def stack(tmp_path: Path, engine: Path, azure: LocalAzure, numbers: Iterator[int]) -> Stack:
    there = azure.seed_project(f"shop-{next(numbers)}")
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    variables = {**hermetic(engine, home, azure.env), "TMPDIR": str(temporary)}
    return Stack(azure, there, azure.push_image(there), Project.create(tmp_path / "project", variables, {}))


def test_a_second_host_name_of_one_project_deletes_nothing(stack: Stack) -> None:
    """Case 84; pulumi-features A1: what was adopted under the new name was deleted under the old."""
    body = 'agent("support", existing(E))'
    guid = stack.deployed(body)
    stack.program(body.replace("(E)", '(E.replace("localhost", "127.0.0.1"))'))

    stack.up().succeeded()

    assert stack.serves(guid) == "1"
    stack.destroy().succeeded()
    assert stack.agents() == []


@pytest.mark.long
@pytest.mark.parametrize("options", [("--target", "r"), ("--exclude", "v")], ids=["target", "exclude"])
def test_an_up_with_targets_or_exclusions_removes_a_rollout_and_keeps_its_agent(
    stack: Stack, options: tuple[str, str]
) -> None:
    """Case 85; pulumi-features A2: such a run checks nothing of the version, which looked like a destroy."""
    guid = stack.deployed(PAIR)
    option, name = options
    urn = stack.urn(name)
    stack.program('version("v", kept_by_rollout=True)')

    stack.up(option, urn).succeeded()

    assert stack.serves(guid) == "1"
    assert stack.urn("v"), "the version is in state"
    stack.destroy().succeeded()
    assert stack.agents() == []


@pytest.mark.long
def test_a_renamed_component_loses_no_agent_when_the_old_rollout_alone_is_targeted(stack: Stack) -> None:
    """Cases 85 and 87; pulumi-features A2, its third command: without an alias, with the agent's name given."""
    guid = stack.deployed('agent("support")')
    urn = stack.urn("support-rollout")
    stack.program('agent("helper", agent_name="support")')

    stack.up("--target", urn).succeeded()

    assert stack.serves(guid) == "1"
    posted = stack.posted()
    stack.up().succeeded()
    assert stack.serves(guid) == "1"
    assert stack.posted() == posted, "the plain run adopts"


def test_a_destroy_of_the_rollout_alone_leaves_the_agent_and_the_next_up_finds_it(stack: Stack) -> None:
    """Case 85; pulumi-features A3: the whole agent went, and the next `up` failed for want of its version."""
    guid = stack.deployed(PAIR)

    stack.destroy("--target", stack.urn("r")).succeeded()

    assert stack.serves(guid) == "1"
    assert stack.urn("v"), "the version is in state"
    stack.up().succeeded()
    assert stack.serves(guid) == "1"
    assert stack.posted() == 1


NATIVE = """
project = fa.FoundryProject({shop}, location="eastus2", resource_group_name="{group}")
registry = fa.AgentRegistry({images}, pulled_by=project)
agent({support})
"""


@pytest.mark.long
def test_a_stack_that_is_renamed_changes_nothing(stack: Stack) -> None:
    """Case 86; pulumi-features A4: names of account, project and registry were made from the stack's."""
    guid = stack.deployed(NATIVE.format(shop='"shop"', images='"images"', support='"support"', group=stack.there.name))
    _rename(stack)

    stack.project.preview("--expect-no-changes").succeeded()

    assert stack.serves(guid) == "1"


@pytest.mark.long
def test_components_that_are_renamed_with_an_alias_change_nothing(stack: Stack) -> None:
    """Case 87; pulumi-features A5: what they are called in Azure was made from what they are called in Pulumi."""
    guid = stack.deployed(
        NATIVE.format(shop='"bazaar"', images='"prints"', support='"support"', group=stack.there.name)
    )

    def named(name: str, before: str) -> str:
        return f'"{name}", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="{before}")])'

    stack.program(
        NATIVE.format(
            shop=named("store", "bazaar"),
            images=named("pics", "prints"),
            support=named("helper", "support"),
            group=stack.there.name,
        )
    )

    stack.project.preview("--expect-no-changes").succeeded()

    stack.up().succeeded()
    assert stack.serves(guid) == "1"


@pytest.mark.long
def test_after_a_stack_rename_an_agent_can_change_revert_and_be_destroyed(stack: Stack) -> None:
    """Case 86; pulumi-features A6: the metadata named the former stack, so the agent counted as another stack's."""
    body = 'agent("support", environment={"GREETING": "Hello"}, tools=[fa.CodeInterpreter()])'
    guid = stack.deployed(body)
    _rename(stack)
    stack.program(body.replace("Hello", "Howdy").replace("[fa", "[fa.WebSearch(), fa"))

    stack.up().succeeded()

    assert stack.serves(guid) == "2"
    stack.program(body)
    stack.up().succeeded()
    assert stack.serves(guid) == "1"
    assert stack.posted() == 2, "the revert posts nothing"
    stack.destroy().succeeded()
    assert stack.agents() == []


@pytest.mark.long
def test_an_agent_taken_over_after_a_stack_rename_is_destroyed_with_its_stack(stack: Stack) -> None:
    """Cases 86 and 89; pulumi-features A6: the destroy ended well and left the agent serving, in no state."""
    body = 'agent("support", take_over=True, environment={"GREETING": "Hello"})'
    guid = stack.deployed(body)
    _rename(stack)
    stack.program(body.replace("Hello", "Howdy"))
    stack.up().succeeded()
    assert stack.serves(guid) == "2"

    stack.destroy().succeeded()

    assert stack.agents() == []


@pytest.mark.long
def test_an_agent_that_another_stack_takes_over_is_destroyed_with_that_stack(stack: Stack) -> None:
    """Case 89; pulumi-features A6: versions of the stack that had made it were left."""
    body = 'agent("support", take_over=pulumi.get_stack() == "other", environment={"GREETING": pulumi.get_stack()})'
    guid = stack.deployed(body)
    other = Stack(stack.azure, stack.there, stack.image, stack.project.add_stack("other", {}))
    other.up().succeeded()
    assert other.serves(guid) == "2"

    other.destroy().succeeded()

    assert other.agents() == []


@pytest.mark.long
def test_a_stack_takes_an_agent_back_by_replacing_its_unchanged_version(stack: Stack) -> None:
    """Case 89: the command in the error. Without a POST the other stack's destroy would delete the agent."""
    body = 'agent("support", take_over={take_over}, environment={{"GREETING": pulumi.get_stack()}})'
    guid = stack.deployed(body.format(take_over=False))
    other = Stack(stack.azure, stack.there, stack.image, stack.project.add_stack("other", {}))
    stack.program(body.format(take_over=True))
    other.up().succeeded()
    assert other.serves(guid) == "2"

    stack.up("--replace", stack.urn("support-version")).succeeded()

    assert stack.serves(guid) == "3"
    stack.program(body.format(take_over=False))
    stack.up().succeeded()
    other.destroy().succeeded()
    assert stack.serves(guid) == "3"
    stack.destroy().succeeded()
    assert stack.agents() == []


@pytest.mark.parametrize(
    "twice",
    [
        'agent("one", existing(E), agent_name="same")\nagent("two", existing(E), agent_name="same")',
        'agent("one", existing(E), agent_name="same")\nagent("two", existing(E + "/"), agent_name="same")',
        'agent("one", agent_name=pulumi.Output.from_input("same"))\nagent("two", agent_name="same")',
    ],
    ids=["the project mentioned twice", "another spelling of it", "the name an Output"],
)
def test_an_agent_that_is_declared_twice_is_refused_and_both_are_named(stack: Stack, twice: str) -> None:
    """Case 92; pulumi-features C1: objects were compared, and `existing` makes a new one each time."""
    stack.program(twice)

    refused = stack.up().failed()

    assert 'both declare the agent "same"' in " ".join(refused.output.split())
    assert '"one' in refused.output
    assert '"two' in refused.output
    assert "Traceback" not in refused.output
    assert stack.posted() <= 1


def test_a_version_that_serves_is_not_deleted_before_its_replacement(stack: Stack) -> None:
    """Case 87; pulumi-features F3: the rule `@latest` names no number, so the version seemed to have no traffic."""
    body = 'version("v", environment={"A": "1"}, opts=pulumi.ResourceOptions(delete_before_replace=True))'
    guid = stack.deployed(body)
    stack.program(body.replace('"1"', '"2"'))

    stack.up().succeeded()

    stack.serves(guid)
    assert stack.versions() == ["1", "2"]


def foreign(place: Path) -> None:
    """A folder of another user; where this one is not root, one that can't be written."""
    place.mkdir(mode=0o500)
    if os.getuid() == 0:
        os.chown(place, OTHER_USER, OTHER_USER)


def linked(place: Path) -> None:
    """A link into a folder of precious files."""
    folder = place.with_name("precious")
    folder.mkdir()
    for name in PRECIOUS:
        (folder / name).write_text("precious", encoding="utf-8")
    place.symlink_to(folder, target_is_directory=True)


def a_file(place: Path) -> None:
    """No folder at all."""
    place.write_text("precious", encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("laid", [foreign, linked, a_file])
def test_an_agent_that_changes_its_provider_stays_even_if_processes_cannot_exchange_notes(
    stack: Stack, laid: Callable[[Path], None]
) -> None:
    """Case 88; security 1 and 2: the delete found no note, and took that for a destroy; a link's target was emptied."""
    body = 'agent("support", environment={"GREETING": "Hello"})'
    guid = stack.deployed(body)
    places = (
        Path(stack.project.variables["TMPDIR"]) / f"foundry-agents-{os.getuid()}",
        Path(stack.project.variables["PULUMI_HOME"]) / "foundry-agents",
    )
    for place in places:
        _clear(place)
        laid(place)
    mine = 'opts=pulumi.ResourceOptions(providers=[pulumi.ProviderResource("pulumi-python", "mine", {})])'
    stack.program(body.replace('"Hello"}', f'"Howdy"}}, {mine}'))

    moved = stack.up().succeeded()

    assert stack.serves(guid) == "2"
    assert "Traceback" not in moved.output
    for place in places if laid is linked else ():
        assert sorted(path.name for path in place.resolve().iterdir()) == sorted(PRECIOUS)
    stack.destroy().succeeded()
    assert stack.agents() == []


def _rename(stack: Stack) -> None:
    stack.project.run("stack", "rename", "renamed", "--stack", stack.project.stack).succeeded()
    stack.project.stack = "renamed"


def _clear(place: Path) -> None:
    """What this release has laid there itself."""
    for path in place.glob("*"):
        path.unlink()
    if place.exists():
        place.rmdir()


LEAVING = """
mine = pulumi.ResourceOptions(providers=[pulumi.ProviderResource("pulumi-python", "mine", {{}})])
{declared}
"""
AWAY = """
agent("stays", opts=mine)
agent("goes", tools=[fa.CodeInterpreter()], grant_toolbox_role=False)
agent("goes-too", opts=mine)
fa.ToolboxVersion("box", project_endpoint=E, toolbox_name="box", tools=[{"type": "web_search"}])
"""


def test_what_is_removed_from_the_program_is_deleted_by_an_up(stack: Stack) -> None:
    """Case 91: in an ordinary program, from two instances of the provider; what stays keeps its identity."""
    stack.program(LEAVING.format(declared=AWAY))
    stack.up().succeeded()
    before = {agent.name: agent.guid for agent in stack.agents()}
    assert sorted(before) == ["goes", "goes-too", "stays"]

    stack.program(LEAVING.format(declared='agent("stays", opts=mine)'))
    left = stack.up().succeeded()

    assert {agent.name: agent.guid for agent in stack.agents()} == {"stays": before["stays"]}, left.output
    assert "warning" not in left.output
    with stack.azure.client(stack.there.name) as client:
        assert client.get("toolboxes?api-version=v1").json()["data"] == []
    stack.program(LEAVING.format(declared=""))
    stack.up().succeeded()
    assert stack.agents() == []


UPSTREAM = """
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class Salted(ResourceProvider):
    def diff(self, _id, olds, news):
        changed = olds["salt"] != news["salt"]
        return DiffResult(changes=changed, replaces=["salt"] if changed else [], delete_before_replace=True)

    def create(self, props):
        return CreateResult(props["salt"], {**props, "value": props["salt"]})


class Upstream(Resource):
    value: pulumi.Output[str]

    def __init__(self, salt):
        super().__init__(Salted(), "upstream", {"salt": salt, "value": None})


renamed = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="support")])
"""


@pytest.mark.long
def test_a_chosen_name_stays_when_stack_and_component_are_renamed_and_something_before_it_is_replaced(
    stack: Stack,
) -> None:
    """Cases 86 and 87: what was deleted first is checked again without its state."""
    guid = stack.deployed(UPSTREAM + 'agent("support", environment={"X": Upstream("1").value})')
    renamed = UPSTREAM + 'agent("helper", environment={"X": Upstream("1").value}, opts=renamed)'
    stack.program(renamed)
    stack.up().succeeded()
    _rename(stack)
    stack.program(renamed.replace('Upstream("1")', 'Upstream("2")'))

    replaced = stack.up().succeeded()

    assert stack.serves(guid) == "2"
    assert "stays while what it depends on is replaced" in replaced.output
    stack.destroy().succeeded()
    assert stack.agents() == []


ENVIRONMENT = """
project = fa.FoundryProject("shop", location="eastus2", resource_group_name="agents", app_insights=fa.AppInsights())
registry = fa.AgentRegistry("images", pulled_by=project, connect=True)
agent("second", project, tools=[fa.CodeInterpreter()])
agent("third", tools=[fa.CodeInterpreter()])
"""


@pytest.mark.long
def test_a_new_resource_does_not_stop_a_run_that_does_not_create_it(stack: Stack) -> None:
    """Cases 85 and 91: Pulumi gives such a resource's inputs as its outputs, an identity without its principal."""
    body = 'agent("support", environment={"GREETING": "Hello"})\n'
    guid = stack.deployed(body)
    urn = stack.urn("support-version")
    stack.program(body.replace("Hello", "Howdy") + ENVIRONMENT)

    stack.up("--target", urn).succeeded()

    assert stack.versions() == ["1", "2"]
    assert stack.serves(guid) == "1", "the rollout is no target"
    stack.destroy("--run-program").succeeded()
    assert stack.agents() == []
