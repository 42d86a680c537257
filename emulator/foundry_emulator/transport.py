"""A transport that sends what is written in one go: head and body of an answer as one TLS record."""

from __future__ import annotations

import asyncio


class Joining(asyncio.Transport):
    """Keeps what is written until the running callback ends, then writes it at once.

    A version's answer then costs one encryption and one system call instead of two. Closing sends what is kept,
    aborting drops it.

    Args:
        inner: the transport that sends.
        loop: the running loop.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._kept: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keeps ``data`` for the end of the running callback."""
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(data)

    def close(self) -> None:
        """Sends what is kept and closes."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Drops what is kept and the connection."""
        self._kept.clear()
        self._inner.abort()

    def is_closing(self) -> bool:
        """Whether it is closing or closed."""
        return self._inner.is_closing()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """What the inner transport knows."""
        return self._inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stops reading."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Reads on."""
        self._inner.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hands the connection to another protocol."""
        self._inner.set_protocol(protocol)

    def _flush(self) -> None:
        kept, self._kept = self._kept, []
        if kept and not self._inner.is_closing():
            self._inner.write(b"".join(kept))
