"""The local Azure: how true, how safe and how fast it is."""

from __future__ import annotations

import json
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from foundry_emulator.data_folder import Running
from foundry_emulator.testing import LocalAzure
from tests.conformance.replay import per_operation, replay
from tests.emulator.api import served
from tests.emulator.load import Load, get, load, post
from tests.emulator.safety import FREE_PORTS, fuzz, kill_during_writes
from tools.figures.figure import Figure

MEGABYTE = 1_000_000
VERSIONS, AGENTS = 10_000, 10
READS, CONNECTIONS = 15_000, 4
REQUESTS, KILLS = 10_000, 50
STARTS = 8
QUERY = "?api-version=v1"
DEFINITION = {
    "kind": "hosted",
    "cpu": "0.5",
    "memory": "1Gi",
    "container_configuration": {"image": "registry.example/agents/support@sha256:" + "0" * 64},
    "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
}


def measure() -> Iterator[Figure]:
    """Conformance, odd requests, kills, then speed with few and with many versions."""
    with tempfile.TemporaryDirectory(prefix="foundry-emulator-") as folder:
        root = Path(folder)
        yield from _conformance(root / "conformance")
        fuzzed = fuzz(root / "fuzz", seed=1, count=REQUESTS)
        yield Figure("azure", f"server errors in {fuzzed.sent} odd requests", len(fuzzed.server_errors), "=", 0)
        yield Figure("azure", "state intact after them (1 is yes)", int(fuzzed.intact), "=", 1)
        acknowledged, lost = kill_during_writes(root / "kills", kills=KILLS, seed=1)
        name = f"of {acknowledged} acknowledged writes lost by {KILLS} kills"
        yield Figure("azure", name, lost if acknowledged else float("inf"), "=", 0)
        yield from _speed(root / "speed")


def _conformance(data_dir: Path) -> Iterator[Figure]:
    counted = per_operation(list(replay(data_dir)))
    entries, matches = (sum(column) for column in zip(*counted.values(), strict=True))
    yield Figure("azure", f"of {entries} recorded answers matched", 100 * matches / entries, "=", 100, " %")


def _speed(data_dir: Path) -> Iterator[Figure]:
    with LocalAzure(data_dir) as azure:
        azure.seed_project("shop")
        token, trust = azure.token(), azure.trust()
    yield Figure(
        "azure", f"start to healthy, best of {STARTS}", min(_start(data_dir) for _ in range(STARTS)), "<=", 1.5, " s"
    )
    with served(data_dir, *FREE_PORTS) as (process, running):
        host = urlsplit(running.data_plane).netloc
        # The echo needs no image: what is measured is the service, not the registry.
        settings = {"check_pull": False, "provisioning_s": 0}
        httpx.post(f"{running.page}/_control/settings", json=settings, trust_env=False).raise_for_status()
        _write(running, trust, host, token, range(AGENTS))
        yield from _reads("1 version an agent", _read(running, trust, host, token))
        written = _write(running, trust, host, token, range(AGENTS, VERSIONS))
        if written.unexpected:
            raise RuntimeError(f"{written.unexpected} of {VERSIONS} versions were not made")
        yield Figure("azure", "versions made a second", written.rate, ">=", 500, "/s")
        yield from _reads(f"{VERSIONS} versions", _read(running, trust, host, token))
        memory = psutil.Process(process.pid).memory_info().rss
        yield Figure("azure", f"memory at {VERSIONS} versions", memory / MEGABYTE, "<=", 150, " MB")


def _start(data_dir: Path) -> float:
    began = time.monotonic()
    with served(data_dir, *FREE_PORTS):
        return time.monotonic() - began


def _reads(what: str, measured: Load) -> Iterator[Figure]:
    yield Figure("azure", f"version reads over TLS, {what}", measured.rate, ">=", 2500, "/s")
    yield Figure("azure", f"p99 of them, {what}", measured.p99_s * 1000, "<=", 10, " ms")
    yield Figure("azure", f"failed ones among them, {what}", measured.unexpected, "=", 0)


def _read(running: Running, trust: ssl.SSLContext, host: str, token: str) -> Load:
    requests = [get(f"{_path(n)}/1{QUERY}", host, token) for n in range(AGENTS)]
    best = [
        load(
            running.data_plane,
            trust,
            lambda n: requests[n % AGENTS],
            count=READS,
            connections=CONNECTIONS,
        )
        for _ in range(2)
    ]
    return max(best, key=lambda measured: measured.rate)


def _write(running: Running, trust: ssl.SSLContext, host: str, token: str, numbers: range) -> Load:
    def request(number: int) -> bytes:
        place = numbers[number]
        body = {"definition": DEFINITION | {"environment_variables": {"NUMBER": str(place)}}, "metadata": {"n": "1"}}
        return post(f"{_path(place)}{QUERY}", host, token, json.dumps(body).encode())

    return load(running.data_plane, trust, request, count=len(numbers), connections=CONNECTIONS)


def _path(number: int) -> str:
    return f"/api/projects/shop/agents/agent-{number % AGENTS}/versions"
