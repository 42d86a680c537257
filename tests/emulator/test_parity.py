"""The parity ledger against the code, and against the methods of the SDK."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from azure.ai.projects.operations import AgentsOperations, ToolboxesOperations

from foundry_emulator.dataplane.operations import operations
from foundry_emulator.parity import Entry, Parity, ledger, parity_page
from tests.emulator.api import Api

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "parity.md"
NAMES = {"agent": "support", "version": "1", "toolbox": "tools", "session": "s", "response": "r", "invocation": "i"}
PROBED = [pytest.param(entry, id=entry.name) for entry in ledger()]


def methods(of: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(of, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize(("group", "of"), [("agents", AgentsOperations), ("toolboxes", ToolboxesOperations)])
def test_every_method_of_the_sdk_is_in_the_ledger(group: str, of: type) -> None:
    """A method that a new SDK adds fails here until it is listed."""
    listed = {entry.name.removeprefix(f"{group}.") for entry in ledger() if entry.name.startswith(f"{group}.")}
    assert methods(of) - listed == set()


def test_every_operation_that_the_sdk_lacks_is_named() -> None:
    """A method that the SDK removes fails here too."""
    known = {f"agents.{name}" for name in methods(AgentsOperations)}
    known |= {f"toolboxes.{name}" for name in methods(ToolboxesOperations)}
    own = {entry.name for entry in ledger() if entry.name.startswith(("agents.", "toolboxes."))}
    assert own - known == {"agents.create", "agents.update"}


def test_names_and_requests_are_listed_once() -> None:
    names = [entry.name for entry in ledger()]
    requests = [(entry.method, entry.path) for entry in ledger() if entry.name != "agents.create_version_from_code"]
    assert (len(set(names)), len(set(requests))) == (len(names), len(requests))


def test_every_entry_has_evidence_and_recorded_ones_name_recordings() -> None:
    recordings = {path.stem for path in (Path(__file__).parents[1] / "conformance" / "recordings").glob("*.json")}
    for entry in ledger():
        assert entry.evidence, entry.name
        if entry.parity is Parity.RECORDED:
            assert set(entry.evidence.split(", ")) <= recordings, entry.name


def test_the_local_azure_does_not_start_with_a_ledger_that_its_code_contradicts() -> None:
    with pytest.raises(ValueError, match="disagree about"):
        operations({})


@pytest.mark.parametrize("entry", PROBED)
def test_missing_operations_answer_501_and_no_other_does(api: Api, entry: Entry) -> None:
    path = entry.path
    for name in path.split("{")[1:]:
        word = name.partition("}")[0]
        path = path.replace(f"{{{word}}}", NAMES.get(word, "x"))
    answer = api.http.request(entry.method, path)
    assert (answer.status_code == 501) == (entry.parity is Parity.MISSING)
    if entry.parity is Parity.MISSING:
        error = answer.json()["error"]
        assert error["code"] == "not_implemented"
        assert f"does not implement {entry.name}" in error["message"]


def test_the_page_of_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == parity_page(), "run `make docs`"
