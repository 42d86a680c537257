"""The pages for contributors are true: their steps, followed on a copy, give what they promise. Issue 14."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT

PAGES = CHECKOUT / "docs" / "contributing"
_STEP = re.compile(
    r"^(?:In `(?P<file>[^`]+)`,\s(?P<how>before|instead of)\s`(?P<anchor>[^`]+)`"
    r"|New file `(?P<new>[^`]+)`|At the end of `(?P<end>[^`]+)`):\n\n"
    r"```\w+\n(?P<code>.*?)```$",
    re.MULTILINE | re.DOTALL,
)


def _followed(page: str, copy: Path) -> int:
    """Carry out every step of a page below a folder; return how many there are."""
    steps = list(_STEP.finditer((PAGES / page).read_text(encoding="utf-8")))
    for step in steps:
        target = copy / (step["file"] or step["new"] or step["end"])
        if step["new"]:
            target.write_text(step["code"], encoding="utf-8")
            continue
        text = target.read_text(encoding="utf-8")
        if step["end"]:
            target.write_text(f"{text}\n{step['code']}", encoding="utf-8")
            continue
        anchor = step["anchor"]
        assert text.count(anchor) == 1, f"{page}: {anchor!r} is not once in {step['file']}"
        indented = textwrap.indent(step["code"], " " * (len(anchor) - len(anchor.lstrip())))
        instead = f"{indented}{_gap(indented)}{anchor}" if step["how"] == "before" else indented.rstrip("\n")
        target.write_text(text.replace(anchor, instead), encoding="utf-8")
    return len(steps)


def _gap(code: str) -> str:
    """Return the empty line after a function."""
    return "\n" if "def " in code else ""


def _printed(copy: Path, program: str) -> object:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={"PYTHONPATH": f"{copy / 'components'}:{copy / 'emulator'}", "PATH": "/usr/bin:/bin", "HOME": str(copy)},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: object = json.loads(done.stdout)
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("components", "emulator"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_an_added_input_is_checked_compared_and_shown_and_is_no_part_of_the_definition(copy: Path) -> None:
    assert _followed("adding-an-input.md", copy) == 3
    program = """
import json
from foundry_agents.lifecycle.fingerprint import fingerprint
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.resources import hosted_agent_version as resource
from foundry_agents.resources.options import VersionOptions
from foundry_agents.testing import MemoryService
good = {"project_endpoint": "https://acme.services.ai.azure.com/api/projects/p", "agent_name": "support",
        "image": "acme.azurecr.io/support@sha256:" + "0" * 64, "owner": "o/p/s"}
noted = {**good, "release_note": "faster answers"}
lines = []
service = MemoryService()
resource.service_of = lambda _endpoint: service
resource.progress_on = lambda _urn: lines.append
provider = resource.HostedAgentVersionProvider()
made = provider.create(provider.check({}, noted).inputs)
print(json.dumps({
    "is an option": "release_note" in VersionOptions.__optional_keys__,
    "problems": [str(each) for each in VERSION_FIELDS.normalise({**good, "release_note": "x" * 81})[1]],
    "changes": [row.name for row in VERSION_FIELDS.changes(good, noted)],
    "counts": fingerprint(VERSION_FIELDS.read(noted).canonical()) != fingerprint(VERSION_FIELDS.read(good).canonical()),
    "is in state": made.outs["release_note"],
    "shown": lines[-1],
}))
"""
    assert _printed(copy, program) == {
        "is an option": True,
        "problems": ["release_note: has 81 characters; at most 80 are allowed"],
        "changes": [],
        "counts": False,
        "is in state": "faster answers",
        "shown": "faster answers",
    }


def test_an_added_resource_checks_compares_and_keeps_its_outputs(copy: Path) -> None:
    assert _followed("adding-a-resource.md", copy) == 2
    program = """
import json
from pulumi.dynamic.dynamic import serialize_provider
from foundry_agents.resources.note import NoteProvider
note = NoteProvider()
checked = note.check({}, {"content": "hello"})
refused = note.check({}, {"contents": "hello"})
made = note.create(checked.inputs)
same, other = note.diff("note", made.outs, {"content": "hello"}), note.diff("note", made.outs, {"content": "bye"})
print(json.dumps({
    "refused": [each.reason for each in refused.failures],
    "outputs": made.outs,
    "changes": [same.changes, other.changes, other.replaces],
    "updated": note.update("note", made.outs, {"content": "bye"}).outs,
    "is picklable": bool(serialize_provider(note)),
}))
"""
    found = _printed(copy, program)
    assert isinstance(found, dict)
    [refusal] = found.pop("refused")
    assert "contents: is not an input of this resource" in refusal
    assert "content: is required" in refusal
    assert found == {
        "outputs": {"content": "hello", "length": "5"},
        "changes": [False, True, []],
        "updated": {"content": "bye", "length": "3"},
        "is picklable": True,
    }


def test_an_added_operation_of_the_local_azure_answers(copy: Path) -> None:
    assert _followed("adding-an-emulator-operation.md", copy) == 3
    program = """
import json, pathlib
from foundry_emulator.testing import LocalAzure
with LocalAzure(pathlib.Path("data")) as azure:
    project = azure.seed_project("demo")
    with azure.client("demo") as client:
        found = client.get("/connections:count")
    print(json.dumps([found.status_code, found.json()]))
"""
    assert _printed(copy, program) == [200, {"count": 0}]
