"""A service that answers from a script over plain HTTP and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from azure.core.credentials import AccessToken

from tests.support.settings import IMAGE

DROP = 0
"""As a status: the connection ends without an answer."""

VERSION: dict[str, Any] = {
    "metadata": {"team": "support"},
    "object": "agent.version",
    "id": "support:31",
    "name": "support",
    "version": "31",
    "description": "",
    "created_at": 1782939705,
    "definition": {
        "kind": "hosted",
        "container_protocol_versions": [],
        "cpu": "1",
        "memory": "2Gi",
        "container_configuration": {"image": IMAGE},
        "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
    },
    "status": "creating",
    "instance_identity": {"principal_id": "G1", "client_id": "G2"},
    "blueprint": {"principal_id": "G3", "client_id": "G4"},
    "agent_guid": "aa91c921",
}
"""A version as the service returned it, recorded."""


@dataclass(frozen=True)
class Answer:
    """One answer; a body that is no JSON is text."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request: method, path and query, the JSON that came with it (bytes where it is none), and it as sent."""

    method: str
    path: str
    body: Any
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""


@dataclass
class Script:
    """What comes next, and what was asked.

    Attributes:
        url: Endpoint of the project.
        answers: The coming answers; the last one stays.
        asked: Every request so far.
    """

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def says(self, *answers: Answer) -> None:
        """Sets the coming answers."""
        self.answers = list(answers)
        self.asked.clear()

    def methods(self) -> list[str]:
        """The methods of what was asked."""
        return [one.method for one in self.asked]


def failure(status: int, code: str, text: str, **headers: str) -> Answer:
    """The service's error envelope [recorded]."""
    return Answer(
        status,
        {"error": {"code": code, "message": text, "type": "error", "details": []}},
        {"x-request-id": "r-42", **headers},
    )


class AnyCredential:
    """Sign in with a token that no one checks."""

    def get_token(self, *scopes: str, **more: object) -> AccessToken:
        """The same token for whatever it is for."""
        del scopes, more
        return AccessToken("token", 2_000_000_000)


@contextmanager
def serving() -> Iterator[Script]:
    """Serves a script on a port of its own."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            kind = self.headers.get("content-type", "")
            body = json.loads(raw) if "json" in kind else raw or None
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append(Asked(self.command, self.path, body, kind, headers, raw))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            if answer.status == DROP:
                self.close_connection = True
                self.connection.close()
                return
            body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 (names of the standard library)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the standard library)
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        script.url = f"http://127.0.0.1:{server.server_port}/api/projects/demo"
        Thread(target=server.serve_forever, daemon=True).start()
        yield script
        server.shutdown()
