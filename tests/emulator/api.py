"""The data plane of a project over plain HTTP, for the emulator's tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from foundry_emulator.testing import LocalAzure, SeededProject

Json = dict[str, Any]


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self) -> None:
        self.time = time.time()  # the client checks the certificate by the machine's clock

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Api:
    """A project's data plane over plain HTTP, and an image that its agents can run."""

    def __init__(self, azure: LocalAzure, project: SeededProject, image: str) -> None:
        self.azure = azure
        self.project = project
        self.image = image
        self.http = azure.client(project.name)

    def definition(self, **overrides: object) -> Json:
        """Return a valid definition; None removes a field."""
        definition: Json = {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": self.image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        } | overrides
        return {key: value for key, value in definition.items() if value is not None}

    def post(self, agent: str, definition: Json | None = None, **others: object) -> httpx.Response:
        body: Json = {"definition": self.definition() if definition is None else definition, **others}
        return self.http.post(f"/agents/{agent}/versions", json=body)

    def create(self, agent: str, **overrides: object) -> Json:
        """Return a version that is no longer ``creating``."""
        made = self.post(agent, self.definition(**overrides))
        assert made.status_code == 200, made.text
        return self.settled(agent, made.json()["version"])

    def settled(self, agent: str, version: str) -> Json:
        seen: Json = {}

        def is_settled() -> bool:
            seen.update(self.http.get(f"/agents/{agent}/versions/{version}").json())
            return bool(seen["status"] != "creating")

        self.azure.wait_until(is_settled)
        return seen

    def route(self, agent: str, shares: dict[str, int]) -> httpx.Response:
        rules = [
            {"type": "FixedRatio", "agent_version": version, "traffic_percentage": share}
            for version, share in shares.items()
        ]
        patch = {"agent_endpoint": {"version_selector": {"version_selection_rules": rules}}}
        return self.http.patch(f"/agents/{agent}", json=patch)

    def ask(self, agent: str, text: object = "hello", **others: object) -> httpx.Response:
        return self.http.post(f"/agents/{agent}/endpoint/protocols/openai/responses", json={"input": text, **others})

    def served_by(self, agent: str, **others: Any) -> str:
        answer = self.ask(agent, **others)
        assert answer.status_code == 200, answer.text
        version: str = answer.json()["agent_reference"]["version"]
        return version


def is_active(http: httpx.Client, agent: str, version: str) -> Callable[[], bool]:
    """Return whether a version is active."""
    return lambda: bool(http.get(f"/agents/{agent}/versions/{version}").json()["status"] == "active")


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]
