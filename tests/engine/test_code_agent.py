"""An agent of code, without an image, on the real engine: what is packed runs, and only its bytes count."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.harness import Deployment

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
fa.HostedAgent(
    "support",
    project=fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal")),
    code=fa.CodePackage("agent", entry_point=["python", "main.py"]),
    fingerprint_key="correct horse battery",
    force_delete=True,
    timeout_s=60,
)
"""

AGENT = """
import http.server, json, os, pathlib

words = pathlib.Path("words.txt").read_text()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({})

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        text = {"type": "output_text", "text": words, "annotations": []}
        self.answer({"output": [{"type": "message", "role": "assistant", "content": [text]}]})

    def answer(self, body):
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def _says(here: Deployment) -> str:
    return str(here.ask("?")["output"][0]["content"][0]["text"])


@pytest.mark.long
def test_a_changed_byte_of_code_creates_one_version_and_its_revert_none(deploy: Callable[..., Deployment]) -> None:
    """Cases 9, 12 and 13 for code: up, touched, changed, reverted; each version is a process that really runs."""
    here = deploy(runtime="process")
    folder = here.project.folder / "agent"
    folder.mkdir()
    (folder / "main.py").write_text(AGENT, encoding="utf-8")
    (folder / "words.txt").write_text("Hello", encoding="utf-8")
    (folder / ".agentignore").write_text("*.log\n", encoding="utf-8")
    (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")

    here.project.up().succeeded()
    assert _says(here) == "Hello"

    os.utime(folder / "main.py", (0, 0))
    (folder / "run.log").write_text("ignored", encoding="utf-8")
    untouched = here.project.preview().succeeded()
    assert "4 unchanged" in untouched.output
    assert "replace" not in untouched.output

    (folder / "words.txt").write_text("Howdy", encoding="utf-8")
    changed = here.project.up().succeeded()
    assert "support-version replaced" in changed.output
    assert "[diff: ~code]" in changed.output
    assert here.posted() == 2
    assert _says(here) == "Howdy"

    (folder / "words.txt").write_text("Hello", encoding="utf-8")
    reverted = here.project.up().succeeded()
    assert "adopted support:1 (same definition, no POST)" in reverted.output
    assert here.posted() == 2, "the revert posts nothing"
    assert _says(here) == "Hello"

    state = here.project.state_text()
    assert str(here.project.folder) not in state, "state is the same on every machine"
    assert "correct horse battery" not in state


def test_a_folder_that_cannot_be_packed_is_reported_before_anything_is_created(
    deploy: Callable[..., Deployment], tmp_path: Path
) -> None:
    """The preview reports the mistake of the program in one block, without a traceback."""
    here = deploy()
    (here.project.folder / "agent").mkdir()
    (tmp_path / "elsewhere").write_text("canary", encoding="utf-8")
    (here.project.folder / "agent" / "secrets").symlink_to(tmp_path / "elsewhere")
    (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    refused = here.project.preview().failed()
    assert '"support-version": 1 problem in the agent\'s code' in refused.output
    assert "code: secrets is a link out of the folder" in refused.output
    assert "Traceback" not in refused.output
    assert here.writes() == []
