"""A client that is faster than the server: raw HTTP/1.1 over TLS, a few connections, one request each at a time."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """The measurements of a load.

    Attributes:
        rate: Answers a second.
        p99_s: The time that 99 of 100 requests stayed below, in seconds.
        unexpected: Answers with another status than 200.
    """

    rate: float
    p99_s: float
    unexpected: int


def get(path: str, host: str, token: str) -> bytes:
    """Return a GET request as bytes."""
    return f"GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n".encode()


def post(path: str, host: str, token: str, body: bytes) -> bytes:
    """Return a POST request of JSON as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    )
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def load(url: str, trust: ssl.SSLContext, request: Callable[[int], bytes], *, count: int, connections: int) -> Load:
    """Send ``count`` requests.

    Args:
        url: Where to.
        trust: Whom to trust.
        request: The n-th request.
        count: How many.
        connections: Over so many connections.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(url, trust, request, count, connections))


async def _load(url: str, trust: ssl.SSLContext, request: Callable[[int], bytes], count: int, connections: int) -> Load:
    address = urlsplit(url)
    numbers = iter(range(count))
    took: list[float] = []
    statuses: list[int] = []

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in numbers:
            began = time.perf_counter()
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            took.append(time.perf_counter() - began)
            statuses.append(int(head[9:12]))

    opened = [await asyncio.open_connection(address.hostname, address.port, ssl=trust) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(work(reader, writer) for reader, writer in opened))
    lasted = time.perf_counter() - began
    for _, writer in opened:
        writer.transport.abort()
    return Load(len(took) / lasted, percentile(took, 0.99), sum(status != 200 for status in statuses))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
