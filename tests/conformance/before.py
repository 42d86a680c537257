"""The state before a recording began, created through the public API."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from foundry_emulator.testing import LocalAzure
from tests.conformance.recording import recording

Json = dict[str, Any]
Before = Callable[[LocalAzure, httpx.Client], None]

_HOSTED = "/agents/sanitized-hosted-agent-name"


def nothing(_azure: LocalAzure, _http: httpx.Client) -> None:
    """Create nothing."""


def old_agents(azure: LocalAzure, http: httpx.Client) -> None:
    """Create the project's other agents, oldest first; the earliest have no identities."""
    entries = recording("agent_crud")
    made = {entry.path.split("/")[2] for entry in entries if entry.method == "POST"}
    listed: list[Json] = []
    for entry in entries:
        if entry.path == "/agents" and isinstance(entry.answer, dict):
            known = {agent["name"] for agent in listed} | made
            listed += [agent for agent in entry.answer["data"] if agent["name"] not in known]
    for agent in sorted(listed, key=lambda agent: -listed.index(agent)):
        latest: Json = agent["versions"]["latest"]
        azure.control.set(agent_identities="instance_identity" in latest)
        for number in range(1, int(latest["version"]) + 1):
            earlier = {"definition": {"kind": latest["definition"]["kind"], "model": f"model-{number}"}}
            post(http, agent["name"], latest if number == int(latest["version"]) else earlier)
    azure.control.set(agent_identities=True)


def twenty_versions(azure: LocalAzure, http: httpx.Client) -> None:
    """Create versions 1 to 9 and 11 to 21 of the hosted agent, from images and code; 21 is active."""
    answer = recording("agent_endpoint")[0].answer
    assert isinstance(answer, dict)
    for document in reversed(answer["data"]):
        if document["version"] == "11":
            post(http, document["name"], document | {"description": "to be deleted"})
            http.delete(f"{_HOSTED}/versions/10").raise_for_status()
        post(http, document["name"], document)
    azure.wait_until(lambda: bool(http.get(f"{_HOSTED}/versions/21").json()["status"] == "active"))


def pinned_to_21(azure: LocalAzure, http: httpx.Client) -> None:
    """Create the same versions, all traffic pinned to 21; 22 to 30 were created and deleted."""
    twenty_versions(azure, http)
    patch = next(entry for entry in recording("agent_endpoint") if entry.method == "PATCH")
    http.patch(_HOSTED, json=patch.request).raise_for_status()
    for number in range(22, 31):
        body = {"definition": IMAGE | {"environment_variables": {"N": str(number)}}}
        http.post(f"{_HOSTED}/versions", json=body).raise_for_status()
        http.delete(f"{_HOSTED}/versions/{number}").raise_for_status()


BEFORE: Mapping[str, Before] = {
    "agent_crud": old_agents,
    "agent_endpoint": twenty_versions,
    "hosted_agent_create_wait_route_invoke": pinned_to_21,
}
"""The state by recording; before the others there was nothing."""

IMAGE: Json = {
    "kind": "hosted",
    "cpu": "0.5",
    "memory": "1Gi",
    "container_configuration": {"image": "registry.example/agent:latest"},
    "protocol_versions": [{"protocol": "responses", "version": "1.0.0"}],
}


def post(http: httpx.Client, agent: str, document: Mapping[str, Any]) -> None:
    """Create a version like the one in ``document``; with a zip when that has code.

    Equal recorded digests get equal zips.
    """
    body = {key: document[key] for key in ("definition", "description", "metadata") if key in document}
    code = body["definition"].get("code_configuration")
    if code is None:
        http.post(f"/agents/{agent}/versions", json=body).raise_for_status()
        return
    without = {key: value for key, value in code.items() if key != "content_hash"}
    body["definition"] = body["definition"] | {"code_configuration": without}
    parts: dict[str, tuple[str | None, bytes | str, str]] = {
        "metadata": (None, json.dumps(body), "application/json"),
        "code": ("code.zip", _zip(code["content_hash"]), "application/octet-stream"),
    }
    http.post(f"/agents/{agent}/versions", files=parts).raise_for_status()


def _zip(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("main.py"), f"# {text}\n")
    return buffer.getvalue()
