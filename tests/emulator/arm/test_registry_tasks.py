"""A registry's tasks: rights, refusals, and runs without a builder."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from foundry_emulator.identity import ARM_AUDIENCE, DEPLOYER
from foundry_emulator.testing import LocalAzure, SeededProject

OTHER = "11111111-1111-1111-1111-111111111111"
ORDER = {
    "type": "DockerBuildRequest",
    "imageNames": ["support:1"],
    "dockerFilePath": "Dockerfile",
    "isPushEnabled": True,
}


class Tasks:
    """A registry's tasks, called as a principal."""

    def __init__(self, azure: LocalAzure, there: SeededProject, principal: str = DEPLOYER) -> None:
        self.azure = azure
        self._client = httpx.Client(
            base_url=azure.data_plane + there.registry_id,
            verify=azure.trust(),
            trust_env=False,
            headers={"authorization": f"Bearer {azure.token(principal, ARM_AUDIENCE)}"},
            params={"api-version": "2025-03-01-preview"},
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self._client.request(method, path, json=body)

    def run(self, source: str, **order: object) -> dict[str, Any]:
        """Schedule a run and wait for its end."""
        answer = self.send("POST", "scheduleRun", {**ORDER, "sourceLocation": source, **order})
        assert answer.status_code == 200, answer.text
        run = answer.json()["name"]
        self.azure.wait_until(lambda: self.shown(run)["status"] in {"Succeeded", "Failed"})
        return self.shown(run)

    def shown(self, run: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.send("GET", f"runs/{run}").json()["properties"]
        return properties

    def upload(self, content: bytes) -> str:
        """Upload a context; return its source location."""
        place = self.send("POST", "listBuildSourceUploadUrl").json()
        headers = {"x-ms-blob-type": "BlockBlob"}
        answer = httpx.put(place["uploadUrl"], content=content, verify=self.azure.trust(), headers=headers)
        assert answer.status_code == 201
        return str(place["relativePath"])


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAzure, SeededProject]]:
    with LocalAzure(tmp_path_factory.mktemp("azure")) as azure:
        yield azure, azure.seed_project("agents")


@pytest.fixture
def tasks(local: tuple[LocalAzure, SeededProject]) -> Iterator[Tasks]:
    with contextlib.closing(Tasks(*local)) as open_tasks:
        yield open_tasks


def context() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(b"FROM scratch\n")
        tar.addfile(entry, io.BytesIO(b"FROM scratch\n"))
    return buffer.getvalue()


def test_a_run_without_a_buildkit_fails_and_says_why(tasks: Tasks) -> None:
    run = tasks.run(tasks.upload(context()))
    assert run["status"] == "Failed"
    assert run["runErrorMessage"] == "The local Azure has no BuildKit: its settings buildkit and buildctl name one."


def test_a_log_names_the_image_first_and_is_read_in_parts(tasks: Tasks) -> None:
    run = tasks.run(tasks.upload(context()))
    link = tasks.send("POST", f"runs/{run['runId']}/listLogSasUrl").json()["logLink"]
    whole = httpx.get(link, verify=tasks.azure.trust())
    assert whole.text.startswith("Building localhost:")
    part = httpx.get(link, verify=tasks.azure.trust(), headers={"x-ms-range": "bytes=0-7"})
    assert (part.status_code, part.text) == (206, "Building")


def test_the_newest_run_is_listed_first(tasks: Tasks) -> None:
    last = tasks.run(tasks.upload(context()))
    listed = tasks.send("GET", "runs").json()["value"]
    assert listed[0]["properties"]["runId"] == last["runId"]


@pytest.mark.parametrize(
    "broken",
    [b"no archive", b"", context()[:60], context()[:-20]],
    ids=["another file", "nothing", "its beginning", "all but its end"],
)
def test_an_unreadable_context_fails_the_run(tasks: Tasks, broken: bytes) -> None:
    run = tasks.run(tasks.upload(broken))
    assert run["runErrorMessage"].startswith("The context can't be read")


