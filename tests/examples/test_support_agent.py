"""The sample agent, started like its image and called with the OpenAI client."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from openai import BadRequestError, OpenAI
from openai.types.responses import ResponseCompletedEvent, ResponseTextDeltaEvent

AGENT = Path(__file__).parents[2] / "examples" / "support_agent"
READY_WITHIN_S = 60  # usually one second, but the machine may be busy with other tests
ENDS_WITHIN_S = 30


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def client(self) -> OpenAI:
        return OpenAI(base_url=self.url, api_key="unused", max_retries=0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readiness", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextlib.contextmanager
def running(folder: Path, **environment: str) -> Iterator[Server]:
    port = free_port()
    log = folder / "agent.log"
    env = {"PATH": os.defpath, "HOME": str(folder), "PORT": str(port), **environment}
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            [sys.executable, "main.py"], cwd=AGENT, env=env, stdout=sink, stderr=subprocess.STDOUT
        ) as process,
    ):
        server = Server(process, f"http://127.0.0.1:{port}", log)
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while not is_ready(server.url):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.05)
                    pytest.fail(f"the agent ended before it was ready:\n{log.read_text()}")
                if time.monotonic() > deadline:
                    pytest.fail(f"the agent was not ready within {READY_WITHIN_S} s:\n{log.read_text()}")
            yield server
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    named = {"FOUNDRY_AGENT_NAME": "support", "FOUNDRY_AGENT_VERSION": "3"}
    with running(tmp_path_factory.mktemp("agent"), **named) as started:
        yield started


def test_the_answer_contains_the_version_and_the_question(server: Server) -> None:
    with server.client() as client:
        answer = client.responses.create(input="Which version answers?")
    assert answer.output_text == 'support 3: you asked "Which version answers?"'
    assert answer.status == "completed"


def test_a_question_can_be_a_list_of_messages(server: Server) -> None:
    with server.client() as client:
        answer = client.responses.create(input=[{"role": "user", "content": "Anybody there?"}])
    assert answer.output_text == 'support 3: you asked "Anybody there?"'


def test_a_streamed_answer_comes_in_pieces_that_make_the_same_text(server: Server) -> None:
    with server.client() as client, client.responses.create(input="And streamed?", stream=True) as events:
        seen = list(events)
    pieces = [event.delta for event in seen if isinstance(event, ResponseTextDeltaEvent)]
    assert len(pieces) > 1
    assert "".join(pieces) == 'support 3: you asked "And streamed?"'
    assert isinstance(seen[-1], ResponseCompletedEvent)
    assert seen[-1].response.output_text == "".join(pieces)


def test_the_answer_contains_the_agent_reference_of_the_request(
    server: Server,
) -> None:
    """hosted_agent_create_wait_route_invoke: the answer and each of its items name agent and version."""
    reference = {"type": "agent_reference", "name": "support", "version": "3"}
    added = {"agent_reference": reference, "agent_session_id": "session-of-the-platform"}
    with server.client() as client:
        raw = client.responses.with_raw_response.create(input="Who?", extra_body=added)
    body = raw.parse().to_dict()
    assert body["agent_reference"] == reference
    assert body["agent_session_id"] == "session-of-the-platform"
    assert raw.headers["x-agent-session-id"] == "session-of-the-platform"
    assert raw.headers["x-platform-server"].startswith("azure-ai-agentserver-core/")


def test_a_question_that_is_not_text_is_an_error_of_the_caller(server: Server) -> None:
    with server.client() as client, pytest.raises(BadRequestError) as error:
        client.responses.create(input=5)  # type: ignore[call-overload]  # what a careless caller sends
    assert error.value.response.headers["x-platform-error-source"] == "user"


def test_without_an_exporter_telemetry_is_disabled(server: Server) -> None:
    """Otherwise the library prints every record again as JSON and calls a statistics host of its vendor."""
    log = server.log.read_text()
    assert "AgentServerHost started" in log
    assert "severity_text" not in log
    assert "applicationinsights" not in log


def test_the_answer_begins_with_the_greeting_and_sigterm_ends_the_agent_with_0(tmp_path: Path) -> None:
    with running(tmp_path, GREETING="Good day.") as server:
        with server.client() as client:
            answer = client.responses.create(input="Hello?")
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=ENDS_WITHIN_S) == 0
        assert answer.output_text == 'Good day. support unversioned: you asked "Hello?"'
        assert not is_ready(server.url)


def test_the_image_installs_the_version_of_the_library_that_these_tests_use() -> None:
    pinned = (AGENT / "requirements.txt").read_text().splitlines()
    for package in ("azure-ai-agentserver-core", "azure-ai-agentserver-responses"):
        assert f"{package}=={version(package)}" in pinned


def test_every_package_of_the_image_is_pinned() -> None:
    lines = (AGENT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#") and "==" not in line] == []


def test_an_agent_without_a_toolbox_answers_use_like_any_other_question(server: Server) -> None:
    with server.client() as client:
        answer = client.responses.create(input="use docs.search")
    assert answer.output_text == 'support 3: you asked "use docs.search"'


def test_an_agent_reports_tools_that_fail_and_continues_to_answer(tmp_path: Path) -> None:
    unreachable = {"TOOLBOX_ENDPOINT": "http://127.0.0.1:9/mcp", "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    with running(tmp_path, **unreachable) as server, server.client() as client:
        failed = client.responses.create(input='use docs.search {"q": "refund"}')
        invalid = client.responses.create(input="use docs.search {")
        other = client.responses.create(input="Still there?")
    assert failed.output_text.startswith("support unversioned: the tool could not be used: ClientAuthenticationError")
    assert "JSONDecodeError" in invalid.output_text
    assert other.output_text == 'support unversioned: you asked "Still there?"'
