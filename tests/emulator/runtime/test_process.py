"""The process runtime, with small servers of the standard library and with the sample agent."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json
from tests.emulator.runtime.agent_server import SERVER
from tests.support.served import served

RESPONSES = "/agents/support/endpoint/protocols/openai/responses"
SAMPLE = Path(__file__).parents[3] / "examples" / "support_agent"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    with LocalAzure(tmp_path_factory.mktemp("azure"), runtime="process") as running:
        yield running


def running_agent(api: Api, main: str, **overrides: object) -> Json:
    api.image = api.azure.push_image(api.project, files={"main.py": main})
    return api.create("support", **overrides)


def test_the_images_entrypoint_runs_with_the_agents_and_the_platforms_variables(api: Api) -> None:
    version = running_agent(api, SERVER, environment_variables={"GREETING": "hi", "HOME": "/nowhere"})
    assert version["status"] == "active", version.get("error")
    answer = api.ask("support", "x").json()
    env = answer["env"]
    assert env["GREETING"] == "hi"
    assert env["FOUNDRY_PROJECT_ENDPOINT"] == api.project.endpoint
    assert env["FOUNDRY_PROJECT_ARM_ID"] == api.project.id
    assert env["FOUNDRY_AGENT_NAME"] == "support"
    assert env["FOUNDRY_AGENT_VERSION"] == "1"
    assert env["FOUNDRY_AGENT_ID"] == version["agent_guid"]
    assert env["FOUNDRY_AGENT_INSTANCE_CLIENT_ID"] == version["instance_identity"]["client_id"]
    assert env["SSL_CERT_FILE"] == api.azure.env["SSL_CERT_FILE"]
    assert Path(env["HOME"]).is_dir()
    assert env["IDENTITY_HEADER"] != api.azure.env["IDENTITY_HEADER"]
    assert Path(answer["cwd"]).name == "app"


def test_an_agent_gets_session_and_caller_of_a_call_but_not_the_callers_token(api: Api) -> None:
    running_agent(api, SERVER)
    answer = api.http.post(
        RESPONSES, json={"input": "x", "session_id": None, "metadata": {"a": "b"}}, headers={"x-client-thing": "1"}
    )
    body = answer.json()
    session = answer.headers["x-agent-session-id"]
    reference = {"type": "agent_reference", "name": "support", "version": "1"}
    assert body["body"]["agent_session_id"] == session
    assert body["body"]["agent_reference"] == reference
    assert body["body"]["metadata"] == {"a": "b"}
    assert body["headers"]["x-agent-user-id"] == "00000000-0000-0000-0000-0000000000de"
    assert body["headers"]["x-client-thing"] == "1"
    assert "authorization" not in body["headers"]
    # the service adds what the agent left out of its response
    assert (body["agent_session_id"], body["agent_reference"]) == (session, reference)
    assert answer.headers["x-platform-server"] == "own/1"


def test_versions_with_the_same_image_run_as_separate_processes(api: Api) -> None:
    running_agent(api, SERVER)
    api.create("support", environment_variables={"N": "2"})
    api.route("support", {"1": 100})
    first = api.ask("support").json()
    api.route("support", {"2": 100})
    second = api.ask("support").json()
    assert first["pid"] != second["pid"]
    assert first["cwd"] == second["cwd"]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_deleted_versions_process_ends(api: Api) -> None:
    running_agent(api, SERVER)
    pid = api.ask("support").json()["pid"]
    assert is_running(pid)
    api.http.delete("/agents/support", params={"force": "true"})
    api.azure.wait_until(lambda: not is_running(pid))


def test_a_process_that_died_is_a_424_once_and_is_started_again(api: Api) -> None:
    running_agent(api, SERVER)
    pid = api.ask("support").json()["pid"]
    died = api.ask("support", "die")
    assert (died.status_code, died.json()["error"]["code"]) == (424, "session_not_ready")
    api.azure.wait_until(lambda: not is_running(pid))
    again = api.ask("support")
    assert again.status_code == 200
    assert again.json()["pid"] != pid


def test_an_agent_that_exits_fails_the_version_with_its_last_lines_and_masked_variables(api: Api) -> None:
    main = "import os, sys\nprint('boot with', os.environ['SECRET'], file=sys.stderr)\nsys.exit(7)\n"
    version = running_agent(api, main, environment_variables={"SECRET": "tr0ub4dor"})
    assert version["status"] == "failed"
    assert version["error"]["code"] == "CodeError"
    assert "exited with code 7" in version["error"]["message"]
    assert "boot with ***" in version["error"]["message"]
    assert "tr0ub4dor" not in json.dumps(version["error"])


def test_an_agent_that_never_gets_ready_fails_with_readiness_timeout(api: Api) -> None:
    api.azure.control.set(readiness_timeout_s=0.3)
    try:
        version = running_agent(api, "import time\ntime.sleep(600)\n")
    finally:
        api.azure.control.set(readiness_timeout_s=60)
    assert version["error"]["code"] == "ProvisioningError"
    assert "ReadinessTimeout" in version["error"]["message"]


def test_an_agent_that_does_not_answer_in_time_is_a_504(api: Api) -> None:
    running_agent(
        api,
        SERVER.replace(
            'if body["input"] == "die":',
            'if body["input"] == "hang":\n            import time; time.sleep(600)\n        if body["input"] == "die":',
        ),
    )
    api.azure.control.set(invoke_timeout_s=0.2)
    try:
        answer = api.ask("support", "hang")
    finally:
        api.azure.control.set(invoke_timeout_s=120)
    assert answer.status_code == 504
    assert answer.headers["x-adc-response-details"] == "ProxyTimeout"


def test_the_sample_agent_answers_whole_and_streamed(api: Api) -> None:
    api.image = api.azure.push_folder(api.project, SAMPLE)
    version = api.create("support")
    assert version["status"] == "active", version.get("error")
    answer = api.ask("support", "anybody there?")
    assert answer.status_code == 200
    assert "anybody there?" in answer.json()["output"][0]["content"][0]["text"]
    assert answer.json()["agent_reference"]["version"] == "1"
    assert answer.headers["x-agent-session-id"] == answer.json()["agent_session_id"]
    assert "azure-ai-agentserver-core" in answer.headers["x-platform-server"]
    streamed = api.ask("support", "anybody there?", stream=True)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "event: response.completed" in streamed.text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_agents_do_not_outlive_a_killed_local_azure(data_dir: Path) -> None:
    """Created here, served by another process, killed with SIGKILL: the agent's process ends too."""
    with LocalAzure(data_dir, runtime="process") as azure:
        project = azure.seed_project("shop")
        image = azure.push_image(project, files={"main.py": SERVER})
        port = project.login_server.split("/")[0].rsplit(":", 1)[1]
        token, trust = azure.token(), azure.trust()
    ports = ("--port", "0", "--registry-port", port, "--page-port", "0", "--provisioning-seconds", "0")
    with (
        served(data_dir, *ports) as (process, running),
        httpx.Client(
            base_url=f"{running.data_plane}/api/projects/shop",
            verify=trust,
            trust_env=False,
            headers={"authorization": f"Bearer {token}"},
            params={"api-version": "v1"},
        ) as http,
    ):
        definition = {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        }
        http.post("/agents/support/versions", json={"definition": definition})
        while http.get("/agents/support/versions/1").json()["status"] == "creating":
            pass
        pid = http.post(RESPONSES, json={"input": "x"}).json()["pid"]
        assert is_running(pid)
        process.send_signal(signal.SIGKILL)
    while is_running(pid):
        pass
    assert not is_running(pid)
    assert os.getpid() != pid


