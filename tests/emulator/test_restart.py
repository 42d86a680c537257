"""State after restarts, orderly or not."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from foundry_emulator.data_folder import AlreadyRunning, DataFolder
from foundry_emulator.emulator import Ports, PortTaken
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import is_active
from tests.support.ports import lasting_ports
from tests.support.served import served

PORT_FREE = ["--port", "0", "--registry-port", "0", "--page-port", "0"]


def definition(image: str, **overrides: object) -> dict[str, object]:
    return {
        "kind": "hosted",
        "cpu": "0.5",
        "memory": "1Gi",
        "container_configuration": {"image": image},
        "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
    } | overrides


def test_a_restart_keeps_agents_routes_sessions_tokens_and_counters(data_dir: Path) -> None:
    ports = lasting_ports()
    with LocalAzure(data_dir, ports=ports) as azure:
        project = azure.seed_project("shop")
        image = azure.push_image(project)
        env, token = azure.env, azure.token()
        with azure.client("shop") as http:
            for cpu, memory in (("0.5", "1Gi"), ("1", "2Gi"), ("2", "4Gi")):
                body = {"definition": definition(image, cpu=cpu, memory=memory)}
                version = http.post("/agents/support/versions", json=body).json()["version"]
                azure.wait_until(is_active(http, "support", version))
            http.delete("/agents/support/versions/3")
            rule = {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 100}
            http.patch(
                "/agents/support",
                json={"agent_endpoint": {"version_selector": {"version_selection_rules": [rule]}}},
            )
            response = http.post("/agents/support/endpoint/protocols/openai/responses", json={"input": ""})
            session = response.json()["agent_session_id"]
            before = http.get("/agents/support").json(), http.get("/agents/support/versions").json()
        writes = [(e.method, e.path) for e in azure.journal(writes=True)]
    with LocalAzure(data_dir, ports=ports) as azure, azure.client("shop") as http:
        assert azure.env == env
        http.headers["authorization"] = f"Bearer {token}"
        assert (http.get("/agents/support").json(), http.get("/agents/support/versions").json()) == before
        assert [(e.method, e.path) for e in azure.journal(writes=True)] == writes
        again = {"input": "again", "agent_session_id": session}
        response = http.post("/agents/support/endpoint/protocols/openai/responses", json=again)
        assert response.json()["agent_reference"]["version"] == "1", "an active version is started at its first call"
        new = http.post("/agents/support/versions", json={"definition": definition(image, cpu="2", memory="4Gi")})
        assert new.json()["version"] == "4"


def test_a_creating_version_continues_after_a_restart(data_dir: Path) -> None:
    ports = lasting_ports()
    with LocalAzure(data_dir, provisioning_s=600, ports=ports) as azure:
        project = azure.seed_project("shop")
        image = azure.push_image(project)
        with azure.client("shop") as http:
            http.post("/agents/support/versions", json={"definition": definition(image)})
    with LocalAzure(data_dir, provisioning_s=0, ports=ports) as azure, azure.client("shop") as http:
        azure.wait_until(is_active(http, "support", "1"))


def test_kill_9_loses_no_acknowledged_write(data_dir: Path) -> None:
    """Versions are created one after the other while the process is killed; each that got a 200 exists."""
    with LocalAzure(data_dir) as azure:
        project = azure.seed_project("shop")
        image = azure.push_image(project)
        token = azure.token()
        bundle = azure.trust()
    acknowledged: list[str] = []
    for round_ in range(3):
        with served(data_dir, *PORT_FREE, "--runtime", "echo") as (process, running):
            endpoint = f"{running.data_plane}/api/projects/shop/agents"
            headers = {"authorization": f"Bearer {token}"}
            with httpx.Client(verify=bundle, headers=headers, trust_env=False, params={"api-version": "v1"}) as http:
                seen = http.get(f"{endpoint}/a/versions", params={"limit": "100"}).json()
                assert {v["version"] for v in seen.get("data", [])} >= set(acknowledged)
                for n in range(20):
                    body = definition(image, environment_variables={"N": f"{round_}-{n}"})
                    made = http.post(f"{endpoint}/a/versions", json={"definition": body})
                    assert made.status_code == 200
                    acknowledged.append(made.json()["version"])
                    if n == 12 + round_:
                        process.send_signal(signal.SIGKILL)
                        break
    assert len(set(acknowledged)) == len(acknowledged), "no number is given twice"
    with LocalAzure(data_dir) as azure, azure.client("shop") as http:
        kept = http.get("/agents/a/versions", params={"limit": "100"}).json()["data"]
        assert {version["version"] for version in kept} >= set(acknowledged)
        posts = [e for e in azure.journal(plane="data", writes=True) if e.status == 200]
        assert len(posts) >= len(acknowledged)


def test_one_folder_serves_one_local_azure(data_dir: Path) -> None:
    with LocalAzure(data_dir), pytest.raises(AlreadyRunning), LocalAzure(data_dir):
        pass
    with LocalAzure(data_dir):
        pass


def test_a_port_in_use_is_named_with_its_option(tmp_path: Path) -> None:
    with LocalAzure(tmp_path / "one") as azure:
        port = int(azure.data_plane.rsplit(":", 1)[1])
        with (
            pytest.raises(PortTaken, match=rf"port {port} is in use .* --registry-port"),
            LocalAzure(tmp_path / "two", ports=Ports(0, port, 0)),
        ):
            pass


def test_the_description_is_readable_by_its_owner_only_and_removed_with_the_process(data_dir: Path) -> None:
    with LocalAzure(data_dir) as azure:
        path = data_dir / "emulator.json"
        assert json.loads(path.read_text())["environment"] == azure.env
        assert path.stat().st_mode & 0o077 == 0
        running = DataFolder(data_dir).running()
        assert running is not None
        assert running.pid == os.getpid()
    assert not path.exists()
    assert DataFolder(data_dir).running() is None