def test_a_context_that_reaches_outside_of_itself_fails_the_run(tasks: Tasks, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(f"../../{tmp_path.name}"))
    assert tasks.run(tasks.upload(buffer.getvalue()))["runErrorMessage"].startswith("The context can't be read")


def test_a_source_that_was_not_uploaded_and_another_kind_of_run_are_refused(tasks: Tasks) -> None:
    missing = tasks.send("POST", "scheduleRun", {**ORDER, "sourceLocation": "source/none.tar.gz"})
    assert (missing.status_code, missing.json()["error"]["code"]) == (400, "InvalidSourceLocation")
    other = tasks.send("POST", "scheduleRun", {**ORDER, "type": "TaskRunRequest"})
    assert (other.status_code, other.json()["error"]["code"]) == (501, "NotImplemented")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"dockerFilePath": "../Dockerfile"}, "InvalidDockerFilePath"),
        ({"dockerFilePath": "/etc/passwd"}, "InvalidDockerFilePath"),
        ({"arguments": [{"name": "A"}]}, "InvalidArguments"),
        ({"arguments": {"A": "b"}}, "InvalidArguments"),
    ],
)
def test_an_invalid_build_request_is_refused(tasks: Tasks, wrong: dict[str, object], code: str) -> None:
    refused = tasks.send("POST", "scheduleRun", {**ORDER, "sourceLocation": tasks.upload(context()), **wrong})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


def test_a_missing_run_is_a_404(tasks: Tasks) -> None:
    assert tasks.send("GET", "runs/ca99").status_code == 404


def test_only_a_principal_with_write_access_to_the_registry_may_build(local: tuple[LocalAzure, SeededProject]) -> None:
    with contextlib.closing(Tasks(*local, principal=OTHER)) as tasks:
        answer = tasks.send("POST", "listBuildSourceUploadUrl")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")


def test_a_blob_without_its_signature_is_refused(tasks: Tasks) -> None:
    place = tasks.send("POST", "listBuildSourceUploadUrl").json()["uploadUrl"].partition("?")[0]
    unknown = f"{place.rpartition('/')[0]}/never-given-out.tar.gz"
    for url in (place, f"{place}?sig=guess", f"{place}?sig=%C3%A9", f"{unknown}?sig=-", unknown):
        assert httpx.put(url, content=b"", verify=tasks.azure.trust()).status_code == 403
    assert httpx.get(place, verify=tasks.azure.trust()).status_code == 403


def test_a_subscription_without_tasks_refuses_uploads_and_runs(tasks: Tasks) -> None:
    """F8."""
    source = tasks.upload(context())
    tasks.azure.control.set(tasks_allowed=False)
    try:
        upload = tasks.send("POST", "listBuildSourceUploadUrl")
        run = tasks.send("POST", "scheduleRun", {**ORDER, "sourceLocation": source})
    finally:
        tasks.azure.control.set(tasks_allowed=True)
    for refused in (upload, run):
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "TasksOperationsNotAllowed")


@pytest.mark.parametrize(
    ("properties", "is_denied"),
    [
        ({"publicNetworkAccess": "Disabled"}, True),
        ({"publicNetworkAccess": "Disabled", "networkRuleBypassAllowedForTasks": False}, True),
        ({"publicNetworkAccess": "Disabled", "networkRuleBypassAllowedForTasks": True}, False),
        ({"publicNetworkAccess": "Enabled"}, False),
    ],
)
def test_a_registry_without_public_access_denies_its_own_tasks(
    local: tuple[LocalAzure, SeededProject], tasks: Tasks, properties: dict[str, object], *, is_denied: bool
) -> None:
    """F9: it was a false green."""
    azure, there = local
    azure.put(there.registry_id, {"location": "swedencentral", "sku": {"name": "Premium"}, "properties": properties})
    run = tasks.run(tasks.upload(context()))
    assert run["status"] == "Failed", "there is no BuildKit"
    assert ("is not allowed access" in run["runErrorMessage"]) is is_denied