def test_a_zip_runs_by_its_entry_point(api: Api) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", SERVER)
    code = {"runtime": "python_3_14", "entry_point": ["python", "main.py"], "dependency_resolution": "bundled"}
    body = {"definition": api.definition(container_configuration=None, code_configuration=code)}
    parts: dict[str, tuple[str | None, bytes | str, str]] = {
        "metadata": (None, json.dumps(body), "application/json"),
        "code": ("code.zip", buffer.getvalue(), "application/octet-stream"),
    }
    api.http.post("/agents/support/versions", files=parts)
    assert api.settled("support", "1")["status"] == "active"
    assert api.ask("support").json()["headers"]["x-agent-session-id"]


def test_a_zip_whose_entry_point_is_missing_fails_with_a_code_error(api: Api) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other.txt", "")
    code = {"runtime": "python_3_14", "entry_point": ["./run"], "dependency_resolution": "bundled"}
    body = {"definition": api.definition(container_configuration=None, code_configuration=code)}
    parts: dict[str, tuple[str | None, bytes | str, str]] = {
        "metadata": (None, json.dumps(body), "application/json"),
        "code": ("code.zip", buffer.getvalue(), "application/octet-stream"),
    }
    api.http.post("/agents/support/versions", files=parts)
    failed = api.settled("support", "1")
    assert (failed["status"], failed["error"]["code"]) == ("failed", "CodeError")
