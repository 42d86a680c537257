"""Reads of the local Azure compared with a bare Starlette route that returns the same bytes: a ratio in one run."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from foundry_emulator.data_folder import DataFolder
from foundry_emulator.testing import LocalAzure
from tests.support.definition import DEFINITION, QUERY
from tests.support.figures import Record
from tests.support.load import get, load
from tests.support.safety import FREE_PORTS
from tests.support.served import served

pytestmark = pytest.mark.bench

CONNECTIONS = 4
READS, TURNS = 10_000, 3
PATH = f"/api/projects/shop/agents/support/versions/1{QUERY}"

BARE = """
import json, socket, sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

document = json.loads(sys.argv[1])


async def read(request):
    return JSONResponse(document)


listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
routes = [Route("/api/projects/{project}/agents/{agent}/versions/{version}", read)]
certificate = {"ssl_certfile": sys.argv[2], "ssl_keyfile": sys.argv[3]}
config = uvicorn.Config(Starlette(routes=routes), log_level="warning", access_log=False, **certificate)
uvicorn.Server(config).run(sockets=[listening])
"""


def test_reads_take_at_most_three_times_as_long_as_those_of_a_bare_route(figure: Record, tmp_path: Path) -> None:
    """Both take turns; the best of each counts."""
    data_dir = tmp_path
    with LocalAzure(data_dir) as azure:
        azure.seed_project("shop")
        azure.control.set(check_pull=False)
        with azure.client("shop") as http:
            http.post("/agents/support/versions", json={"definition": DEFINITION}).raise_for_status()
            azure.wait_until(lambda: bool(http.get("/agents/support/versions/1").json()["status"] == "active"))
            document = http.get("/agents/support/versions/1").text
        token, trust = azure.token(), azure.trust()
    tls = DataFolder(data_dir).tls
    with served(data_dir, *FREE_PORTS) as (_, running), _bare(document, tls) as bare:
        best = dict.fromkeys((running.data_plane, bare), 0.0)
        for _ in range(TURNS):
            for url in best:
                best[url] = max(best[url], _rate(url, trust, token))
    ratio = best[running.data_plane] / best[bare]
    name = f"version reads over TLS, compared with a bare Starlette route ({best[bare]:.0f}/s)"
    figure("azure", name, ratio, ">=", 0.3, unit=" x")


@contextlib.contextmanager
def _bare(document: str, tls: Path) -> Iterator[str]:
    command = [sys.executable, "-c", BARE, document, str(tls / "server.pem"), str(tls / "server-key.pem")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"https://localhost:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def _rate(url: str, trust: ssl.SSLContext, token: str) -> float:
    request = get(PATH, urlsplit(url).netloc, token)
    measured = load(url, trust, lambda _: request, count=READS, connections=CONNECTIONS)
    if measured.unexpected:
        raise RuntimeError(f"{measured.unexpected} of {READS} reads of {url} failed")
    return measured.rate
