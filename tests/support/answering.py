"""An HTTP server on this machine that answers as a test says."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """A response: a status, a body, and headers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Answering:
    """A running server.

    Attributes:
        host: Its host and port.
        answers: Its response by method and path without query; anything else is a 404.
        seen: Method, path and Authorization header of each request.
    """

    host: str
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    seen: list[tuple[str, str, str]] = field(default_factory=list)


@contextlib.contextmanager
def answering() -> Iterator[Answering]:
    """Run a server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path = self.path.partition("?")[0]
            here.seen.append((self.command, path, self.headers.get("authorization", "")))
            found = here.answers.get((self.command, path), Answer(404))
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(found.body)))
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(OSError):  # a client that has read enough closes the connection
                    self.wfile.write(found.body)

        do_GET = do_HEAD = do_POST = do_DELETE = _answer  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the base class)
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Answering(f"localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
