"""What tests of tools/engine run on: a PATH of fakes, a cache of its own, and a release server on loopback."""

import hashlib
import http.server
import io
import os
import socket
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import offline_engine
from tools.engine.machine import Machine
from tools.engine.package import ENGINE

PLATFORM = "linux-x64"
ARCHIVE = f"pulumi-v{ENGINE.version}-{PLATFORM}.tar.gz"
CHECKSUMS = f"pulumi-{ENGINE.version}-checksums.txt"

# A `go` that logs its arguments, folder and environment, and builds a `pulumi` that prints its version.
# While the file `hold` (a FIFO) is there, the build of the command line waits until it is opened for writing.
FAKE_GO = """#!{python} -SE
import os, pathlib, sys
bench = pathlib.Path({bench!r})
verb, *rest = sys.argv[1:]
with open(bench / "go.log", "a") as log:
    log.write(" ".join([verb, *rest, "CGO=" + os.environ.get("CGO_ENABLED", ""), "TC=" + os.environ["GOTOOLCHAIN"],
                        "in=" + os.getcwd()]) + chr(10))
if verb == "env":
    print({version!r})
elif verb == "list":
    print(bench / "sdk")
elif {complaint!r}:
    sys.exit({complaint!r})
elif verb == "build":
    out = pathlib.Path(rest[rest.index("-o") + 1])
    if out.name == "pulumi" and (bench / "hold").exists():
        (bench / "holding").touch()
        (bench / "hold").read_text()
    out.write_text("#!/bin/sh" + chr(10) + "echo v{built}" + chr(10))
    out.chmod(0o755)
"""


def fake_pulumi(version: str) -> str:
    return f"#!/bin/sh\necho v{version}\n"


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@dataclass
class Bench:
    """The environment of one test; ``said`` are the lines that the tool reported."""

    folder: Path
    releases: str
    said: list[str] = field(default_factory=list)

    @property
    def bin(self) -> Path:
        return self.folder / "path"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def reported(self) -> str:
        return "\n".join(self.said)

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.folder), "FOUNDRY_AGENTS_CACHE": str(self.cache)}

    def machine(
        self, *, releases: str | None = None, platform: str = PLATFORM, say: Callable[[str], None] | None = None
    ) -> Machine:
        return Machine(
            environ=self.environ,
            cache=self.cache,
            platform=platform,
            say=say or self.said.append,
            releases=releases or self.releases,
            heartbeat_s=0.01 if say else 30,
        )

    def put_pulumi(self, version: str, *, folder: str = "path", language_host: bool = True) -> Path:
        program = executable(self.folder / folder / "pulumi", fake_pulumi(version))
        if language_host:
            executable(program.parent / "pulumi-language-python", "#!/bin/sh\n")
        return program.parent

    def put_go(self, version: str = "go1.26.8", *, complaint: str = "", built: str = ENGINE.version) -> None:
        for file in offline_engine.PROGRAMS["pulumi"][0].build.copies:
            executable(self.folder / "sdk" / file, "#!/bin/sh\n")
        text = FAKE_GO.format(
            python=sys.executable, bench=str(self.folder), version=version, complaint=complaint, built=built
        )
        executable(self.bin / "go", text)

    def hold_go(self) -> Path:
        os.mkfifo(self.folder / "hold")
        return self.folder / "holding"

    def release_go(self) -> None:
        (self.folder / "hold").write_text("go on")

    def go_calls(self, verb: str = "build") -> list[str]:
        log = self.folder / "go.log"
        return [line for line in log.read_text().splitlines() if line.startswith(verb)] if log.exists() else []

    def left_in_cache(self) -> list[str]:
        """Return every name in the cache except the lock: complete folders, and leftovers if there are any."""
        return sorted(p.name for p in (self.cache / "engine").glob("*") if p.suffix != ".lock")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed_port: int = probe.getsockname()[1]
    made = Bench(tmp_path, releases=f"http://127.0.0.1:{closed_port}")
    made.bin.mkdir()
    return made


def release_archive(version: str = ENGINE.version, *, without: str = "") -> bytes:
    """Return an archive as published, with two more members that must not be unpacked outside their folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in {*ENGINE.programs, *ENGINE.files} - {without}:
            data = (fake_pulumi(version) if name == "pulumi" else "#!/bin/sh\n").encode()
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        archive.addfile(tarfile.TarInfo("pulumi/../../escaped"), io.BytesIO())
        link = tarfile.TarInfo("pulumi/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


@dataclass
class ReleaseServer:
    """Serves ``files`` by name; ``cut`` names one that breaks off in the middle."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: str = ""

    def publish(self, archive: bytes, *, digest: str | None = None) -> None:
        published = digest or hashlib.sha256(archive).hexdigest()
        self.files[ARCHIVE] = archive
        self.files[CHECKSUMS] = f"{'0' * 64}  pulumi-v{ENGINE.version}-other.tar.gz\n{published}  {ARCHIVE}\n".encode()


@pytest.fixture
def release_server() -> Iterator[ReleaseServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/")
            served.asked.append(name)
            data = served.files.get(name)
            self.send_response(404 if data is None else 200)
            self.send_header("content-length", str(len(data or b"")))
            self.end_headers()
            if data is not None:
                self.wfile.write(data[: len(data) // 2] if name == served.cut else data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = ReleaseServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()
