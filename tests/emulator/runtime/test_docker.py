"""The `docker` runtime on a real Docker daemon, with an image of scratch and a static busybox."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx
import pytest

from foundry_emulator.identity import ARM_AUDIENCE
from foundry_emulator.media_types import OCI_INDEX, OCI_MANIFEST
from foundry_emulator.registry import PackedImage, pack, push
from foundry_emulator.registry.token_service import TOKEN_USER
from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure, SeededProject
from tests.emulator.api import Api
from tests.support.machine import missing, program

GIBIBYTE = 2**30
SHELL = ("/app/busybox", "sh")
AGENT = """
trap 'echo asked to end; kill $!; exit 0' TERM
echo "up with $GREETING" >&2
/app/busybox nc -ll -p $PORT -e /app/busybox sh /app/answer &
wait $!
"""
ANSWER = r"""
read -r method path rest
while read -r line; do
    line=$(echo "$line" | /app/busybox tr -d '\r')
    [ -n "$line" ] || break
    case "$line" in [Cc]ontent-[Ll]ength:*) length=${line#*: } ;; esac
done
body='{}'
if [ "$path" = /responses ]; then
    /app/busybox head -c "$length" >/dev/null
    text="$GREETING, $(/app/busybox cat /home/session/note.txt)"
    part='{"type":"output_text","text":"'$text'"}'
    body='{"object":"response","id":"r","output":[{"type":"message","content":['$part']}]}'
fi
printf 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n'
printf 'content-length: %s\r\n\r\n%s' ${#body} "$body"
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    """A separate daemon for these tests, without networks: agents use the machine's."""
    daemon, busybox = program("dockerd", "docker.io"), program("busybox", "busybox-static")
    del busybox
    folder = Path(tempfile.mkdtemp(prefix="dockerd-"))  # a socket's path must be short
    socket = f"unix://{folder}/docker.sock"
    words = [daemon, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    words += ["-H", socket, "--bridge=none", "--iptables=false"]
    with (folder / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        process = subprocess.Popen(words, stdout=log, stderr=log)
        patch.setenv("DOCKER_HOST", socket)
        try:
            while "API listen on" not in (folder / "log").read_text():
                if process.poll() is not None:
                    missing(f"no Docker daemon can run here: {(folder / 'log').read_text()[-500:]}")
            with contextlib.closing(docker.from_env(version="auto")) as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            # The daemon leaves the machine's network mounted, by the containers that used it.
            for mounted in (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()):
                if mounted.startswith(f"{folder}/"):
                    subprocess.run(["umount", mounted], check=True)
            shutil.rmtree(folder)


class Case:
    """A project of a local Azure whose agents are containers, and whose registry requires tokens."""

    def __init__(self, azure: LocalAzure, engine: docker.DockerClient, folder: Path) -> None:
        self.azure, self.engine, self.folder = azure, engine, folder
        self.project: SeededProject = azure.seed_project("shop")
        self.api = Api(azure, self.project, self.push("agent", AGENT))

    def push(self, repository: str, script: str, *, entrypoint: tuple[str, ...] = (*SHELL, "/app/main")) -> str:
        """Return an image of busybox and a script; pinned by the digest of an index, as BuildKit makes one."""
        source = self.folder / repository
        source.mkdir()
        shutil.copy(program("busybox", "busybox-static"), source)
        (source / "main").write_text(script)
        (source / "answer").write_text(ANSWER)
        return self._pushed(repository, pack(source, entrypoint=entrypoint))

    def _pushed(self, repository: str, packed: PackedImage) -> str:
        name, host = f"{self.project.registry}/{repository}", self.azure.emulator.urls.registry
        entries = [
            {"mediaType": OCI_MANIFEST, "digest": packed.digest, "size": len(packed.manifest), "platform": platform}
            for platform in ({"os": "unknown", "architecture": "unknown"}, {"os": "linux", "architecture": "amd64"})
        ]
        index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
        digest = f"sha256:{hashlib.sha256(index).hexdigest()}"
        self.azure.control.set(registry_tokens=False)
        with httpx.Client(verify=self.azure.trust(), trust_env=False, timeout=60) as http:
            push(packed, f"https://{host}", name, "latest", client=http)
            put = http.put(
                f"https://{host}/v2/{name}/manifests/{digest}", content=index, headers={"content-type": OCI_INDEX}
            )
            assert put.status_code == 201, put.text
        self.azure.control.set(registry_tokens=True)
        return f"{host}/{name}@{digest}"

    def login(self) -> dict[str, str]:
        """Return the deployer's user name and password at the registry."""
        form = {"grant_type": "access_token", "access_token": self.azure.token(audience=ARM_AUDIENCE)}
        host = self.azure.emulator.urls.registry
        answer = httpx.post(f"https://{host}/oauth2/exchange", data=form, verify=self.azure.trust(), trust_env=False)
        return {"username": TOKEN_USER, "password": answer.json()["refresh_token"]}

    def error_of(self, repository: str, script: str, **how: tuple[str, ...]) -> tuple[str, str]:
        """Return code and message of a version that fails."""
        image = {"image": self.push(repository, script, **how)}
        failed = self.api.create(repository, container_configuration=image, environment_variables={"KEY": "t0p-secret"})
        assert failed["status"] == "failed"
        return failed["error"]["code"], failed["error"]["message"]


@pytest.fixture
def case(engine: docker.DockerClient, tmp_path: Path) -> Iterator[Case]:
    settings = Settings(provisioning_s=0, session_processes=True, readiness_timeout_s=20)
    with LocalAzure(tmp_path / "azure", runtime="docker", settings=settings) as azure:
        case = Case(azure, engine, tmp_path)
        with case.api.http:
            yield case
    assert engine.containers.list(all=True, ignore_removed=True) == [], "a container outlived its local Azure"


def test_a_version_is_a_container_with_its_limits_its_variables_and_the_sessions_home(case: Case) -> None:
    api = case.api
    made = api.create("support", cpu="1", memory="2Gi", environment_variables={"GREETING": "Hello"})
    assert made["status"] == "active", made
    session = api.http.post("/agents/support/endpoint/sessions", json={}).json()["agent_session_id"]
    files = f"/agents/support/endpoint/sessions/{session}/files/content"
    api.http.put(files, params={"path": "note.txt"}, content=b"friend").raise_for_status()
    answer = api.ask("support", agent_session_id=session).json()
    assert answer["output"][0]["content"][0]["text"] == "Hello, friend"
    assert (answer["agent_session_id"], answer["agent_reference"]["version"]) == (session, "1")

    [container] = case.engine.containers.list()
    limits = container.attrs["HostConfig"]
    assert (limits["NanoCpus"], limits["Memory"]) == (1_000_000_000, 2 * GIBIBYTE)
    variables = dict(pair.split("=", 1) for pair in container.attrs["Config"]["Env"])
    assert variables["HOME"] == "/home/session"
    assert variables["FOUNDRY_AGENT_SESSION_ID"] == session
    assert Path(variables["SSL_CERT_FILE"]).is_file()
    assert "@sha256:" in container.attrs["Config"]["Image"]

    api.http.delete("/agents/support", params={"force": "true"}).raise_for_status()
    case.azure.wait_until(lambda: case.engine.containers.list(all=True, ignore_removed=True) == [])
    written = [path.read_text() for path in (case.folder / "azure" / "agents").rglob("stdout.log")]
    assert "asked to end\n" in written, "SIGTERM comes before the end"


def test_a_container_that_cannot_run_fails_its_version_with_the_cause(case: Case) -> None:
    code, message = case.error_of("absent", "", entrypoint=("/app/nothing",))
    assert (code, message[:32]) == ("CodeError", "The container can't be started. ")
    assert "/app/nothing" in message
    code, message = case.error_of("broken", 'echo "no model for $KEY" >&2; exit 3')
    assert (code, message) == (
        "CodeError",
        "The agent exited with code 3 before it was ready. Last lines of stderr: no model for ***",
    )
    code, message = case.error_of("greedy", "exec /app/busybox dd if=/dev/zero of=/dev/null bs=1200M count=1")
    assert (code, message[:66]) == ("CodeError", "The agent was killed for using more than 1Gi of memory before it w")
    case.azure.control.set(readiness_timeout_s=0.5)
    code, message = case.error_of("slow", "trap 'exit 0' TERM; /app/busybox sleep 100 & wait")
    assert (code, message.partition(":")[0]) == ("ProvisioningError", "ReadinessTimeout")


def test_a_docker_daemon_pushes_and_pulls_with_a_token_and_not_without(case: Case) -> None:
    name = f"{case.azure.emulator.urls.registry}/{case.project.registry}"
    with pytest.raises(docker.errors.APIError, match=r"unauthorized|denied"):
        case.engine.images.pull(case.api.image)
    image = case.engine.images.pull(case.api.image, auth_config=case.login(), platform="linux/amd64")
    image.tag(f"{name}/copy", "v1")
    lines = [
        json.loads(line)
        for line in case.engine.images.push(f"{name}/copy", "v1", auth_config=case.login()).split("\r\n")
        if line
    ]
    assert not [line["error"] for line in lines if "error" in line]
    digest = next(line["aux"]["Digest"] for line in lines if "aux" in line)
    sent = [
        e.method for e in case.azure.journal(plane="registry") if "/copy/blobs/uploads/" in e.path and e.status != 401
    ]
    assert {"POST", "PATCH", "PUT"} <= set(sent)
    made = case.api.create("copied", container_configuration={"image": f"{name}/copy@{digest}"})
    assert made["status"] == "active", made


def test_a_container_left_by_a_killed_local_azure_is_removed_at_the_next_start(
    engine: docker.DockerClient, tmp_path: Path
) -> None:
    with LocalAzure(tmp_path / "azure", runtime="docker") as azure:
        case = Case(azure, engine, tmp_path)
        with case.api.http:
            case.api.create("support")
        [container] = engine.containers.list()
        labels = {key: value for key, value in container.labels.items() if key == "foundry-emulator"}
        image = container.attrs["Image"]
        left = engine.containers.create(image, labels=labels)
        other = engine.containers.create(image, labels={"foundry-emulator": "/elsewhere"})
    with LocalAzure(tmp_path / "azure", runtime="docker"):
        assert [found.id for found in engine.containers.list(all=True, ignore_removed=True)] == [other.id]
    other.remove()
    assert left.id != other.id
