"""Odd requests, and kills in the middle of writes, for tests and figures of the local Azure."""

from __future__ import annotations

import random
import re
import signal
import threading
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure
from tests.support.fuzz import Odd, requests
from tests.support.served import served

READER = "00000000-0000-0000-0000-00000000beef"
FREE_PORTS = ("--port", "0", "--registry-port", "0", "--page-port", "0", "--runtime", "echo")
DEFINITION = {"kind": "prompt", "model": "m"}
PLACES = (
    "/agents/support",
    "/agents/support/versions",
    "/toolboxes",
    "/toolboxes/tools/versions",
    "/openai/v1/files",
    "/openai/v1/vector_stores",
)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """The outcome of odd requests.

    Attributes:
        sent: How many were answered.
        server_errors: Those answered with a 5xx other than 501.
        statuses: How often each status came.
        intact: A project that they had no right to write is as before, and a restart finds all of the other.
    """

    sent: int
    server_errors: list[tuple[int, Odd]]
    statuses: dict[int, int]
    intact: bool


def fuzz(data_dir: Path, *, seed: int, count: int) -> Fuzzed:
    """Send ``count`` invalid requests, one in ten of them to a project where the caller has no role."""
    settings = Settings(provisioning_s=0, log_idle_s=0, invoke_timeout_s=5, indexing_s=0)
    statuses: dict[int, int] = {}
    errors: list[tuple[int, Odd]] = []
    with LocalAzure(data_dir, settings=settings) as azure:
        image = azure.push_image(azure.seed_project("fuzzed"))
        azure.seed_project("kept")
        with azure.client("kept") as http, azure.client("fuzzed") as fuzzed:
            for each in (http, fuzzed):
                each.post("/agents/support/versions", json={"definition": DEFINITION}).raise_for_status()
                each.post("/toolboxes/tools/versions", json={"tools": []}).raise_for_status()
                made = _indexed(each)
            before = _state(http)
            tokens = {"fuzzed": azure.token(), "kept": azure.token(READER)}
            address = urlsplit(azure.data_plane)
            connection = HTTPSConnection(str(address.hostname), address.port, context=azure.trust(), timeout=30)
            source = random.Random(seed)
            for odd in requests(seed, count, image, made):
                project = "kept" if source.random() < 0.1 else "fuzzed"
                headers = odd.headers | {"authorization": f"Bearer {tokens[project]}"}
                connection.request(odd.method, f"/api/projects/{project}{odd.target}", odd.body, headers)
                answer = connection.getresponse()
                _note(made, answer.read())
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                if answer.status >= 500 and answer.status != 501:
                    errors.append((answer.status, odd))
            connection.close()
            intact = _state(http) == before
            left = _state(fuzzed)
    with LocalAzure(data_dir, settings=settings) as azure, azure.client("kept") as http:
        with azure.client("fuzzed") as fuzzed:
            intact = intact and _state(fuzzed)[1:] == left[1:]
        intact = intact and _state(http) == before
    return Fuzzed(sum(statuses.values()), errors, statuses, intact)


def _indexed(http: httpx.Client) -> dict[str, str]:
    """Put a file into a vector store by a batch, and return the ids by their names in paths."""
    content = {"file": ("faq.md", b"hello")}
    file = http.post("/openai/v1/files", files=content, data={"purpose": "assistants"}).json()["id"]
    store = http.post("/openai/v1/vector_stores", json={}).json()["id"]
    batch = http.post(f"/openai/v1/vector_stores/{store}/file_batches", json={"file_ids": [file]}).json()["id"]
    return {"file": file, "store": store, "batch": batch, "toolbox": "tools"}


def _note(made: dict[str, str], body: bytes) -> None:
    """Remember what was created last: earlier things may be deleted."""
    found = re.match(rb'\{"object":"(file|vector_store|vector_store.files_batch)","id":"([a-z]+[_-][0-9a-f]+)"', body)
    if found:
        made[{b"file": "file", b"vector_store": "store"}.get(found[1], "batch")] = found[2].decode()


def _state(http: httpx.Client) -> list[object]:
    """Return what a project holds, with its number of agents at the end."""
    return [http.get(path).json().get("data", http.get(path).status_code) for path in PLACES]


def kill_during_writes(data_dir: Path, *, kills: int, seed: int) -> tuple[int, int]:
    """Kill a local Azure ``kills`` times while it is written to.

    Returns:
        How many writes were acknowledged, and how many of them were lost.
    """
    with LocalAzure(data_dir) as azure:
        azure.seed_project("shop")
        token, trust = azure.token(), azure.trust()
    source = random.Random(seed)
    acknowledged: list[tuple[str, str]] = []
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    for kill in range(kills):
        with served(data_dir, *FREE_PORTS) as (process, running):
            address = urlsplit(running.data_plane)
            after = source.uniform(0.0, 0.15)
            # The kill comes from a separate timer, wherever the writer and the server are; the timer starts with
            # the first acknowledgement, so that a busy machine has something to lose too.
            timer = threading.Timer(after, process.send_signal, [signal.SIGKILL])
            connection = HTTPSConnection(str(address.hostname), address.port, context=trust, timeout=30)
            try:
                while True:
                    agent = f"agent-{kill}"
                    body = f'{{"definition": {{"kind": "prompt", "model": "{len(acknowledged)}"}}}}'
                    connection.request(
                        "POST", f"/api/projects/shop/agents/{agent}/versions?api-version=v1", body, headers
                    )
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        acknowledged.append((agent, str(len(acknowledged))))
                        if not timer.ident:
                            timer.start()
            except (OSError, HTTPException):
                timer.join()
            finally:
                connection.close()
    return len(acknowledged), len(set(acknowledged) - _kept(data_dir))


def _kept(data_dir: Path) -> set[tuple[str, str]]:
    with LocalAzure(data_dir) as azure:
        return azure.run(
            lambda: {
                (agent.name, str(version.definition["model"]))
                for agent in azure.emulator.agents.all()
                for version in agent.versions.values()
            }
        )
