"""Sessions from the inside: files, process and log."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psutil
import pytest

from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api, Json
from tests.emulator.runtime.agent_server import SERVER

SESSIONS = "/agents/support/endpoint/sessions"
PIN = {"version_indicator": {"type": "version_ref", "agent_version": "1"}}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    settings = Settings(provisioning_s=0, session_processes=True, log_idle_s=0)
    with LocalAzure(tmp_path_factory.mktemp("azure"), runtime="process", settings=settings) as running:
        yield running


@pytest.fixture
def api(api: Api) -> Api:
    api.image = api.azure.push_image(api.project, files={"main.py": SERVER})
    api.create("support")
    return api


def asked(api: Api, session: str) -> Json:
    answer = api.ask("support", agent_session_id=session)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def session(api: Api) -> str:
    made: str = api.http.post(SESSIONS, json=PIN).json()["agent_session_id"]
    return made


def test_each_session_has_its_own_process_home_and_id(api: Api) -> None:
    one, two = session(api), session(api)
    first, second, again = asked(api, one), asked(api, two), asked(api, one)
    assert first["pid"] == again["pid"] != second["pid"]
    assert first["env"]["HOME"] != second["env"]["HOME"]
    assert [answer["env"]["FOUNDRY_AGENT_SESSION_ID"] for answer in (first, second)] == [one, two]


def test_an_uploaded_file_is_in_the_home_of_the_sessions_process(api: Api) -> None:
    one = session(api)
    api.http.put(f"{SESSIONS}/{one}/files/content", params={"path": "a/b.txt"}, content=b"hi")
    home = asked(api, one)["env"]["HOME"]
    with open(f"{home}/a/b.txt") as file:  # noqa: PTH123  the process's own view of it
        assert file.read() == "hi"


def test_a_session_created_by_a_call_has_its_process_and_a_stop_ends_it(api: Api) -> None:
    body = api.ask("support").json()
    assert body["env"]["FOUNDRY_AGENT_SESSION_ID"] == body["agent_session_id"]
    api.http.post(f"{SESSIONS}/{body['agent_session_id']}:stop")
    assert asked(api, body["agent_session_id"])["pid"] != body["pid"]
    api.http.delete(f"{SESSIONS}/{body['agent_session_id']}")
    api.azure.wait_until(lambda: not psutil.pid_exists(body["pid"]))


@pytest.mark.parametrize(
    "path", ["/agents/support/versions/1/sessions/{}:logstream", "/agents/support/sessions/{}:logstream"]
)
def test_the_log_stream_has_a_status_and_the_agents_output(api: Api, path: str) -> None:
    one = session(api)
    asked(api, one)
    answer = api.http.get(path.format(one))
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert all(event.startswith("event: log\ndata: ") for event in events[:-1])
    data = [json.loads(event.split("data: ")[1]) for event in events[:-1]]
    assert [(d["stream"], d["message"]) for d in data] == [
        ("status", f"Session {one} of version 1 is active"),
        ("stdout", "started"),
    ]
    assert all(d["timestamp"].endswith("Z") for d in data)


def test_the_newer_log_stream_takes_kind_tail_and_follow(api: Api) -> None:
    one = session(api)
    asked(api, one)
    path = f"/agents/support/sessions/{one}:logstream"
    for query, count in (({"kind": "system"}, 1), ({"tail": "0"}, 1), ({"tail": "5", "follow": "false"}, 2)):
        assert api.http.get(path, params=query).text.count("event: log") == count
    for query in ({"kind": "moon"}, {"tail": "-1"}, {"tail": "1" * 50}, {"follow": "maybe"}):
        assert api.http.get(path, params=query).status_code == 400


def test_a_log_stream_of_another_version_or_session_is_a_404(api: Api) -> None:
    one = session(api)
    for path in (f"versions/2/sessions/{one}", "versions/1/sessions/none", "sessions/none"):
        assert api.http.get(f"/agents/support/{path}:logstream").status_code == 404
