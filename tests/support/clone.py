"""A fresh clone of what is committed, in which a figure is measured as a new user would see it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from tests.support.checkout import CHECKOUT


@contextmanager
def fresh_clone(**environment: str) -> Iterator[Clone]:
    """A clone with a local Azure on free ports; all of it goes again."""
    with tempfile.TemporaryDirectory(prefix="foundry-agents-") as folder:
        clone = Clone(Path(folder) / "clone", environment)
        try:
            yield clone
        finally:
            subprocess.run(["make", "clean"], cwd=clone.folder, capture_output=True, check=False)


class Clone:
    """A clone of what is committed, with a local Azure on free ports of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(folder)], check=True)
        ports = {f"FOUNDRY_EMULATOR_START_{name}": "0" for name in ("PORT", "REGISTRY_PORT", "PAGE_PORT")}
        self.environment = {**os.environ, **ports, **environment}

    def make(self, verb: str) -> str:
        """Run a verb of the Makefile and return its output."""
        done = subprocess.run(
            ["make", verb],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"`make {verb}` ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def start(self, verb: str) -> psutil.Popen:
        """Start a verb and return at once."""
        return psutil.Popen(
            ["make", verb],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def greet(self, greeting: str) -> None:
        """Change one environment variable of the agent, as a person would edit the file."""
        settings = self.folder / "stacks" / "Pulumi.local.yaml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(re.sub(r"GREETING: \w+", f"GREETING: {greeting}", text), encoding="utf-8")

    def set_agents(self, names: list[str]) -> None:
        """Declare these agents in the stack, all like the sample's."""
        settings = self.folder / "stacks" / "Pulumi.local.yaml"
        content = yaml.safe_load(settings.read_text(encoding="utf-8"))
        agents = content["config"]["foundry-agents:agents"]
        like = next(iter(agents.values()))
        content["config"]["foundry-agents:agents"] = dict.fromkeys(names, like)
        dumper = yaml.SafeDumper
        dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]  # Pulumi reads no YAML aliases
        settings.write_text(yaml.dump(content, Dumper=dumper), encoding="utf-8")

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the local Azure's control API."""
        record = json.loads((self.folder / ".local" / "azure" / "emulator.json").read_text(encoding="utf-8"))
        method = "GET" if body is None else "POST"
        answer = httpx.request(method, f"{record['page']}/_control/{path}", json=body, trust_env=False)
        answer.raise_for_status()
        return dict(answer.json())

    def writes(self) -> list[dict[str, Any]]:
        """Return the writes of deployments so far, without calls to agents."""
        entries = self.control("journal?writes=1")["entries"]
        return [e for e in entries if e["plane"] in {"data", "arm"} and "/protocols/" not in e["path"]]

    def posts(self) -> int:
        """Return how many versions were posted so far."""
        return sum(e["method"] == "POST" and e["path"].endswith("/versions") for e in self.writes())


def pulumi_seconds(output: str) -> float:
    """Return how long `pulumi up` took, as `make up` prints it."""
    found = re.search(r"pulumi up took ([0-9.]+) s", output)
    return float(found[1]) if found else float("inf")
