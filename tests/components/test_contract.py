"""The contract: what is published is what is read, and what can't be read ends the program with a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import pytest

import foundry_agents as fa
from foundry_agents.agent.contract import readable, value_at
from foundry_agents.lifecycle.failure.errors import ContractError
from tests.support.program import ENDPOINT, LOGIN_SERVER, PRINCIPAL, Secret, run

STACK = "acme/foundry-agents/prod"
IMAGE = f"{LOGIN_SERVER}/support@sha256:{'a' * 64}"


def _document(**changes: Any) -> dict[str, Any]:
    """What a stack of this release publishes."""
    exported: dict[str, Any] = {}

    def program() -> Mapping[str, pulumi.Input[object]]:
        project = fa.FoundryProject("agents", location="eastus2")
        registry = fa.AgentRegistry("images", pulled_by=project)
        image = fa.AgentImage.pinned(f"support@sha256:{'a' * 64}", registry=registry)
        support = fa.HostedAgent("support", project=project, image=image)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulumi, "export", exported.__setitem__)
            fa.export_contract(project, support, registry=registry)
        return exported

    return {**run(program).outputs["contract"], **changes}


def _read(document: object, agent: str = "support", *, secret: bool = False) -> dict[str, Any]:
    """Every field that a consumer can read of one agent, its project and registry."""
    outputs = {} if document is None else {"contract": Secret(document) if secret else document}

    def program() -> Mapping[str, pulumi.Input[object]]:
        contract = fa.AgentContract.from_stack(STACK)
        support = contract.agent(agent)
        parts: dict[str, Any] = {"project": contract.project, "registry": contract.registry, "agent": support}
        return {f"{kind}.{row.name}": getattr(part, row.name) for kind, part in parts.items() for row in fields(part)}

    return run(program, published={STACK: outputs}).outputs


def test_what_a_stack_publishes_is_what_another_one_reads() -> None:
    read = _read(_document())
    assert (read["project.endpoint"], read["project.principal_id"]) == (ENDPOINT, PRINCIPAL)
    assert read["project.resource_id"].endswith("/projects/agents")
    assert (read["registry.login_server"], read["registry.resource_id"][-15:]) == (LOGIN_SERVER, "images-registry")
    assert {name.partition(".")[2]: value for name, value in read.items() if name.startswith("agent.")} == {
        "agent_name": "support",
        "endpoint": f"{ENDPOINT}/agents/support/endpoint",
        "responses_url": f"{ENDPOINT}/agents/support/endpoint/protocols/openai/responses",
        "version": "7",
        "status": "active",
        "image": IMAGE,
        "serving_version": "7",
        "traffic": {"7": 100},
        "principal_id": "agent-principal",
    }


def test_the_format_and_its_fields_are_these() -> None:
    """Other stacks rely on them: a field that goes, or changes its meaning, is a new major format."""
    document = _document()
    assert document["format"] == "1.0"
    assert {name: sorted(document[name]) for name in ("project", "registry")} == {
        "project": ["endpoint", "principal_id", "resource_id"],
        "registry": ["login_server", "resource_id"],
    }
    assert sorted(document["agents"]["support"]) == [
        "agent_name",
        "endpoint",
        "image",
        "principal_id",
        "responses_url",
        "serving_version",
        "status",
        "traffic",
        "version",
    ]


def test_it_is_plain_json_and_holds_nothing_of_the_agents_environment() -> None:
    """Case 54."""
    assert "environment" not in json.dumps(_document())


def test_an_older_consumer_reads_a_newer_contract_of_the_same_major_version() -> None:
    newer = _document(format="1.7", region="eastus2")
    newer["agents"]["support"]["a2a_url"] = "https://…"
    assert _read(newer) == _read(_document())


def test_what_the_publisher_does_not_know_is_none() -> None:
    document = _document(project={"endpoint": ENDPOINT})
    assert _read(document)["project.resource_id"] is None


def test_an_agent_of_code_has_no_image(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("", encoding="utf-8")

    def program() -> Mapping[str, pulumi.Input[object]]:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT)
        agent = fa.HostedAgent("support", project=project, code=fa.CodePackage(tmp_path, ["python", "main.py"]))
        exported: dict[str, pulumi.Input[object]] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulumi, "export", exported.__setitem__)
            fa.export_contract(project, agent)
        return exported

    document = run(program).outputs["contract"]
    assert document["agents"]["support"]["image"] is None
    document["registry"] = _document()["registry"]
    assert _read(document)["agent.image"] is None


def test_a_part_that_is_not_asked_for_may_be_missing() -> None:
    def program() -> Mapping[str, pulumi.Input[object]]:
        return {"version": fa.AgentContract.from_stack(STACK).agent("support").version}

    published = {STACK: {"contract": _document(registry=None, project=None)}}
    assert run(program, published=published).outputs == {"version": "7"}


def test_agents_are_listed() -> None:
    def program() -> Mapping[str, pulumi.Input[object]]:
        return {"names": fa.AgentContract.from_stack(STACK).agent_names}

    assert run(program, published={STACK: {"contract": _document()}}).outputs == {"names": ["support"]}


def test_a_secret_contract_is_read_as_secret() -> None:
    """Case 54: whoever publishes a secret part gets it to the reader as a secret."""

    def program() -> Mapping[str, pulumi.Input[object]]:
        contract = fa.AgentContract.from_stack(STACK)

        async def secretness() -> bool:
            return await contract.agent("support").responses_url.is_secret()

        found: pulumi.Output[bool] = pulumi.Output.from_input(secretness())
        return {"secret": found}

    for secret in (True, False):
        published = {STACK: {"contract": Secret(_document()) if secret else _document()}}
        assert run(program, published=published).outputs == {"secret": secret}


# --- What can't be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [None, "text", {"format": "1.0"}, {"agents": []}])
def test_a_stack_without_a_contract_is_an_error(document: object) -> None:
    with pytest.raises(ContractError, match=f'stack "{STACK}" publishes no contract') as caught:
        readable(STACK, document)
    assert "fa.export_contract" in str(caught.value)


@pytest.mark.parametrize(("written", "who"), [("2.0", "here"), ("10.3", "here"), ("0.9", "there"), ("x", "there")])
def test_a_contract_of_another_major_format_says_which_side_needs_a_newer_release(written: str, who: str) -> None:
    with pytest.raises(ContractError, match="can't be read") as caught:
        readable(STACK, {"format": written, "agents": {}})
    assert f"it is written in format {written}; this release of pulumi-foundry-agents reads 1.x" in str(caught.value)
    assert f"upgrade pulumi-foundry-agents {who}" in str(caught.value)


def test_the_error_for_an_unknown_agent_lists_the_known_ones() -> None:
    with pytest.raises(ContractError, match='publishes no agent "sales"') as caught:
        value_at(STACK, _document(), ("agents", "sales", "image"))
    assert "its agents: support" in str(caught.value)


def test_reading_a_registry_that_is_not_published_is_an_error() -> None:
    with pytest.raises(ContractError, match="has no registry"):
        value_at(STACK, _document(registry=None), ("registry", "login_server"))


def test_reading_a_field_that_an_older_publisher_lacks_is_an_error() -> None:
    document = _document()
    del document["agents"]["support"]["serving_version"]
    with pytest.raises(ContractError, match=r"has no agents\.support\.serving_version"):
        value_at(STACK, document, ("agents", "support", "serving_version"))


def test_a_contract_that_cannot_be_read_ends_the_program_without_a_traceback() -> None:
    """A RunError is what Pulumi prints as its text alone."""
    with pytest.raises(pulumi.RunError, match="publishes no contract"):
        _read(None)
